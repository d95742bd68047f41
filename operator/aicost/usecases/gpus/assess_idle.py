"""Say why idle GPUs were idle, from the ledger and from what its rows rest on."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aicost.domain.attribution.window import WindowInput
from aicost.domain.exact.windows import Window
from aicost.domain.idle.assessing import PodOnDevice, assess, place_of
from aicost.domain.idle.slices import Slices, series_of, slices_of
from aicost.domain.idle.values import IdleReport
from aicost.domain.inventory.pods import PodRecord
from aicost.domain.ledger.rows import Bucket, Component, Method, Row
from aicost.domain.sampling.series import DeviceSeries
from aicost.ports.inputs import InputStore
from aicost.usecases.receipts.posted_inputs import ExplainedLedger, FindInputs, InputsMissing

_HELD = frozenset({Bucket.USED, Bucket.ALLOCATED_IDLE, Bucket.ALLOCATED_UNMEASURED})
"""Rows of pods that a workload's load is read from: also of those that were never idle."""


@dataclass(frozen=True, slots=True)
class AssessIdle:
    """Divide the idle money of one cluster into its kinds.

    Attributes:
        ledger: one moment of the ledger.
        inputs: what its postings rest on.
    """

    cluster: str
    ledger: ExplainedLedger
    inputs: InputStore

    def __call__(self, span: Window, namespace: str | None = None) -> IdleReport:
        """Assess a span.

        Args:
            span: the time; windows that lie wholly inside of it count.
            namespace: the one namespace whose pods count; None for all, and for what nobody held.

        Raises:
            InputsDamaged: what was kept is not what was posted, or a newer aicost wrote it.
            LedgerUnavailable: the ledger cannot be read.
        """
        every: list[Row] = []
        samples: dict[PodOnDevice, Slices] = {}
        notes: dict[str, None] = {}
        windows = [one for one in self.ledger.windows(span, cluster=self.cluster) if _inside(one, span)]
        for window in windows:
            # 1. The rows of one window.
            rows = [row for row in self.ledger.rows(window, cluster=self.cluster) if _counts(row, window, namespace)]
            every += rows
            # 2. What samples say of the pods in it.
            try:
                samples |= dict(self._samples(window, rows))
            except InputsMissing as missing:
                notes[f"allocated-idle was not divided where samples are gone: {missing}"] = None
        # 3. Everything together: what a workload's replicas can do shows over the whole span.
        return assess(every, samples, span, sum(one.length_ms for one in windows), tuple(notes))

    def _samples(self, window: Window, rows: Sequence[Row]) -> Iterator[tuple[PodOnDevice, Slices]]:
        held = [row for row in rows if row.bucket in _HELD and row.holder.pod]
        if not any(row.bucket is Bucket.ALLOCATED_IDLE for row in held):
            return
        revision = self.ledger.revision(self.cluster, window) or 0
        for needed in FindInputs(self.cluster, self.ledger, self.inputs)(window, revision, held):
            yield from _slices(needed.given, window, needed.of_these(held))


def _inside(window: Window, span: Window) -> bool:
    return span.start_ms <= window.start_ms and window.end_ms <= span.end_ms


def _counts(row: Row, window: Window, namespace: str | None) -> bool:
    wanted = namespace is None or row.holder.namespace == namespace
    return wanted and row.window == window and row.component is Component.GPU


def _slices(given: WindowInput, window: Window, rows: Sequence[Row]) -> Iterator[tuple[PodOnDevice, Slices]]:
    """Each pod on each device, cut into slices."""
    holds = {_name(record): record.holding(window) for record in given.facts.pods}
    by_device: dict[str, list[DeviceSeries]] = defaultdict(list)
    for one in given.telemetry.series:
        by_device[one.device].append(one)
    shared = {place_of(row) for row in rows if row.method is not Method.EXCLUSIVE}
    for place in dict.fromkeys(map(place_of, rows)):
        hold = holds.get((place.namespace, place.pod, place.pod_uid))
        series = series_of(by_device.get(place.device, ()), place.device, [(place.namespace, place.pod)])
        if hold is not None and series:
            yield place, slices_of(series, hold, window, alone=place not in shared)


def _name(record: PodRecord) -> tuple[str, str, str]:
    return record.facts.namespace, record.facts.name, record.facts.uid
