"""Read what a simulation needs of a ledger: cost by group and window, a few days at a time, and never too much."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.budgets.simulation.history import KEYS
from aicost.domain.budgets.simulation.record import Record, joined, record_of
from aicost.domain.budgets.simulation.simulate import needed, simulate
from aicost.domain.budgets.simulation.values import Simulation
from aicost.domain.budgets.spend.scopes import Scope
from aicost.domain.exact.windows import DAY_MS, Window
from aicost.domain.reporting.keys import check_keys
from aicost.domain.reporting.spans import LONGEST_DAYS, parse_span
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader

MOST_ENTRIES = 1_000_000
"""Groups times windows with a cost, of one answer: a month of a thousand workloads by the hour fits."""
_SLICE_MS = 2 * DAY_MS
"""Time that is read at once: columns of all groups of a long time, most of them empty, would take too much memory."""


@dataclass(frozen=True, slots=True)
class SeriesQuestion:
    """What is asked of a ledger.

    Attributes:
        keys: keys to tell cost apart by.
        filters: key -> accepted values; all must match.
    """

    span: Window
    keys: tuple[str, ...]
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def series_question(
    window: str, keys: Sequence[str], filters: Mapping[str, tuple[str, ...]], now_ms: int, zone: str = "UTC"
) -> SeriesQuestion:
    """A question as people write it.

    Raises:
        InvalidRequest: it makes no sense; the message names the field, the value and the fix.
    """
    try:
        check_keys(keys, "by")
        check_keys(filters, "filter")
        return SeriesQuestion(parse_span(window, now_ms, zone), tuple(keys), filters)
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem


def read_record(reader: LedgerReader, asked: SeriesQuestion, *, cluster: str) -> Record:
    """Cost by group and window, of the closed windows that lie wholly inside the span.

    Args:
        reader: a snapshot of the ledger.
        asked: what to read. The answer tells cost apart by the keys that are filtered by, too.
        cluster: the cluster to look at.

    Raises:
        InvalidRequest: it is too much for one answer.
        LedgerUnavailable: the ledger cannot be read.
    """
    keys, covered = keys_of(asked), _covered(reader, asked.span, cluster)
    parts: list[Record] = []
    entries = 0
    for span in _slices(covered):
        part = record_of(reader.series(span, keys, cluster=cluster), asked.filters)
        parts.append(part)
        entries += part.entries
        if entries > MOST_ENTRIES:
            raise InvalidRequest(
                f"window: {asked.span} by {', '.join(keys)} is too much for one answer: more than {MOST_ENTRIES:,} "
                "groups times windows have a cost; ask for a shorter time, by fewer keys, or filter"
            )
    return joined(keys, parts, covered)


def keys_of(asked: SeriesQuestion) -> tuple[str, ...]:
    """The keys that an answer tells cost apart by."""
    return tuple(dict.fromkeys([*asked.keys, *asked.filters]))


def question_for(plan: BudgetPlan, scope: Scope, span: Window) -> SeriesQuestion:
    """What has to be asked to simulate a budget over a span.

    Namespaces are left to the ledger, so that no more is read than counts. What is further back than any report may ask
    for is left out: the simulation begins where the answer does.
    """
    wanted = needed(plan, span)
    start_ms = max(wanted.start_ms, wanted.end_ms - LONGEST_DAYS * DAY_MS)
    filters = {key: tuple(sorted(values)) for key, values in scope.filters if key in {"namespace", "cluster"}}
    return SeriesQuestion(Window(start_ms, wanted.end_ms), tuple(dict.fromkeys([*scope.keys, *KEYS])), filters)


def simulate_budget(plan: BudgetPlan, scope: Scope, record: Record, span: Window, *, acts: bool) -> Simulation:
    """Run a budget against a record.

    Raises:
        InvalidRequest: nothing is known of the span, or the budget has no period in it.
    """
    found = simulate(plan, scope, record, span, acts=acts)
    if found is None:
        known = f"what it knows there is {record.covered}" if record.covered else "it knows nothing there"
        raise InvalidRequest(
            f"window: the ledger has no cost for a period of {plan.ref} in {span}, {known}: ask for another time"
        )
    return found


def _covered(reader: LedgerReader, span: Window, cluster: str) -> Window | None:
    """The part of the span that whole windows of the ledger answer for."""
    first, last = reader.first_window(cluster), reader.last_window(cluster)
    part = Window(first.start_ms, last.end_ms).overlap(span) if first and last else None
    if part is None or last is None:
        return None
    length = last.length_ms
    start_ms, end_ms = -(-part.start_ms // length) * length, part.end_ms // length * length
    return Window(start_ms, end_ms) if start_ms < end_ms else None


def _slices(span: Window | None) -> Iterator[Window]:
    """Stretches of the span that begin and end at midnight in UTC, as no window lies across it."""
    if span is None:
        return
    start_ms = span.start_ms
    while start_ms < span.end_ms:
        end_ms = min(start_ms - start_ms % DAY_MS + _SLICE_MS, span.end_ms)
        yield Window(start_ms, end_ms)
        start_ms = end_ms
