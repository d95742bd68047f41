"""What pods use of CPU and memory, by the kubelet's series in a bundle (port `UsageSource`)."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from aicost.adapters.bundle.columns import Columns, SeriesId
from aicost.domain.attribution.resources.kubelet import (
    CPU,
    IDENTITY,
    MEMORY,
    PAUSE,
    STEP_MS,
    Container,
    container_of,
    increases,
    means,
    moments_of,
    pods_of,
    readings_of,
    told_by,
)
from aicost.domain.attribution.resources.observed import NOTHING_OBSERVED, Observations
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.series import Millis, Values

_Series = tuple[SeriesId, Millis, Values]


@dataclass(frozen=True, slots=True)
class BundleUsage:
    """The same questions that a Prometheus is asked, answered from raw samples."""

    columns: Columns

    def observed(self, span: Window) -> Observations:
        """What pods used in a span; nothing is known of it where the bundle holds no such series."""
        moments = moments_of(span)
        around = self.columns.within(Window(moments[0] - STEP_MS, moments[-1] + 1), (CPU, MEMORY))
        if not around:
            return NOTHING_OBSERVED
        counters = [(one, at_ms, _grown(value)) for one, at_ms, value in _of_containers(around, CPU)]
        cpu = readings_of(told_by(_at(moments, counters, _last, max)), moments)
        memory = readings_of(told_by(_at(moments, _of_containers(around, MEMORY), _mean, np.mean)), moments)
        return Observations(tuple(pods_of(increases(cpu, moments), means(memory, moments))))


def _of_containers(series: list[_Series], metric: str) -> list[_Series]:
    """The series of containers; the pods' own rows where there are none of containers."""
    mine = [one for one in series if one[0].name == metric]
    containers = [one for one in mine if one[0].labels.get("container", PAUSE) != PAUSE]
    return containers or [one for one in mine if "container" not in one[0].labels and "pod" in one[0].labels]


def _at(
    moments: list[int],
    series: list[_Series],
    value_of: Callable[[Values], float],
    among: Callable[[list[float]], float],
) -> Iterator[tuple[Container, Millis, Values]]:
    """Values of all containers at each moment; of several series of one container as the server would be asked."""
    same: defaultdict[tuple[str, ...], defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    containers: dict[tuple[str, ...], Container] = {}
    for one, at_ms, value in series:
        container = container_of(one.labels)
        if container is not None:
            identity = tuple(one.labels.get(name, "") for name in IDENTITY)
            containers[identity] = container
            for moment, found in _pieces(moments, at_ms, value, value_of):
                same[identity][moment].append(found)
    for identity, by_moment in same.items():
        value = np.array([float(among(values)) for values in by_moment.values()])
        yield containers[identity], np.array(list(by_moment), np.int64), value


def _pieces(
    moments: list[int], at_ms: Millis, value: Values, value_of: Callable[[Values], float]
) -> Iterator[tuple[int, float]]:
    """The value at each moment, from the samples of the step before it, its end included."""
    usable = np.isfinite(value) & (value >= 0)
    at_ms, value = at_ms[usable], value[usable]
    for moment in moments:
        first, last = np.searchsorted(at_ms, (moment - STEP_MS, moment), side="right")
        if first < last:
            yield moment, value_of(value[first:last])


def _grown(value: Values) -> Values:
    """A counter that goes on where it began anew: between two ends of pieces nobody else would see that.

    It did where it fell to less than half. A counter that is read by two servers in turn falls too, and by very little.
    """
    known = np.flatnonzero(np.isfinite(value) & (value >= 0))
    fell = np.flatnonzero(value[known[1:]] < value[known[:-1]] / 2)
    lost = np.zeros(len(value))
    lost[known[fell + 1]] = value[known[fell]]
    return value + np.cumsum(lost)


def _last(values: Values) -> float:
    return float(values[-1])


def _mean(values: Values) -> float:
    return float(values.mean())
