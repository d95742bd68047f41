"""The series as a resource: its names, its fields, and the parameters that a request understands."""

from aicost.crd.allocations.listing import Field
from aicost.crd.allocations.parameters import FORMAT, PARAMETERS, REPORT_FORMAT
from aicost.crd.coverage.resources import Served
from aicost.domain.budgets.simulation.columns import KIND, PLURAL
from aicost.usecases.budgets.simulate import MOST_ENTRIES

MOST_LISTED = 100_000
"""Groups times windows in a list of objects, each of which names its windows; the document in columns takes more."""
SERIES = Served(
    plural=PLURAL,
    kind=KIND,
    short_name="series",
    about=(
        "What a group of pods cost in each closed window of a time, computed from the ledger when it is asked for. "
        f"An answer has at most {MOST_LISTED:,} groups times windows, {MOST_ENTRIES:,} with {FORMAT}={REPORT_FORMAT}."
    ),
    fields=(
        Field("keys", "keys", "object", "Group key -> value of this group."),
        Field("currency", "currency", "string", "ISO 4217 code of all amounts; absent for what has no price."),
        Field("component", "component", "string", "Component of the cost: gpu, cpu, memory ..."),
        Field("held", "held", "boolean", "Whether pods held it; else it is what nobody held."),
        Field("cost", "cost", "string", "Cost of all windows, for people; `unpriced` where it has no price."),
        Field("costNanos", "cost_nanos", "integer", "The same in nano-units (10^-9); absent where it has no price."),
        Field("gpuHours", "gpu_hours", "string", "GPU-hours that pods held, as far as samples tell."),
        Field("gpuMilliseconds", "gpu_milliseconds", "integer", "The same in milliseconds."),
        Field("windows", "windows", "integer", "Windows in which it has a cost or held a GPU."),
        Field("costByWindow", "cost_by_window", "object", "Start of a window -> cost in nano-units."),
        Field("gpuMillisecondsByWindow", "gpu_by_window", "object", "Start of a window -> device time."),
    ),
    parameters={
        "window": "The time to look at: last-month, 7d, 2026-10, FROM/TO. Default: month-to-date.",
        **{name: PARAMETERS[name] for name in ("by", "filter", "timeZone")},
        "limit": "Groups to list, the costliest first.",
        FORMAT: f"{REPORT_FORMAT}: everything in columns, as `aicost budget simulate` reads it.",
    },
)
