"""Conditions: what is found now, why, and what a person can do about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from aicost.crd.convert.parsing import SpecProblem
from aicost.crd.fields.conditions import ConditionStatus
from aicost.crd.reasons import ConditionType, Reason
from aicost.crd.status.conditions import Statement
from aicost.crd.status.texts import gpu_hours, share
from aicost.domain.attribution.window import Unpriced
from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Grid, Window, to_rfc3339
from aicost.domain.identity.matching import Matching
from aicost.domain.pricing.defects import DefectKind
from aicost.domain.reporting.query import Amounts
from aicost.entrypoints.controller.state import PriceSourceState, SourceState

_YES, _NO, _OPEN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN
ENOUGH_PPM = 950_000
"""Telemetry coverage from which on device time counts as measured: starts and ends of pods always miss a sample."""
ENOUGH_MS = 3 * MINUTE_MS
"""Device time, and time since the ledger began, from which on it can be said that samples are missing: the first ones
come after a scrape or two."""
_SHOWN_ENTRIES = 3


def telemetry(parts: Sequence[Amounts], source: SourceState, watched_ms: int) -> Statement:
    """TelemetryAvailable: is there a source, and does it speak of these GPUs.

    Args:
        parts: sums of device time.
        source: where samples come from.
        watched_ms: time since the ledger began.
    """
    kind = ConditionType.TELEMETRY_AVAILABLE
    if not source.name:
        return Statement(kind, _NO, Reason.NO_SOURCE, source.looked_for or "Telemetry has not been looked for yet.")
    whole = sum(sum(part.gpu_milliseconds.values()) for part in parts)
    measured = sum(part.measured_milliseconds for part in parts)
    origin = source.origin
    if source.problem:
        text = f"Samples come from {origin}; it fails now: {source.problem}. Until it has samples, time is unmeasured."
        return Statement(kind, _NO, Reason.SOURCE_FAILS, text)
    missing = measured * 1_000_000 < whole * ENOUGH_PPM
    if missing and min(whole, watched_ms) < ENOUGH_MS:
        text = f"Samples come from {origin}; less than three minutes is too little to judge."
        return Statement(kind, _OPEN, Reason.WAITING, text)
    if whole and not measured:
        return Statement(
            kind, _NO, Reason.NO_SAMPLES,
            f"{origin} has no sample of these GPUs: check that an exporter runs on their nodes and shows "
            "DCGM_FI_PROF_GR_ENGINE_ACTIVE or DCGM_FI_DEV_GPU_UTIL. Their cost is allocated-unmeasured.",
        )  # fmt: skip
    if missing:
        text = (
            f"{share(measured, whole)} of the device time has samples from {origin}; the rest is unmeasured, not idle."
        )
        return Statement(kind, _NO, Reason.PARTLY_MEASURED, text)
    text = f"{share(measured, whole) or 'None'} of the device time has samples from {origin}."
    return Statement(kind, _YES, Reason.MEASURED, text)


@dataclass(frozen=True, slots=True)
class PriceFigures:
    """Device time in all and without a price, the cost, and the part of it that rests on list prices."""

    gpu_ms: int
    unpriced_ms: int
    cost_nanos: int
    listed_nanos: int

    @classmethod
    def of(cls, parts: Sequence[Amounts]) -> "PriceFigures":
        """Those of some sums together."""
        return cls(
            sum(sum(part.gpu_milliseconds.values()) for part in parts),
            sum(part.unpriced_gpu_milliseconds for part in parts),
            sum(part.cost_nanos for part in parts),
            sum(part.list_price_nanos for part in parts),
        )


def priced(found: PriceFigures, unpriced: Sequence[Unpriced]) -> Statement:
    """Priced: is there a price for all device time, and the entry to add where there is none."""
    kind, whole, missing = ConditionType.PRICED, found.gpu_ms, found.unpriced_ms
    if missing:
        reason = Reason.NOTHING_PRICED if missing >= whole else Reason.PARTLY_PRICED
        text = f"{gpu_hours(missing)} of {gpu_hours(whole)} GPU-hours have no price and are not in the cost."
        return Statement(kind, _NO, reason, f"{text} {_entries_to_add(unpriced)}".strip())
    if found.listed_nanos:
        text = (
            f"All device time has a price; {share(found.listed_nanos, found.cost_nanos)} of the cost rests "
            "on public list prices. Put what you pay into a PriceBook of your own: it goes before list prices."
        )
        return Statement(kind, _YES, Reason.LIST_PRICES, text)
    return Statement(kind, _YES, Reason.ALL_PRICED, "All device time has a price.")


def _entries_to_add(unpriced: Sequence[Unpriced]) -> str:
    """What to add, once per kind of node."""
    kinds: dict[str, list[str]] = {}
    for one in unpriced:
        kinds.setdefault(one.reason, []).append(one.node)
    shown = [f"Nodes {', '.join(nodes[:3])}{' ...' if len(nodes) > 3 else ''}: {why}" for why, nodes in kinds.items()]
    return "\n".join(shown[:_SHOWN_ENTRIES])


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the ledger has come.

    Attributes:
        last: the last closed window.
        problem: why windows cannot be closed now, empty where they can.
    """

    grid: Grid
    settle_ms: int
    epoch_ms: int
    last: Window | None
    problem: str

    def lag_ms(self, now_ms: int) -> int:
        """By how much the ledger is behind the last window that should be closed."""
        expected = self.grid.containing(max(0, now_ms - self.settle_ms)).start_ms
        reached = self.last.end_ms if self.last else self.grid.containing(self.epoch_ms).start_ms
        return max(0, expected - reached)


def fresh(progress: Progress, now_ms: int) -> Statement:
    """DataFresh: is the last closed window as recent as it can be."""
    kind, lag_ms = ConditionType.DATA_FRESH, progress.lag_ms(now_ms)
    if lag_ms > 2 * progress.settle_ms + progress.grid.length_ms or (lag_ms and progress.problem):
        since = to_rfc3339(progress.last.end_ms if progress.last else progress.epoch_ms)
        why = f": {progress.problem}" if progress.problem else "; the backlog is being worked off"
        return Statement(kind, _NO, Reason.STALE, f"No window was closed since {since}{why}")
    if progress.last is None:
        text = "No window was closed yet; the figures are those of the open window and may still change."
        return Statement(kind, _OPEN, Reason.NO_WINDOW_YET, text)
    return Statement(kind, _YES, Reason.FRESH, f"Windows are closed until {to_rfc3339(progress.last.end_ms)}.")


def reported() -> Statement:
    """Ready: the figures answer the spec."""
    return Statement(ConditionType.READY, _YES, Reason.REPORTED, "The figures answer the spec.")


def not_ready(reason: Reason, message: str) -> Statement:
    """Ready is false, and why."""
    return Statement(ConditionType.READY, _NO, reason, message)


def failed(kind: str, why: str, *, expected: bool) -> Statement:
    """Nothing could be computed for an object: Ready is false, of a price book Accepted.

    Args:
        kind: kind of the object.
        why: what went wrong.
        expected: the ledger cannot be read; otherwise it is a bug.
    """
    condition = ConditionType.ACCEPTED if kind == "PriceBook" else ConditionType.READY
    if expected:
        text = f"The ledger cannot be read, the figures are the last ones: {why}"
        return Statement(condition, _NO, Reason.LEDGER_UNAVAILABLE, text)
    text = f"This could not be computed ({why}) and is tried again each minute. The controller's log says more."
    return Statement(condition, _NO, Reason.INTERNAL_ERROR, text)


def window_valid() -> Statement:
    """WindowValid: the span can be reported."""
    return Statement(ConditionType.WINDOW_VALID, _YES, Reason.VALID, "The window can be reported.")


def window_invalid(reason: Reason, message: str) -> Statement:
    """WindowValid is false, and why."""
    return Statement(ConditionType.WINDOW_VALID, _NO, reason, message)


def window_problem(span: Window, words: str, ledger_from_ms: int) -> Statement | None:
    """WindowValid is false for a span that ends before the ledger begins; else None."""
    if span.end_ms <= ledger_from_ms:
        text = f"{words} ends at {to_rfc3339(span.end_ms)}; the ledger begins at {to_rfc3339(ledger_from_ms)}."
        return window_invalid(Reason.BEFORE_LEDGER, text)
    return None


def claimed(namespace: str, name: str, matching: Matching | None) -> Statement:
    """PodsClaimed: which pods an AIWorkload speaks for, and with whom it is in conflict."""
    kind, mine = ConditionType.PODS_CLAIMED, (namespace, name)
    if matching is None:
        return Statement(kind, _OPEN, Reason.WAITING, "Pods have not been matched yet.")
    for problem in matching.problems:
        if (problem.namespace, problem.workload) == mine:
            return Statement(kind, _NO, problem.kind, problem.message)
    conflicts = [one.message for one in matching.conflicts if (one.namespace, one.workload) == mine]
    if conflicts:
        return Statement(kind, _NO, Reason.CONFLICT, " ".join(conflicts))
    pods = sum((claim.namespace, claim.name) == mine for claim in matching.by_pod.values())
    return Statement(kind, _YES, Reason.CLAIMED, f"{pods} {'pod is' if pods == 1 else 'pods are'} claimed.")


def accepted(problems: Sequence[str]) -> Statement:
    """Accepted: all entries of a price book are usable, or which are left out and how to mend them."""
    if problems:
        return Statement(ConditionType.ACCEPTED, _NO, Reason.INVALID_ENTRY, " ".join(problems))
    return Statement(ConditionType.ACCEPTED, _YES, Reason.ACCEPTED, "All entries are usable.")


def overlapping(problems: Sequence[str]) -> Statement:
    """Overlapping: two entries of a price book match the same nodes at the same time."""
    if problems:
        return Statement(ConditionType.OVERLAPPING, _YES, DefectKind.OVERLAP, " ".join(problems))
    text = "At each moment at most one entry of each kind holds."
    return Statement(ConditionType.OVERLAPPING, _NO, Reason.NO_OVERLAP, text)


def nodes_priced(from_here: int, priced_nodes: int, unpriced: Sequence[Unpriced]) -> Statement:
    """Priced of a price book: do the books together price all GPU nodes that are there.

    Args:
        from_here: nodes that this book prices.
        priced_nodes: nodes that any book prices.
        unpriced: nodes that none does.
    """
    kind = ConditionType.PRICED
    if not unpriced:
        return Statement(kind, _YES, Reason.ALL_PRICED, f"All GPU nodes have a price, {from_here} of them from here.")
    reason = Reason.PARTLY_PRICED if priced_nodes else Reason.NOTHING_PRICED
    count = "1 GPU node has" if len(unpriced) == 1 else f"{len(unpriced)} GPU nodes have"
    return Statement(kind, _NO, reason, f"{count} no price. {_entries_to_add(unpriced)}")


def price_source(found: PriceSourceState, stale_ms: int, now_ms: int) -> Statement:
    """PriceSourceFresh of a book that was read from a URL: is it as it is published.

    Args:
        found: how the URL is doing.
        stale_ms: time without a reading after which prices are stale.
        now_ms: the present moment.
    """
    kind = ConditionType.PRICE_SOURCE_FRESH
    if not found.place:
        text = (
            "This book was read from a URL, and prices.http.url names none any more: its prices hold as they were. To "
            "keep it as your own take the label aicost.dev/price-source from it; to end its prices delete it."
        )
        return Statement(kind, _NO, Reason.NO_SOURCE, text)
    failing = f" The last try failed: {found.problem}." if found.problem else ""
    if found.read_ms is None:
        return Statement(kind, _OPEN, Reason.WAITING, f"{found.place} was not read yet.{failing}")
    since = to_rfc3339(found.read_ms // SECOND_MS * SECOND_MS)
    if now_ms - found.read_ms > stale_ms:
        text = f"{found.place} was last read at {since}; the prices of then hold.{failing}"
        return Statement(kind, _NO, Reason.STALE, text)
    return Statement(kind, _YES, Reason.FRESH, f"{found.place} is read regularly.{failing}")


def refused(problems: Sequence[SpecProblem]) -> tuple[Statement, ...]:
    """A report that cannot be computed: Ready says why, WindowValid if it is the window that is wrong."""
    message = "; ".join(str(problem) for problem in problems)
    ready = not_ready(Reason.INVALID_SPEC, message)
    fields = {problem.field for problem in problems}
    if "spec.timeZone" in fields:
        return ready, window_invalid(Reason.UNKNOWN_TIME_ZONE, message)
    if fields & {"spec.window", "spec.range"}:
        return ready, window_invalid(Reason.INVALID_WINDOW, message)
    return (ready,)
