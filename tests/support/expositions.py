"""What exporters of each release print, scrape by scrape, and the same as series over time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aicost.adapters.dcgm.exposition import parse
from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.inventory.cluster import ClusterFacts
from aicost.domain.inventory.nodes import SharingMode
from aicost.domain.sampling.scrapes import SeriesKey
from aicost.domain.sampling.series import RawSeries
from aicost.domain.trust.judging import LOOK_BACK_MS, judge
from aicost.domain.trust.values import Evidence, ExporterSeen, Judged
from support.builders import T0, NodeBuilder, make_node

STEP = 15_000
NODE = "n1"
EXPORTER = ExporterSeen(("gpu", "exporter-n1"), NODE, host_pid=True)
NOW = T0 + LOOK_BACK_MS
GPUS = ("GPU-8b22", "GPU-1533")


@dataclass(frozen=True)
class Speech:
    """How one generation of dcgm-exporter prints."""

    host: str
    engine: str
    util: str
    memory: str
    energy: str
    percent: int = 100
    helped: bool = True


OLD = Speech(
    "Hostname", "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_FB_USED",
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
)  # fmt: skip
MIDDLE = Speech("hostname", OLD.engine, OLD.util, OLD.memory, OLD.energy)
NEW = Speech(
    "hostname", "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO", "DCGM_FI_DEV_GPU_UTIL_RATIO", "DCGM_FI_DEV_FB_USED_BYTES",
    "DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL", percent=1,
)  # fmt: skip
SPEECHES = {"<= 4.8.2": OLD, "4.8.3": MIDDLE, ">= 4.9": NEW}
Value = Callable[[int], float | None]
"""A value by the number of the scrape; None: the row is not printed."""


@dataclass(frozen=True)
class Row:
    """One row of each scrape."""

    name: str
    device: str
    value: Value
    labels: Mapping[str, str]


def steady(value: float) -> Value:
    return lambda _: value


def rising(start: float = 1e6, step: float = 5e3) -> Value:
    return lambda number: start + step * number


def until(number: int, value: Value) -> Value:
    """The value of the first scrapes; then the row is gone."""
    return lambda at: value(at) if at < number else None


def device_rows(speech: Speech, device: str, load: Value, **labels: str) -> list[Row]:
    """A healthy device: engine, coarse utilisation, memory and energy."""

    def scaled(number: int) -> float | None:
        value = load(number)
        return None if value is None else value * speech.percent

    return [
        Row(speech.engine, device, load, labels),
        Row(speech.util, device, scaled, labels),
        Row(speech.memory, device, steady(2048), labels),
        Row(speech.energy, device, rising(), labels),
    ]


def pod_row(speech: Speech, device: str, pod: str, load: Value, *, uid: str = "u", slot: int = 0) -> Row:
    """A row of one holder of a time-sliced device."""
    named = {"container": "c", "namespace": "a", "pod": pod, "vgpu": str(slot)}
    return Row(speech.util, device, load, named | ({"pod_uid": uid} if uid else {}))


def text_of(speech: Speech, rows: Iterable[Row], number: int, node: str = NODE) -> str:
    """What one scrape shows."""
    lines: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        value = row.value(number)
        if value is not None:
            labels = {"gpu": "0", "UUID": row.device, "modelName": "NVIDIA H100", speech.host: node, **row.labels}
            block = ",".join(f'{key}="{text}"' for key, text in labels.items() if text)
            lines[row.name].append(f"{row.name}{{{block}}} {value:f}")
    unit = "%" if speech.percent == 100 else "ratio"
    heads = {speech.util: f"GPU utilization (in {unit})."} if speech.helped else {}
    return "".join(
        (f"# HELP {name} {heads[name]}\n" if name in heads else "") + "\n".join(printed) + "\n"
        for name, printed in lines.items()
    )


def series_of(
    speech: Speech,
    rows: Sequence[Row],
    *,
    node: str = NODE,
    pod: tuple[str, str] | None = EXPORTER.pod,
    scrapes: int = LOOK_BACK_MS // STEP,
    shift_ms: int = 0,
) -> list[RawSeries]:
    """Series as our own scrapes gather them: each text parsed, at even distances, up to `NOW`."""
    found: dict[SeriesKey, list[tuple[int, float]]] = defaultdict(list)
    for number in range(scrapes):
        at_ms = T0 + number * STEP + shift_ms
        for reading in parse(text_of(speech, rows, number, node).encode()).readings:
            found[reading.key].append((at_ms, reading.value))
    return [
        RawSeries(
            key.name,
            dict(key.labels),
            np.array([at for at, _ in samples], np.int64),
            np.array([value for _, value in samples], np.float64),
            node,
            pod,
            key.help,
        )
        for key, samples in found.items()
    ]


def gpu_node(gpus: int = 2) -> NodeBuilder:
    """A node that has been there for a while."""
    return make_node(NODE).gpus(gpus).created(T0 - 60 * MINUTE_MS)


def judged(
    raw: Sequence[RawSeries],
    *,
    node: NodeBuilder | None = None,
    sharing: SharingMode = SharingMode.EXCLUSIVE,
    exporters: Sequence[ExporterSeen] = (EXPORTER,),
    now_ms: int = NOW,
    **more: str,
) -> Judged:
    """What one look at one node says."""
    record = (node or gpu_node()).record()
    shared = {} if sharing is SharingMode.EXCLUSIVE else {"sharing": sharing, "slots_per_gpu": 4}
    facts = ClusterFacts((), (replace(record, facts=replace(record.facts, **shared)),))
    (found,) = judge(Evidence(T0, facts, raw, STEP, exporters, **more), now_ms)
    return found
