"""Receipts as a resource: its names, its fields, and the parameters that a request understands."""

from aicost.crd.allocations.listing import Field
from aicost.crd.allocations.parameters import FORMAT
from aicost.crd.coverage.resources import Served

MOST_WINDOWS = 48
"""Billing windows of one answer: each is computed again. On a ledger directory there is no limit."""
RECEIPTS = Served(
    plural="receipts",
    kind="Receipt",
    short_name="rcpt",
    about=(
        "The receipt of a figure: what a pod, a workload, a node or a device cost in each billing window, what that "
        "rests on, and whether it comes out the same when it is computed again."
    ),
    fields=(
        Field("window", "window", "string", "The billing window."),
        Field("revision", "revision", "integer", "The highest revision that was posted; absent for the open window."),
        Field("replayed", "replayed", "string", "What came of computing it again: equal, differs, not replayed."),
        Field("cost", "cost", "string", "What it cost, with its currency."),
        Field("totals", "totals", "array", "Sums by currency, in nano-units and milliseconds."),
        Field("samples", "samples", "integer", "Samples of the node's devices that it rests on."),
        Field("reason", "reason", "string", "Why it was not computed again, or was found altered."),
    ),
    parameters={
        "pod": "The pod: NAMESPACE/NAME; in a namespace its name alone.",
        "workload": "An AIWorkload, or the controller of pods, in the same way.",
        "node": "A node, with all who held its devices. Needs all namespaces.",
        "device": "A device by its UUID. Needs all namespaces.",
        "window": f"The time: 2026-10-03, 24h, FROM/TO; at most {MOST_WINDOWS} billing windows. Default: today.",
        "detail": "The moment or time of the window to show in detail. Default: the one that cost most.",
        "timeZone": "Time zone in which days begin. Default: UTC.",
        "limit": "Windows of one page of a list or Table; metadata.continue asks for the next.",
        "continue": "What the page before gave: the windows that follow. 410 where it has expired.",
        FORMAT: "report: the document of `aicost explain -o json`.",
    },
)
