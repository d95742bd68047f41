"""What `aicost agent --once` prints."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from aicost.domain.agent.counters import Key, Labels, Measure
from aicost.domain.agent.values import SECOND_NS
from aicost.telemetry.agent import decimal
from aicost.usecases.agent.measure import Told

_GPU = ("GPU", "INSTANCE", "MODEL", "STATE", "BUSY", "POWER")
_POD = ("NAMESPACE", "POD", "GPU", "INSTANCE", "GPU-SECONDS", "SM-SECONDS", "MEMORY", "ENERGY")
_RIGHT = frozenset({"BUSY", "POWER", "GPU-SECONDS", "SM-SECONDS", "MEMORY", "ENERGY"})
_UNKNOWN = "-"


def table(told: Told, span_ns: int) -> str:
    """GPUs, pods, and calls of the driver that do not work here.

    Args:
        told: what was counted.
        span_ns: for how long.
    """
    counters = told.counters
    blocks = [_drawn(_GPU, list(_gpus(told, span_ns))), _drawn(_POD, [*_pods(counters, span_ns), *_rest(counters)])]
    missing = sorted({call for calls in told.capabilities.values() for call, works in calls.items() if not works})
    notes = [f"Calls that do not work here: {', '.join(missing)}."] if missing else []
    head = f"Measured for {span_ns / SECOND_NS:.1f} s."
    return "\n".join(["\n\n".join([head, *filter(None, blocks), *notes])])


def _gpus(told: Told, span_ns: int) -> Iterator[tuple[str, ...]]:
    counters = told.counters
    models = {labels[0]: labels[2] for (measure, labels) in counters if measure in _OF_DEVICES}
    instances = {(uuid, "") for uuid in told.states}
    instances |= {labels[:2] for (measure, labels) in counters if measure is Measure.DEVICE_BUSY}  # type: ignore[misc]
    for uuid, instance in sorted(instances):
        labels = (uuid, instance, models.get(uuid, ""))
        busy = counters.get((Measure.DEVICE_BUSY, labels))
        energy = counters.get((Measure.DEVICE_ENERGY, labels))
        yield (
            uuid,
            instance,
            labels[2] or _UNKNOWN,
            told.states[uuid].value if uuid in told.states else _UNKNOWN,
            _UNKNOWN if busy is None else f"{100 * busy / span_ns:.0f} %",
            _UNKNOWN if energy is None else f"{1000 * energy / span_ns:.0f} W",
        )


def _pods(counters: Mapping[Key, int], span_ns: int) -> Iterator[tuple[str, ...]]:
    for labels in sorted({labels for measure, labels in counters if measure in _OF_PODS}):
        uuid, instance, namespace, name, uid = labels
        memory = counters.get((Measure.POD_MEMORY, labels))
        yield (
            namespace or _UNKNOWN,
            name or uid,
            uuid,
            instance,
            _seconds(counters, Measure.POD_ENGINE, labels),
            _seconds(counters, Measure.POD_SM, labels),
            _UNKNOWN if memory is None else f"{memory * 1_000_000 / span_ns / 2**30:.1f} GiB",
            _joules(counters, labels),
        )


def _rest(counters: Mapping[Key, int]) -> Iterator[tuple[str, ...]]:
    for (measure, labels), value in sorted(counters.items()):
        if measure is Measure.UNMAPPED and value:
            yield (_UNKNOWN, "outside pods", labels[0], "", decimal(value, 9)[:-6], _UNKNOWN, _UNKNOWN, _UNKNOWN)


def _seconds(counters: Mapping[Key, int], measure: Measure, labels: Labels) -> str:
    value = counters.get((measure, labels))
    return _UNKNOWN if value is None else f"{value / SECOND_NS:.3f}"


def _joules(counters: Mapping[Key, int], labels: Labels) -> str:
    value = counters.get((Measure.POD_ENERGY, labels))
    return _UNKNOWN if value is None else f"{value / 1_000_000:.1f} J"


def _drawn(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns that line up; a column that is empty throughout is left out."""
    if not rows:
        return ""
    kept = [index for index in range(len(titles)) if any(row[index] for row in rows)]
    widths = {index: max(len(row[index]) for row in (titles, *rows)) for index in kept}
    return "\n".join(_line(titles, row, widths) for row in (titles, *rows))


def _line(titles: Sequence[str], row: Sequence[str], widths: Mapping[int, int]) -> str:
    cells: Iterable[str] = (
        row[index].rjust(width) if titles[index] in _RIGHT else row[index].ljust(width)
        for index, width in widths.items()
    )
    return "   ".join(cells).rstrip()


_OF_DEVICES = frozenset({Measure.DEVICE_BUSY, Measure.DEVICE_ENERGY})
_OF_PODS = frozenset({Measure.POD_ENGINE, Measure.POD_SM, Measure.POD_MEMORY, Measure.POD_ENERGY})
