"""What a replay did, on the screen."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from shlex import quote

from aicost.crd.status.texts import counted, money, share
from aicost.domain.exact.windows import describe_length, to_rfc3339
from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.replay.summary import ReplaySummary, hours
from aicost.entrypoints.cli.terminal import Style, Terminal

_SHOWN = 5


def replay_screen(done: ReplaySummary, ledger: str, terminal: Terminal) -> str:
    """The summary as text."""
    title = f"Cluster {done.cluster}, {to_rfc3339(done.window.start_ms)} to {to_rfc3339(done.window.end_ms)}"
    length = describe_length(done.window.length_ms)
    lines = [terminal.paint(f"{title} ({length})", Style.HEAD)]
    return "\n".join([*lines, *fact_lines(_facts(done, ledger), terminal)])


def _facts(done: ReplaySummary, ledger: str) -> Iterator[Fact]:
    yield "Windows", _windows(done, ledger), Style.PLAIN
    yield "Read", f"{counted(done.events, 'event')}, {counted(done.samples, 'sample')}", Style.PLAIN
    held = counted(len(done.pods), "pod that held", "pods that held")
    yield "Found", f"{counted(len(done.nodes), 'node')}, {held} something", Style.PLAIN
    held = hours(done.held_milliseconds)
    yield "GPU-hours", f"{hours(done.gpu_milliseconds)}, of them {held} held by pods", Style.PLAIN
    costs = [f"{money(nanos, currency)}" for currency, nanos in sorted(done.cost_nanos.items())]
    yield "Cost", "   ".join(costs) or "not known", Style.PLAIN
    yield "Coverage", "   ".join(_coverages(done)), Style.PLAIN
    yield from _cautions(done)
    span = f"{to_rfc3339(done.window.start_ms)}..{to_rfc3339(done.window.end_ms)}"
    yield "Look at it", f"aicost report --ledger {quote(ledger)} --window {span}", Style.PLAIN


def _windows(done: ReplaySummary, ledger: str) -> str:
    there = f", {done.there} in it already with the same rows" if done.there else ""
    return f"{done.posted} posted to {ledger}{there}"


def _coverages(done: ReplaySummary) -> Iterator[str]:
    parts = (
        ("telemetry", done.measured_milliseconds, done.device_milliseconds),
        ("price", done.priced_milliseconds, done.device_milliseconds),
        ("label team", done.labelled_milliseconds, done.held_milliseconds),
    )
    for name, part, whole in parts:
        yield f"{name} {share(part, whole) or '-'}".replace(" ", "\u00a0")


def _cautions(done: ReplaySummary) -> Iterator[Fact]:
    """What makes the figures smaller or rougher than they look."""
    unpriced = _by_reason(done.unpriced)
    for reason, nodes in unpriced[:_SHOWN]:
        others = f" and {len(nodes) - 1:,} more" if len(nodes) > 1 else ""
        yield "Unpriced", f"{nodes[0]}{others}: {reason}", Style.WARN
    yield from _more("Unpriced", len(unpriced), "reasons")
    if done.unbalanced_nanos:
        yield "Unbalanced", f"{done.unbalanced_nanos} nanos: a bug, please report it with this bundle", Style.WARN
    defects = [f"{kind.replace('_', ' ')} {count:,}" for kind, count in sorted(done.defects.items()) if count]
    if defects:
        yield "Samples", f"mended or left out: {', '.join(defects)}", Style.PLAIN
    if done.unplaced:
        yield "Unplaced", f"devices whose node is not known: {', '.join(sorted(done.unplaced)[:_SHOWN])}", Style.WARN
    if done.ignored:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in done.ignored.items())
        yield "Ignored", f"kinds that say nothing about cost: {kinds}", Style.PLAIN
    for problem in done.problems[:_SHOWN]:
        yield "Passed over", problem, Style.WARN
    yield from _more("Passed over", len(done.problems), "objects")
    for remark in done.remarks:
        yield "Note", remark, Style.PLAIN


def _by_reason(unpriced: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """What is missing, with the nodes that lack it, the commonest first: a reason names its own node and is cut so."""
    found: dict[str, list[str]] = defaultdict(list)
    for node, reason in sorted(unpriced.items()):
        found[reason.partition(". ")[0].replace(f" for node {node}", "")].append(node)
    return sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))


def _more(label: str, count: int, what: str) -> Iterator[Fact]:
    if count > _SHOWN:
        yield label, f"and {count - _SHOWN} more {what}: -o json shows all", Style.WARN
