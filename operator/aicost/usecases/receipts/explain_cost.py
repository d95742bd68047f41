"""The receipt of a figure: its rows in the ledger, what they rest on, and the same figure computed again from that."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row
from aicost.domain.receipts.comparing import added_up, compare
from aicost.domain.receipts.receipt import Basis, Posted, Receipt, WindowReceipt
from aicost.domain.receipts.subjects import Subject, SubjectKind
from aicost.domain.receipts.tracing import Trace, trace
from aicost.ports.errors import InvalidRequest
from aicost.ports.inputs import InputStore, Replayer
from aicost.usecases.receipts.posted_inputs import ExplainedLedger, FindInputs, InputsMissing, Needed

AT_ONCE = 24
"""Windows whose inputs are in memory at once."""
_ALTERED = "the stored inputs of revision {revision} are not those that were posted: they were altered or replaced"


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A window before it is computed again.

    Attributes:
        beside: all rows of the nodes in question.
        needs: the inputs that they rest on.
    """

    receipt: WindowReceipt
    beside: Sequence[Row]
    needs: Sequence[Needed]


@dataclass(frozen=True, slots=True)
class ExplainCost:
    """Make receipts.

    Attributes:
        ledger: one moment of the ledger.
        inputs: what its postings rest on.
        replay: computes statements again, where the ledger's amounts cannot be seen.
    """

    cluster: str
    ledger: ExplainedLedger
    inputs: InputStore
    replay: Replayer

    def __call__(self, subject: Subject, span: Window, detail: Window | None = None) -> Receipt:
        """Explain what a subject cost.

        Args:
            subject: what it is about.
            span: the time; windows that share time with it are explained as a whole.
            detail: a window to show in detail; None for the one that cost most.

        Raises:
            InvalidRequest: the ledger knows nothing of it in that time.
            InputsDamaged: what was kept is not what was posted, or a newer aicost wrote it.
            ReplayFailed: it could not be computed again.
            LedgerUnavailable: the ledger cannot be read.
        """
        # 1. The rows, by window.
        found = self.ledger.picked(span, subject.columns, cluster=self.cluster)
        mine: dict[Window, list[Row]] = defaultdict(list)
        for row in found:
            if subject.owns(row):
                mine[row.window].append(row)
        provisional = self._open(subject, span)
        if not mine and not provisional:
            raise InvalidRequest(self._nothing(subject, span, found))
        # 2. Each window computed again, some at a time.
        shown = _detail(mine, detail)
        windows: list[WindowReceipt] = []
        waiting = iter(sorted(mine.items()))
        while some := list(islice(waiting, AT_ONCE)):
            windows += self._explain(subject, some, shown)
        return Receipt(subject, self.cluster, span, tuple(windows), provisional)

    def _open(self, subject: Subject, span: Window) -> tuple[WindowReceipt, ...]:
        rows = self.ledger.rows(span, cluster=self.cluster, provisional=True)
        mine: dict[Window, list[Row]] = defaultdict(list)
        for row in rows:
            if subject.owns(row):
                mine[row.window].append(row)
        return tuple(WindowReceipt(window, None, (), tuple(own)) for window, own in sorted(mine.items()))

    def _nothing(self, subject: Subject, span: Window, near: Sequence[Row]) -> str:
        """Why there is nothing to explain, and what might have been meant."""
        told = f"{subject}: the ledger of cluster {self.cluster!r} has no row of it in {span}"
        if subject.namespace and subject.kind is SubjectKind.POD:
            near = self.ledger.picked(span, {"namespace": (subject.namespace,)}, cluster=self.cluster)
        names = sorted({_name(subject, row) for row in near if row.holder.namespace == subject.namespace} - {""})
        if names:
            return f"{told}. It has {', '.join(names[:5])}" + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        summed = any(row.holder.namespace == subject.namespace and not row.holder.pod for row in near)
        note = ". Pods that are no AI workload are summed by namespace and node" if summed and subject.namespace else ""
        return f"{told}{note}. Look at --window, and at the names in `aicost report --by namespace,pod,node`"

    def _explain(
        self, subject: Subject, some: Sequence[tuple[Window, list[Row]]], shown: Window | None
    ) -> Iterator[WindowReceipt]:
        """Explain a few windows: read what they rest on, compute all of it again in one go, compare."""
        beside = self._beside(some)
        prepared = [self._prepare(window, rows, beside[window]) for window, rows in some]
        asked = [needed.given for one in prepared for needed in one.needs]
        answers = iter(self.replay(asked) if asked else ())
        for one in prepared:
            again = [row for needed in one.needs for row in needed.of_these(next(answers))]
            yield _compared(subject, one, again, detail=one.receipt.window == shown)

    def _beside(self, some: Sequence[tuple[Window, list[Row]]]) -> Mapping[Window, Sequence[Row]]:
        """All rows of the nodes that a few windows are about, asked for at once."""
        nodes = {window: {row.place.node for row in rows} for window, rows in some}
        span = Window(some[0][0].start_ms, max(window.end_ms for window in nodes))
        found: dict[Window, list[Row]] = {window: [] for window in nodes}
        for row in self.ledger.picked(span, {"node": set().union(*nodes.values())}, cluster=self.cluster):
            if row.place.node in nodes.get(row.window, ()):
                found[row.window].append(row)
        return found

    def _prepare(self, window: Window, rows: Sequence[Row], beside: Sequence[Row]) -> _Prepared:
        """What a window rests on, and what is known without computing it again."""
        revision = self.ledger.revision(self.cluster, window)
        receipt = WindowReceipt(window, revision, tuple(self._posted(window, rows)), added_up(rows))
        try:
            needs = FindInputs(self.cluster, self.ledger, self.inputs)(window, revision or 0, beside)
        except InputsMissing as missing:
            return _Prepared(replace(receipt, not_replayed=str(missing)), beside, [])
        wrong = [needed.revision for needed in needs if needed.altered]
        altered = _ALTERED.format(revision=wrong[0]) if wrong else ""
        return _Prepared(replace(receipt, altered=altered), beside, needs)

    def _posted(self, window: Window, rows: Sequence[Row]) -> Iterator[Posted]:
        by_revision: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            by_revision[row.revision].append(row)
        for revision, own in sorted(by_revision.items()):
            cost: Counter[str] = Counter()
            for row in own:
                cost[row.currency] += row.cost_nanos or 0
            kept = self.ledger.inputs_of(self.cluster, window, revision) is not None
            yield Posted(revision, own[0].reason, len(own), {key: cost[key] for key in sorted(cost) if key}, kept)


def _compared(subject: Subject, one: _Prepared, again: Sequence[Row], *, detail: bool) -> WindowReceipt:
    """The receipt of a window with what came out, and how."""
    if not one.needs:
        return one.receipt
    basis = Basis(
        {node: needed.revision for needed in one.needs for node in sorted(needed.nodes)},
        tuple(sorted({needed.software for needed in one.needs})),
        sum(len(series.at_ms) for needed in one.needs for series in needed.given.telemetry.series),
    )
    return replace(
        one.receipt,
        basis=basis,
        unequal=compare(one.beside, again),
        recomputed=tuple(row for row in again if subject.owns(row)),
        trace=_trace(subject, one.receipt.rows, one.needs) if detail else None,
    )


def _detail(mine: Mapping[Window, Sequence[Row]], asked: Window | None) -> Window | None:
    """The window to show in detail: the one that is asked for, else the one that cost most, or ran longest."""
    if asked is not None:
        return next((window for window in sorted(mine) if window.overlap(asked)), None)

    def size(window: Window) -> tuple[int, int, int]:
        rows = mine[window]
        return sum(row.cost_nanos or 0 for row in rows), sum(row.gpu_milliseconds for row in rows), window.start_ms

    return max(mine, key=size, default=None)


def _trace(subject: Subject, rows: Sequence[Row], needs: Sequence[Needed]) -> Trace:
    """How the amounts of a window came about, for the devices of the subject."""
    devices = frozenset(row.place.device for row in rows)
    wanted: Callable[[str], bool] = devices.__contains__
    if subject.kind is SubjectKind.NODE:
        wanted = lambda _: True  # noqa: E731 -- a node is shown with all its devices
    traces = [trace(needed.own, wanted) for needed in needs]
    first = traces[0]
    return replace(
        first,
        prices=tuple(one for each in traces for one in each.prices),
        samples=tuple(one for each in traces for one in each.samples),
        devices=tuple(one for each in traces for one in each.devices),
        hosts=tuple(one for each in traces for one in each.hosts),
        claims=tuple(one for each in traces for one in each.claims),
    )


def _name(subject: Subject, row: Row) -> str:
    """How a row would have to be called to be found as a subject of the kind."""
    if subject.kind is SubjectKind.POD:
        return f"{row.holder.namespace}/{row.holder.pod}" if row.holder.pod else ""
    if subject.kind is SubjectKind.WORKLOAD:
        name = row.holder.workload or row.holder.controller
        return f"{row.holder.namespace}/{name}" if name else ""
    return ""
