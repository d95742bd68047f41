"""The samples of a bundle, as a telemetry source (port `TelemetrySource`)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from aicost.adapters.bundle.columns import Columns, SeriesId
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.sampling.dialects import HELP_DECIDES, METRICS, Dialect, Unit
from aicost.domain.sampling.scrapes import targets_of
from aicost.domain.sampling.series import Millis, RawSeries

UP = "up"
_NAMES = frozenset((UP, *METRICS))
DEFAULT_INTERVAL_MS = 30 * SECOND_MS
"""Where a bundle says nothing and has no two samples of one series."""
_FORCED: dict[Unit, str] = {
    Unit.PERCENT: "in percent",
    Unit.RATIO: "as a ratio",
    Unit.MEBIBYTES: "in MiB",
    Unit.BYTES: "in bytes",
    Unit.MILLIJOULES: "in mJ",
    Unit.JOULES: "in joules",
}
"""What a HELP text would say, where the bundle names the dialect."""


@dataclass(frozen=True, slots=True)
class BundleSamples:
    """The samples of all files.

    Attributes:
        columns: all samples, by series and time.
        interval_ms: time between samples that the source aimed at.
        dialect: how the exporters speak, where the bundle says so.
    """

    columns: Columns
    interval_ms: int
    dialect: Dialect | None = None

    def samples(self, span: Window) -> Sequence[RawSeries]:
        """All samples with a time in the half-open span."""
        inside = self.columns.within(span, _NAMES)
        up = [one.labels for one, at_ms, _ in inside if one.name == UP and len(at_ms)]
        every = [(one, at_ms, value) for one, at_ms, value in inside if one.name != UP]
        targets = targets_of(up, [one.labels for one, _, _ in every])
        found = []
        for one, at_ms, value in every:
            target = targets.of(one.labels)
            found.append(RawSeries(one.name, one.labels, at_ms, value, target.node, target.pod, self._help(one)))
        return found

    def _help(self, one: SeriesId) -> str:
        """What tells the unit: the dialect that the bundle names, else the HELP text of the file."""
        metric = self.dialect.metrics.get(one.name) if self.dialect and one.name in HELP_DECIDES else None
        return one.help if metric is None or metric.unit is None else _FORCED.get(metric.unit, one.help)


def interval_of(columns: Columns) -> int:
    """The usual distance of samples, read off a part of the series."""
    return usual_distance(at_ms for _, at_ms, _ in columns.some(200, METRICS)) or DEFAULT_INTERVAL_MS


def usual_distance(times: Iterable[Millis]) -> int | None:
    """The median distance of samples of one series; None where no series has two."""
    gaps = np.concatenate([np.zeros(0, np.int64), *(np.diff(np.sort(at_ms)) for at_ms in times)])
    usual = gaps[gaps > 0]
    return int(np.median(usual)) if len(usual) else None
