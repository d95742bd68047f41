"""What one pod did minute by minute, and how busy its GPUs were: what weights of tokens are fitted to.

Busy time of a minute comes from the GPUs' own series, so each of them must be held by this pod alone. What comes out
are sums of products: those of pods and of windows add up, so a fit over a month needs no minute of it any more. The
minute before each quarter of an hour is left out: where a window ends there, nothing is known yet of its last seconds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.sampling.counters.growth import is_count
from aicost.domain.sampling.series import Millis, RawSeries, Values
from aicost.domain.serving.meters import Count, known_engines
from aicost.domain.serving.phases import USUAL, Priors
from aicost.domain.serving.tallies import readings

PodName = tuple[str, str]
"""Namespace and name."""
_FURTHEST_MS = 2 * MINUTE_MS
"""What was seen further apart than this says nothing of single minutes."""
_TOKENS = (Count.INPUT, Count.CACHED, Count.COMPUTED, Count.OUTPUT, Count.FINISHED)
_QUARTER_MS = 15 * MINUTE_MS
_LARGEST = 10**16
"""Larger sums are of counters that count something else."""
MIXES = tuple(count for count in Count if count.value.startswith("fit-mix-"))


@dataclass(frozen=True, slots=True)
class _Busy:
    """A metric that tells how busy a GPU was.

    Attributes:
        rank: the lowest that a pod shows is read.
        counter: it counts seconds; else it is the share of time, now.
        full: what it shows of a GPU that is always busy.
    """

    rank: int
    counter: bool = False
    full: float = 1.0


_BUSY: Mapping[str, _Busy] = {
    "aicost_pod_gpu_seconds_total": _Busy(0, counter=True),
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": _Busy(1),
    "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO": _Busy(1),
    "DCGM_FI_DEV_GPU_UTIL": _Busy(2, full=100.0),
}
BUSY_NAMES: tuple[str, ...] = tuple(_BUSY)
"""Metrics of GPUs that a fit needs beside those of engines."""


def fit_counts(
    series: Iterable[RawSeries], span: Window, priors: Priors = USUAL
) -> Mapping[PodName, Mapping[Count, int]]:
    """Sums of products over the minutes of a span, for each pod whose tokens and GPUs were both seen.

    A pod that serves several models is left out: its GPUs do not say for which of them they were busy.

    Args:
        series: counters of engines and the metrics `BUSY_NAMES`, with some time around the span.
        span: which time; minutes that it cuts are left out.
        priors: weights by which a token of a cache counts beside one that was computed.
    """
    engines: dict[PodName, list[RawSeries]] = defaultdict(list)
    gpus: list[RawSeries] = []
    for one in series:
        if one.name in _BUSY:
            gpus.append(one)
        elif one.labels.get("namespace") and one.labels.get("pod"):
            engines[one.labels["namespace"], one.labels["pod"]].append(one)
    edges = _edges(span)
    busy = _busy(gpus, edges)
    return {
        pod: sums for pod in sorted(engines.keys() & busy.keys())
        if (sums := _sums(engines[pod], np.where(edges[1:] % _QUARTER_MS == 0, np.nan, busy[pod]), edges, priors))
    }  # fmt: skip


def minute_growth(at_ms: Millis, values: Values, edges: Millis) -> Values:
    """By how much a counter grew between edges, between two samples evenly; NaN where they are too far apart."""
    good = is_count(values)
    order = np.argsort(at_ms[good], kind="stable")
    times, counts = at_ms[good][order], values[good][order]
    if len(times) < 2:
        return np.full(len(edges) - 1, np.nan)
    steps = np.diff(counts)
    whole = np.concatenate(([0.0], np.cumsum(np.where(steps >= 0, steps, counts[1:]))))
    grown = np.diff(np.interp(edges, times, whole, left=np.nan, right=np.nan))
    grown[_blind(times, edges)] = np.nan
    return grown


def _edges(span: Window) -> Millis:
    first = -(-span.start_ms // MINUTE_MS) * MINUTE_MS
    return np.arange(first, span.end_ms + 1, MINUTE_MS)


def _blind(times: Millis, edges: Millis) -> np.ndarray:
    """Minutes that touch a gap between two samples."""
    blind = np.zeros(len(edges) - 1, dtype=bool)
    for gap in np.flatnonzero(np.diff(times) > _FURTHEST_MS):
        blind |= (edges[:-1] < times[gap + 1]) & (edges[1:] > times[gap])
    return blind


def _busy(gpus: Sequence[RawSeries], edges: Millis) -> Mapping[PodName, Values]:
    """Milliseconds in which the GPUs of each pod were busy, minute by minute; GPUs that pods share are left out."""
    lowest: dict[PodName, int] = {}
    devices: dict[tuple[str, ...], dict[PodName, list[RawSeries]]] = defaultdict(lambda: defaultdict(list))
    for one in gpus:
        holder, device = _holder(one.labels), _device(one.labels)
        if holder and device[0]:
            devices[one.name, *device][holder].append(one)
            rank = _BUSY[one.name].rank
            lowest[holder] = min(rank, lowest.get(holder, rank))
    found: dict[PodName, list[Values]] = defaultdict(list)
    for (name, *_), holders in devices.items():
        alone = len(holders) == 1 or _BUSY[name].counter
        for holder, mine in holders.items():
            if _BUSY[name].rank == lowest[holder]:
                told = _busy_minutes(_BUSY[name], mine, edges) if alone else np.full(len(edges) - 1, np.nan)
                found[holder].append(told)
    return {holder: np.sum(mine, axis=0) for holder, mine in found.items()}


def _busy_minutes(metric: _Busy, parts: Sequence[RawSeries], edges: Millis) -> Values:
    """A series that came in parts, or that two exporters show, as one."""
    at_ms, first = np.unique(np.concatenate([one.at_ms for one in parts]), return_index=True)
    value = np.concatenate([one.value for one in parts])[first]
    if metric.counter:
        return minute_growth(at_ms, value, edges) * 1_000
    share = np.clip(value / metric.full, 0.0, 1.0)
    good = np.isfinite(share)
    at_ms, share = at_ms[good], share[good]
    if len(at_ms) < 2:
        return np.full(len(edges) - 1, np.nan)
    stood = np.concatenate(([0.0], np.cumsum(np.diff(at_ms) * share[1:])))
    return minute_growth(at_ms, stood, edges)


def _holder(labels: Mapping[str, str]) -> PodName | None:
    namespace = labels.get("exported_namespace") or labels.get("namespace", "")
    pod = labels.get("exported_pod") or labels.get("pod", "")
    return (namespace, pod) if namespace and pod else None


def _device(labels: Mapping[str, str]) -> tuple[str, str]:
    return labels.get("UUID") or labels.get("uuid", ""), labels.get("GPU_I_ID", "")


def _sums(series: Sequence[RawSeries], busy: Values, edges: Millis, priors: Priors) -> Mapping[Count, int]:
    tokens: dict[Count, Values] = {}
    models: set[str] = set()
    for _, model, read in readings(_whole(series), generic=known_engines({one.name for one in series})):
        models.add(model)
        for meter, one in read:
            if meter.count in _TOKENS:
                grown = minute_growth(one.at_ms, one.value, edges)
                tokens[meter.count] = tokens[meter.count] + grown if meter.count in tokens else grown
    output = tokens.get(Count.OUTPUT, tokens.get(Count.FINISHED))
    if len(models) != 1 or output is None:
        return {}
    return _products(_prompt(tokens, output, priors), output, busy, priors)


def _whole(series: Iterable[RawSeries]) -> Sequence[RawSeries]:
    """Series that came in parts, each as one."""
    parts: dict[tuple[str, frozenset[tuple[str, str]]], list[RawSeries]] = defaultdict(list)
    for one in series:
        parts[one.name, frozenset(one.labels.items())].append(one)
    return [
        mine[0] if len(mine) == 1 else RawSeries(
            mine[0].name, mine[0].labels,
            np.concatenate([one.at_ms for one in mine]), np.concatenate([one.value for one in mine]),
        )
        for mine in parts.values()
    ]  # fmt: skip


def _prompt(tokens: Mapping[Count, Values], like: Values, priors: Priors) -> Values:
    """Prompts, a computed token counting as much as the priors say beside one of a cache."""
    whole, cached, computed = (tokens.get(count) for count in (Count.INPUT, Count.CACHED, Count.COMPUTED))
    if whole is not None:
        if cached is None:
            cached = np.maximum(0.0, whole - computed) if computed is not None else np.zeros_like(whole)
        cached = np.minimum(cached, whole)
        computed = whole - cached
    none = np.zeros_like(like)
    hits = none if cached is None else cached
    return (none if computed is None else computed) + hits * priors.cached / priors.computed


def _products(prompt: Values, output: Values, busy: Values, priors: Priors) -> Mapping[Count, int]:
    """Sums over the minutes of which all is known and in which there was something to do."""
    known = np.isfinite(prompt) & np.isfinite(output) & np.isfinite(busy)
    known &= np.nan_to_num(prompt) + np.nan_to_num(output) > 0
    p, o, b = ([int(one) for one in np.rint(each[known])] for each in (prompt, output, busy))
    if not p:
        return {}
    mixes = [_mix(priors.computed * into, priors.output * out) for into, out in zip(p, o, strict=True)]
    sums = {
        Count.FIT_MINUTES: len(p),
        Count.FIT_BUSY: sum(b),
        Count.FIT_BUSY_BUSY: _dot(b, b),
        Count.FIT_PROMPT_PROMPT: _dot(p, p),
        Count.FIT_PROMPT_OUTPUT: _dot(p, o),
        Count.FIT_OUTPUT_OUTPUT: _dot(o, o),
        Count.FIT_PROMPT_BUSY: _dot(p, b),
        Count.FIT_OUTPUT_BUSY: _dot(o, b),
        **{MIXES[mix]: mixes.count(mix) for mix in sorted(set(mixes))},
    }
    return sums if max(sums.values()) < _LARGEST else {}


def _mix(prompt: int, output: int) -> int:
    """In which tenth the part of answers lies."""
    return min(9, 10 * output // max(1, prompt + output))


def _dot(one: Sequence[int], other: Sequence[int]) -> int:
    return sum(a * b for a, b in zip(one, other, strict=True))
