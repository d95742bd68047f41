"""What tables of series come to is what the rules say of each sample alone, whatever is in the series."""

import math
from collections import Counter, defaultdict
from itertools import groupby

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.sampling.cleaning import read_telemetry
from aicost.domain.sampling.dialects import METRICS, Unit, unit_of
from aicost.domain.sampling.identity import Holder, device_of, exporter_key, exporter_node, holder_of
from aicost.domain.sampling.placement import place
from aicost.domain.sampling.series import OF_PODS, PPB, RawSeries, Signal, Telemetry
from support.samples import ENERGY, ENGINE, FB_USED, STEP, T0, UTIL, context

RATIO, BUSY, POD = "DCGM_FI_DEV_GPU_UTIL_RATIO", "aicost_device_busy_seconds_total", "aicost_pod_gpu_seconds_total"
HAMI = "hami_container_device_utilization_ratio"
NOW = T0 + 20 * STEP
KNOWN = context(["n1", "n2"], pod_nodes={("t", "a"): "n2"}, exporters=[("g", "x")])
SCALE = {Unit.RATIO: PPB, Unit.PERCENT: PPB // 100, Unit.MEBIBYTES: 1 << 20, Unit.SECONDS: PPB}
Key = tuple[str, str, str, str]
Row = tuple[Signal, Holder | None, bool, dict[int, int]]

NAMES = [ENGINE, UTIL, RATIO, ENERGY, ENERGY, FB_USED, BUSY, POD, HAMI, "duty_cycle", "other"]
VALUES = [
    0.0,
    0.25,
    0.5,
    1.0,
    1.29,
    1.7,
    60.0,
    101.0,
    4_200.0,
    -1.0,
    math.nan,
    math.inf,
    2147483632.0,
    9.2e18,
    3e6,
    -1e308,
    1e308,
]
LABELS = {
    "UUID": ["G1", "G1", "G1", "G2", ""],
    "uuid": ["G1", "G3"],
    "device_uuid": ["G1"],
    "GPU_I_ID": ["", "7"],
    "GPU_I_PROFILE": ["1g.10gb"],
    "instance": ["n1:9400", "3"],
    "Hostname": ["n1", "n2", "elsewhere"],
    "modelName": ["L4", "H100"],
    "pod": ["", "a", "b", "x", "dcgm-exporter-1"],
    "namespace": ["t", "g"],
    "exported_pod": ["", "c"],
    "vgpu": ["", "0"],
}
COLUMNS = [T0 + np.arange(12, dtype=np.int64) * STEP, NOW - np.arange(-3, 9, dtype=np.int64) * STEP]
COLUMNS += [COLUMNS[0].copy(), np.delete(COLUMNS[0], 5), np.repeat(COLUMNS[0][:6], 2), COLUMNS[0] + 1]
"""Rising, falling and partly of the future, equal to the first, with a hole, each twice, shifted."""


@st.composite
def labels(draw: st.DrawFn) -> dict[str, str]:
    chosen = {name: draw(st.sampled_from(["", *values])) for name, values in LABELS.items()}
    return {"UUID": "G1", **{name: value for name, value in chosen.items() if value}}


@st.composite
def fleets(draw: st.DrawFn) -> list[RawSeries]:
    """Series of few labels: many wear the same."""
    worn = draw(st.lists(labels(), min_size=1, max_size=3))
    return [draw(series(worn)) for _ in range(draw(st.integers(0, 8)))]


@st.composite
def series(draw: st.DrawFn, worn: list[dict[str, str]]) -> RawSeries:
    name, at_ms = draw(st.sampled_from(NAMES)), draw(st.sampled_from(COLUMNS))
    count = len(at_ms)
    if draw(st.booleans()):  # a steady value, or a counter that stands still from somewhere on
        value = np.minimum(np.arange(1.0, count + 1), draw(st.sampled_from([0.5, 1.0, 4.0, 99.0])))
    else:
        value = np.array(draw(st.lists(st.sampled_from(VALUES), min_size=count, max_size=count)))
    target = draw(st.sampled_from([(None, None), ("n2", None), (None, ("t", "a"))]))
    text = draw(st.sampled_from(["", "ratio", "in %"]))
    return RawSeries(name, dict(draw(st.sampled_from(worn))), at_ms, value, *target, text)


@settings(max_examples=200)
@given(fleets())
def test_samples_are_cleaned_as_the_rules_say_of_each(some: list[RawSeries]) -> None:
    telemetry = read_telemetry(some, KNOWN, NOW)
    expected, defects = by_hand(some)
    assert told(telemetry) == expected
    assert {name: getattr(telemetry.defects, name) for name in defects} == defects
    keys = [(one.device, one.instance or "", one.signal, one.profile) for one in telemetry.series]
    assert keys == sorted(keys)


def told(telemetry: Telemetry) -> list[tuple[object, ...]]:
    found = []
    for one in telemetry.series:
        assert one.holder == (one.holders[0] if len(one.holders) == 1 else None)
        key = one.device, one.instance or "", one.signal, one.profile
        samples = list(zip(one.at_ms.tolist(), one.value.tolist(), strict=True))
        found.append((key, sorted(one.holders), one.node, one.gpu_model, samples))
    return sorted(found, key=repr)


def by_hand(some: list[RawSeries]) -> tuple[list[tuple[object, ...]], dict[str, int]]:
    """The rules in plain words, sample by sample and series by series."""
    defects = Counter(dict.fromkeys(("sentinels", "clamped", "negative", "not_finite", "future", "frozen"), 0))
    rows: dict[Key, list[Row]] = defaultdict(list)
    nodes: dict[str, list[tuple[int, str]]] = defaultdict(list)
    models: dict[str, str] = {}
    spans = standstills(some)
    for one in some:
        whose, metric = device_of(one), METRICS.get(one.name)
        if whose is None or metric is None or metric.where:
            continue
        holder = None if metric.signal is Signal.BUSY_SECONDS else holder_of(one, KNOWN)
        if metric.signal in OF_PODS and holder is None:
            continue
        device, instance = whose
        of_pod = metric.signal is Signal.GPU_UTIL and holder is not None and bool(one.labels.get("vgpu"))
        for signal in [metric.signal, *([Signal.POD_UTIL] if of_pod else [])]:
            found = values_of(one, some, signal, defects)
            frozen = [
                (at, value)
                for at, value in found
                if signal is not Signal.ENERGY
                and any(first < at <= last for first, last in spans.get((exporter_key(one), *whose), ()))
            ]
            defects["frozen"] += len(frozen)
            kept: dict[int, int] = {}
            for at, value in found:
                if (at, value) not in frozen:
                    kept[at] = max(value, kept.get(at, 0))
            profile = one.labels.get("GPU_I_PROFILE", "") if instance else ""
            rows[device, instance or "", signal, profile].append((signal, holder, of_pod, kept))
        holder_node = KNOWN.pod_nodes.get(holder.pod) if holder else None
        evidence = place(KNOWN.nodes, one.labels, exporter_node(one, KNOWN), holder_node)
        nodes[device] += [evidence] if evidence else []
        if model := one.labels.get("modelName"):
            models[device] = max(model, models.get(device, ""))
    result = []
    for key, mine in rows.items():
        node = min(nodes[key[0]])[1] if nodes[key[0]] else None
        result += [(key, pods, node, models.get(key[0]), samples) for pods, samples in merged(mine)]
    return sorted(result, key=repr), dict(defects)


def values_of(one: RawSeries, some: list[RawSeries], signal: Signal, defects: Counter[str]) -> list[tuple[int, int]]:
    unit = unit_in(one, some)
    blank = 2147483632.0 if unit in {Unit.RATIO, Unit.PERCENT, Unit.MEBIBYTES, Unit.CODE} else 2.0**47
    found = []
    for at, value in zip(one.at_ms.tolist(), one.value.tolist(), strict=True):
        if not math.isfinite(value):
            defects["not_finite"] += 1
        elif value >= blank:
            defects["sentinels"] += 1
        elif value < 0:
            defects["negative"] += 1
        elif at > NOW:
            defects["future"] += 1
        else:
            part = round(value * SCALE.get(unit, 1))
            above = unit in {Unit.RATIO, Unit.PERCENT} and part > PPB
            defects["clamped"] += above
            if signal is not Signal.POD_UTIL or part <= 1.5 * PPB:
                found.append((at, PPB if above else part))
    return found


def unit_in(one: RawSeries, some: list[RawSeries]) -> Unit:
    alike = [other for other in some if other.name == one.name and exporter_key(other) == exporter_key(one)]
    plausible = [value for other in alike for value in other.value.tolist() if 0 <= value < 2.0**47]
    return unit_of(one.name, one.help, max(plausible, default=0.0))


def standstills(some: list[RawSeries]) -> dict[tuple[object, ...], list[tuple[int, int]]]:
    counters: dict[tuple[object, ...], list[tuple[int, int]]] = defaultdict(list)
    for one in some:
        whose = device_of(one)
        if one.name == ENERGY and whose is not None:
            counters[(exporter_key(one), *whose)] += values_of(one, some, Signal.ENERGY, Counter())
    found = {}
    for source, readings in counters.items():
        runs = [(value, [at for at, _ in run]) for value, run in groupby(sorted(readings), key=lambda pair: pair[1])]
        steady = [(times[0], times[-1]) for value, times in runs if value > 0 and times[-1] - times[0] > 60_000]
        found[source] = steady
    return found


def merged(rows: list[Row]) -> list[tuple[list[tuple[str, str]], list[tuple[int, int]]]]:
    """Holders and samples: the largest value of each moment, under all pods that were shown at it."""
    told = {at for _, holder, of_pod, kept in rows if holder is None and not of_pod for at in kept}
    found: dict[tuple[tuple[str, str], ...], dict[int, int]] = defaultdict(dict)
    for at in {at for *_, kept in rows for at in kept}:
        here = [row for row in rows if at in row[3]]
        by_holders: dict[tuple[tuple[str, str], ...], list[Row]] = defaultdict(list)
        for row in here:
            alone = row[0] in OF_PODS
            pods = {other[1].pod for other in ([row] if alone else here) if other[1] is not None}
            by_holders[tuple(sorted(pods))].append(row)
        for pods, mine in by_holders.items():
            found[pods][at] = max(
                0 if of_pod and at in told and signal is Signal.GPU_UTIL else kept[at]
                for signal, _, of_pod, kept in mine
            )
    return [(list(pods), sorted(samples.items())) for pods, samples in found.items()]
