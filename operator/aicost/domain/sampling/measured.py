"""Activity of devices, ready to be asked for any span: the samples of one padded window, by device."""

from collections.abc import Iterable, Sequence

import numpy as np

from aicost.domain.exact.windows import Window
from aicost.domain.sampling.integration import Coverage, Integral, cover_best
from aicost.domain.sampling.series import DeviceSeries, Millis, Parts, Signal, Telemetry

COST_SIGNALS = (Signal.ENGINE_ACTIVE, Signal.GPU_UTIL)
"""What utilisation for cost rests on, best first."""

DeviceKey = tuple[str, str | None]


class MeasuredActivity:
    """Activity of each device and MIG instance by the best signal that covers a moment.

    Coverage of a span is computed once and kept, so that many parts of a span are cheap.
    """

    __slots__ = ("_covered", "_interval_ms", "_samples")

    def __init__(self, telemetry: Telemetry, signals: Sequence[Signal] = COST_SIGNALS) -> None:
        self._interval_ms = telemetry.interval_ms
        self._samples = _by_device(telemetry.series, signals)
        self._covered: dict[tuple[DeviceKey, Window], Coverage | None] = {}

    def over(self, device: str, span: Window, part: Window, instance: str | None = None) -> Integral:
        """Integrate a part of a span in which the device's holders are constant.

        Args:
            device: UUID of the GPU.
            span: the whole time of the holder, beyond the billing window too.
            part: what to integrate; only its overlap with the span counts.
            instance: MIG instance, None for the whole GPU.
        """
        inside = part.overlap(span)
        coverage = self._coverage((device, instance), span)
        return Integral() if coverage is None or inside is None else coverage.over(inside)

    def _coverage(self, key: DeviceKey, span: Window) -> Coverage | None:
        if (key, span) not in self._covered:
            self._covered[key, span] = cover_best(self._samples.get(key, ()), span, self._interval_ms)
        return self._covered[key, span]


def _by_device(
    series: Iterable[DeviceSeries], signals: Sequence[Signal]
) -> dict[DeviceKey, list[tuple[Signal, Millis, Parts]]]:
    """All samples of each device, whoever held it, by signal in order of preference."""
    found: dict[tuple[DeviceKey, Signal], list[DeviceSeries]] = {}
    for one in series:
        if one.signal in signals:
            found.setdefault(((one.device, one.instance), one.signal), []).append(one)
    samples: dict[DeviceKey, list[tuple[Signal, Millis, Parts]]] = {}
    for (key, signal), parts in sorted(found.items(), key=lambda item: signals.index(item[0][1])):
        samples.setdefault(key, []).append((signal, *_joined(parts)))
    return samples


def _joined(parts: Sequence[DeviceSeries]) -> tuple[Millis, Parts]:
    """Samples of one device under several holders as one; each time stands in one of them only."""
    if len(parts) == 1:
        return parts[0].at_ms, parts[0].value
    at_ms = np.concatenate([part.at_ms for part in parts])
    order = np.argsort(at_ms, kind="stable")
    return at_ms[order], np.concatenate([part.value for part in parts])[order]
