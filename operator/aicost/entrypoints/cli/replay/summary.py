"""What a replay did, added up window by window."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aicost.domain.exact.windows import HOUR_MS, Window, to_rfc3339
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.rows import HELD, Component, Row
from aicost.usecases.close_windows import WindowClosed

_SHOWN = 20


@dataclass(slots=True)
class ReplaySummary:
    """What was replayed.

    Attributes:
        posted, there: windows that were posted, and those that were in the ledger already, with the same rows.
        pods: uids of pods that hold something.
        cost_nanos: by currency.
        gpu_milliseconds, held_milliseconds: device time in all, and what pods held of it.
        labelled_milliseconds: what of the held time has a team.
        unpriced: node -> what is missing.
        defects: what was wrong with samples, by kind; padding is counted in each window that it belongs to.
        ignored: kinds that say nothing about cost.
        problems: objects that were passed over.
        remarks: what is odd and no error.
    """

    cluster: str
    window: Window
    events: int = 0
    samples: int = 0
    posted: int = 0
    there: int = 0
    pods: set[str] = field(default_factory=set)
    nodes: set[str] = field(default_factory=set)
    rows: int = 0
    cost_nanos: Counter[str] = field(default_factory=Counter)
    gpu_milliseconds: int = 0
    held_milliseconds: int = 0
    labelled_milliseconds: int = 0
    device_milliseconds: int = 0
    measured_milliseconds: int = 0
    priced_milliseconds: int = 0
    unbalanced_nanos: int = 0
    unpriced: dict[str, str] = field(default_factory=dict)
    defects: Counter[str] = field(default_factory=Counter)
    unplaced: set[str] = field(default_factory=set)
    ignored: Mapping[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, one: WindowClosed) -> None:
        """Count one window."""
        statement = one.computed.statement
        self.posted, self.there = self.posted + one.posted, self.there + (not one.posted)
        self.device_milliseconds += statement.device_milliseconds
        self.measured_milliseconds += statement.measured_milliseconds
        self.priced_milliseconds += statement.priced_milliseconds
        self.unbalanced_nanos += statement.unbalanced_nanos
        for missing in statement.unpriced:
            self.unpriced[missing.node] = missing.reason
        for row in statement.rows:
            self._count(row)
        for kind, found in asdict(one.computed.defects).items():
            if isinstance(found, int):
                self.defects[kind] += found
        self.unplaced.update(one.computed.defects.unplaced_devices)

    def _count(self, row: Row) -> None:
        self.rows += 1
        if row.cost_nanos is not None:
            self.cost_nanos[row.currency] += row.cost_nanos
        if row.place.node:
            self.nodes.add(row.place.node)
        if row.holder.pod_uid:
            self.pods.add(row.holder.pod_uid)
        if row.component is Component.GPU:
            self.gpu_milliseconds += row.gpu_milliseconds
            if row.bucket in HELD:
                self.held_milliseconds += row.gpu_milliseconds
                if Dimension.TEAM.value in row.holder.dimensions:
                    self.labelled_milliseconds += row.gpu_milliseconds

    def document(self) -> dict[str, Any]:
        """The summary for programs: integers, and shares as parts per million."""
        return {
            "cluster": self.cluster,
            "window": {"from": to_rfc3339(self.window.start_ms), "to": to_rfc3339(self.window.end_ms)},
            "events": self.events,
            "samples": self.samples,
            "windowsPosted": self.posted,
            "windowsThereAlready": self.there,
            "rows": self.rows,
            "pods": len(self.pods),
            "nodes": len(self.nodes),
            "gpuMilliseconds": self.gpu_milliseconds,
            "heldMilliseconds": self.held_milliseconds,
            "costNanos": {currency: str(nanos) for currency, nanos in sorted(self.cost_nanos.items())},
            "unbalancedNanos": self.unbalanced_nanos,
            "telemetryCoveragePpm": ppm(self.measured_milliseconds, self.device_milliseconds),
            "priceCoveragePpm": ppm(self.priced_milliseconds, self.device_milliseconds),
            "labelCoveragePpm": ppm(self.labelled_milliseconds, self.held_milliseconds),
            "unpricedNodes": dict(sorted(self.unpriced.items())),
            "sampleDefects": {kind: count for kind, count in sorted(self.defects.items()) if count},
            "unplacedDevices": sorted(self.unplaced),
            "ignoredKinds": dict(self.ignored),
            "passedOver": self.problems,
            "remarks": self.remarks,
        }


def ppm(part: int, whole: int) -> int | None:
    """A share in parts per million; None of nothing."""
    return part * 1_000_000 // whole if whole else None


def hours(milliseconds: int) -> str:
    """Device time as people read it."""
    return f"{milliseconds / HOUR_MS:,.2f}"
