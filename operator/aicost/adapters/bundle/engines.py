"""The counters of engines and gateways in a bundle (port `EngineSource`)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from aicost.adapters.bundle.bundle import Bundle
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.placement import PodName
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.wanted import WANTED

_ALWAYS = Window(0, 2**62)


@dataclass(frozen=True)
class BundleEngines:
    """All counters of a bundle, read once when they are first asked for."""

    bundle: Bundle

    @cached_property
    def _all(self) -> Sequence[RawSeries]:
        return self.bundle.series(WANTED, _ALWAYS)

    @property
    def known(self) -> bool:
        """Whether there is any."""
        return bool(self._all)

    def series(self, span: Window) -> Sequence[RawSeries]:
        """All samples of a span; see the port."""
        return [part for one in self._all if len((part := _cut(one, span)).at_ms)]

    def before(self, pods: Collection[PodName], span: Window) -> Sequence[RawSeries]:
        """The last samples of some pods in a span; see the port."""
        mine = [one for one in self._all if (one.labels.get("namespace"), one.labels.get("pod")) in pods]
        cut = (_cut(one, span) for one in mine)
        return [RawSeries(one.name, one.labels, one.at_ms[-1:], one.value[-1:]) for one in cut if len(one.at_ms)]


def _cut(one: RawSeries, span: Window) -> RawSeries:
    inside = (one.at_ms >= span.start_ms) & (one.at_ms < span.end_ms)
    return RawSeries(one.name, one.labels, one.at_ms[inside], one.value[inside])
