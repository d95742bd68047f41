"""What runs of training show in a bundle (port `TrainingSource`)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from aicost.adapters.bundle.bundle import Bundle
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import RawSeries
from aicost.ports.measured.units import Counter

_ALWAYS = Window(0, 2**62)


@dataclass(frozen=True)
class BundleTraining:
    """The metrics that people named, read once when they are first asked for.

    Attributes:
        names: all that will be asked for.
    """

    bundle: Bundle
    names: Collection[str]

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[RawSeries]]:
        found: dict[str, list[RawSeries]] = defaultdict(list)
        for one in self.bundle.series(self.names, _ALWAYS) if self.names else ():
            found[one.name].append(one)
        return found

    def series(self, namespace: str, counter: Counter, span: Window) -> Sequence[RawSeries]:
        """All samples in a half-open span of what a namespace shows; see the port."""
        mine = [one for one in self._by_name.get(counter.metric, ()) if _belongs(one, namespace, counter)]
        return [part for one in mine if len((part := _cut(one, span)).at_ms)]


def _belongs(one: RawSeries, namespace: str, counter: Counter) -> bool:
    told = one.labels.get("exported_namespace") or one.labels.get("namespace", "")
    return told == namespace and all(one.labels.get(name, "") == value for name, value in counter.labels.items())


def _cut(one: RawSeries, span: Window) -> RawSeries:
    inside = (one.at_ms >= span.start_ms) & (one.at_ms < span.end_ms)
    return RawSeries(one.name, one.labels, one.at_ms[inside], one.value[inside])
