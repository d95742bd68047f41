"""The proof: the same money in each view, and the money that the fleet's own record of what it played says.

Everything here is a function of values. Amounts are integers of nanos (10^-9 of the currency); the truth is exact, as
fractions. A line of the proof carries the bounds that it must keep and the reason for them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from demo import reach
from fleet import truth
from fleet.script import HOUR_MS, Fleet, SimPod
from fleet.truth import Amount, Bucket

HELD = (Bucket.USED, Bucket.ALLOCATED_IDLE, Bucket.ALLOCATED_UNMEASURED)
NOT_HELD = (Bucket.UNALLOCATED, Bucket.UNATTRIBUTED, Bucket.UNHEALTHY, Bucket.SYSTEM)
SECOND_MS = 1000
DAY_MS = 24 * HOUR_MS
_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class View:
    """One report: its rows, what no row carries, and its total."""

    name: str
    rows: int
    rows_nanos: int
    idle_nanos: int
    total_nanos: int

    @property
    def ok(self) -> bool:
        """Whether rows and idle sum to the total."""
        return self.rows_nanos + self.idle_nanos == self.total_nanos


@dataclass(frozen=True, slots=True)
class Line:
    """One amount beside the truth.

    Attributes:
        low, high: how far it may lie below and above the truth.
    """

    name: str
    ours: int
    truth: Fraction
    low: Fraction
    high: Fraction

    @property
    def difference(self) -> Fraction:
        """Ours less the truth."""
        return self.ours - self.truth

    @property
    def ok(self) -> bool:
        """Whether it keeps its bounds."""
        return -self.low <= self.difference <= self.high


@dataclass(frozen=True, slots=True)
class Claim:
    """Something else that must hold."""

    text: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What the reports say of one span, as integers.

    Attributes:
        span: the span, in milliseconds.
        buckets: nanos by bucket.
        namespaces: nanos held by the pods of each namespace.
        error_nanos: half-width of the report's own 95 % error bar; None where it gives none.
    """

    span: tuple[int, int]
    views: tuple[View, ...]
    buckets: Mapping[str, int]
    namespaces: Mapping[str, int]
    gpu_ms: int
    unpriced_ms: int
    error_nanos: int | None
    provisional_nanos: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """How exact the product can be.

    Attributes:
        windows: billing windows in the span: each is rounded by itself.
        reach_ms: to within how many milliseconds a reader of the exporters knows a moment.
    """

    windows: int
    reach_ms: int


def told(
    views: Sequence[tuple[str, Mapping[str, Any]]], own: Sequence[Mapping[str, Any]], span: tuple[int, int]
) -> Told:
    """Read the figures of reports.

    Args:
        views: name and object of each cluster report.
        own: the reports of the namespaces.
        span: what they are about.
    """
    first = views[0][1]
    idle = _idle(first)
    sums = [View(name, len(_rows(item)), sum(_rows(item)), _idle(item), _total(item)) for name, item in views]
    namespaces = {str(item["metadata"]["namespace"]): _total(item) for item in own}
    sums.append(View("their own reports", len(own), sum(namespaces.values()), idle, _total(first)))
    return Told(
        span=span,
        views=tuple(sums),
        buckets=_buckets(first),
        namespaces=namespaces,
        gpu_ms=_sum(first, "gpuMilliseconds"),
        unpriced_ms=_sum(first, "unpricedGpuMilliseconds"),
        error_nanos=_error(first),
        provisional_nanos=_sum(first, "provisionalNanos"),
    )


def same_money(figures: Told) -> list[Claim]:
    """The parts sum to the whole, and the whole is the same in each view."""
    totals = {view.total_nanos for view in figures.views} | {sum(figures.buckets.values())}
    return [
        Claim("in each view, rows and idle sum to the total", all(view.ok for view in figures.views)),
        Claim("all views and the buckets have the same total", len(totals) == 1),
    ]


def exact_lines(figures: Told, fleet: Fleet, bounds: Bounds) -> list[Line]:
    """What rests on no sample: who held what, what nobody held, and the price of all.

    A node's price is rounded once per window, its parts to a nano per GPU and window.
    """
    bill = truth.amounts(fleet, *figures.span)
    by_bucket = truth.totals(fleet, bill, "bucket")
    by_namespace = truth.totals(fleet, bill, "namespace")
    whole = sum((amount.nanos for amount in truth.capacity(fleet, *figures.span).values()), _ZERO)
    gpus = Fraction(sum(len(node.gpus) for node in fleet.nodes) * bounds.windows)
    nodes = Fraction(len(fleet.nodes) * bounds.windows, 2)

    def group(name: str, buckets: Sequence[Bucket]) -> Line:
        return Line(name, _of(figures, buckets), _true(by_bucket, buckets), gpus, gpus)

    return [
        Line("price of all GPU time", sum(figures.buckets.values()), whole, nodes, nodes),
        group("held by pods", HELD),
        *(Line(f"  of {name}", ours, _nanos(by_namespace, name), gpus, gpus) for name, ours in _sorted(figures)),
        group("held by nobody", NOT_HELD),
        _lost(figures, by_bucket, fleet),
    ]


def _lost(figures: Told, by_bucket: Mapping[str | None, Amount], fleet: Fleet) -> Line:
    """Lost GPUs: they are noticed by what the kubelet offers, which has no time of its own."""
    true = _true(by_bucket, (Bucket.UNHEALTHY,))
    prices = (node.price.gpu_nanos_per_hour(0, len(node.gpus)) for node in fleet.nodes if node.price)
    second = max(prices, default=_ZERO) * SECOND_MS / HOUR_MS
    return Line("  unhealthy", _of(figures, (Bucket.UNHEALTHY,)), true, second, second)


def sampled_lines(figures: Told, fleet: Fleet, bounds: Bounds) -> list[Line]:
    """What rests on samples: a reader knows each moment only to within its reach."""
    begin, end = figures.span
    now, (low, high) = _by_bucket(fleet, begin, end), reach.used_nanos(fleet, begin, end, bounds.reach_ms)
    used, idle, hidden = (_true(now, (bucket,)) for bucket in HELD)
    stray, after = _true(now, (Bucket.UNATTRIBUTED,)), after_ends(fleet, begin, end, bounds.reach_ms)
    unmeasured = _of(figures, (Bucket.ALLOCATED_UNMEASURED,))
    below, above = max(used - low, _ZERO) + after + unmeasured, max(high - used, _ZERO) + hidden
    first = before_samples(fleet, begin, end, bounds.reach_ms)
    return [
        Line("used", _of(figures, (Bucket.USED,)), used, below, above),
        Line("allocated-idle", _of(figures, (Bucket.ALLOCATED_IDLE,)), idle, above + unmeasured, below + hidden),
        Line("allocated-unmeasured", unmeasured, hidden, hidden, first),
        Line("unattributed", _of(figures, (Bucket.UNATTRIBUTED,)), stray, _ZERO, after),
    ]


def after_ends(fleet: Fleet, begin: int, end: int, reach_ms: int) -> Fraction:
    """What ended pods used last, in so short a time before their end that it was shown only after it."""
    ended = [(pod, pod.ended_ms) for pod in fleet.pods if pod.ended_ms is not None and begin < pod.ended_ms <= end]
    return sum((_part(fleet, pod, (at - reach_ms, at), (Bucket.USED,)) for pod, at in ended), _ZERO)


def before_samples(fleet: Fleet, begin: int, end: int, reach_ms: int) -> Fraction:
    """What pods held first, so short a time after the ledger began or after they started that no sample tells of it."""
    starts = [(pod, max(begin, pod.bound_ms, pod.started_ms or end)) for pod in fleet.pods if pod.bound_ms is not None]
    spans = [(pod, (max(begin, pod.bound_ms or 0), min(at + reach_ms, end))) for pod, at in starts]
    return sum((_part(fleet, pod, span, HELD) for pod, span in spans if span[0] < span[1]), _ZERO)


def _part(fleet: Fleet, pod: SimPod, span: tuple[int, int], buckets: Sequence[Bucket]) -> Fraction:
    """What a pod cost in a span, in some buckets."""
    bill = truth.amounts(fleet, *span, devices=pod.gpus)
    mine = (amount.nanos for key, amount in bill.items() if key.pod_uid == pod.uid and key.bucket in buckets)
    return sum(mine, _ZERO)


def time_claims(figures: Told, fleet: Fleet, known_by_ms: int) -> list[Claim]:
    """GPU time: all of it is in the ledger from its first moment on, and what has no price is not lost.

    Args:
        figures: what the reports say.
        fleet: the script.
        known_by_ms: when the controller knew the cluster at the latest.
    """
    begin, end = figures.span
    made = max(node.booted_ms for node in fleet.nodes)
    gpus = sum(len(node.gpus) for node in fleet.nodes)
    begins = made <= begin <= known_by_ms or begin % DAY_MS == 0  # a month to date may have begun meanwhile
    unknown = " and ".join(f"{node.name} ({node.instance_type})" for node in fleet.nodes if node.price is None)
    unpriced = sum((amount.unpriced_ms for amount in truth.capacity(fleet, begin, end).values()), _ZERO)
    return [
        Claim(
            f"{figures.gpu_ms:,} GPU-ms are {gpus} GPUs times {end - begin:,} ms",
            figures.gpu_ms == gpus * (end - begin),
        ),
        Claim("the ledger begins when the controller first saw the nodes", begins),
        Claim(
            f"{figures.unpriced_ms:,} GPU-ms of {unknown} have no price and are in no amount",
            figures.unpriced_ms == unpriced,
        ),
    ]


def begin_of(gpu_ms: int, gpus: int, end_ms: int) -> int:
    """When a ledger of so much GPU time began, with all GPUs there from the beginning."""
    return end_ms - gpu_ms // gpus


def _sorted(figures: Told) -> list[tuple[str, int]]:
    return sorted(figures.namespaces.items())


def _by_bucket(fleet: Fleet, begin: int, end: int) -> Mapping[str | None, Amount]:
    return truth.totals(fleet, truth.amounts(fleet, begin, end), "bucket")


def _of(figures: Told, buckets: Sequence[Bucket]) -> int:
    return sum(figures.buckets.get(bucket, 0) for bucket in buckets)


def _true(by_bucket: Mapping[str | None, Amount], buckets: Sequence[Bucket]) -> Fraction:
    return sum((_nanos(by_bucket, str(bucket)) for bucket in buckets), _ZERO)


def _nanos(amounts: Mapping[str | None, Amount], name: str) -> Fraction:
    return amounts[name].nanos if name in amounts else _ZERO


def _rows(report: Mapping[str, Any]) -> list[int]:
    return [int(row.get("costNanos", 0)) for row in report["status"].get("rows") or ()]


def _idle(report: Mapping[str, Any]) -> int:
    return sum(int(part.get("costNanos", 0)) for part in report["status"].get("idle") or ())


def _total(report: Mapping[str, Any]) -> int:
    return _sum(report, "costNanos")


def _sum(report: Mapping[str, Any], field: str) -> int:
    return sum(int(total.get(field, 0)) for total in report["status"]["totals"])


def _buckets(report: Mapping[str, Any]) -> dict[str, int]:
    """Nanos by bucket: the API writes `allocatedIdle` where the rules write `allocated-idle`."""
    found: dict[str, int] = {}
    for total in report["status"]["totals"]:
        for field, figures in (total.get("buckets") or {}).items():
            name = re.sub("([A-Z])", r"-\1", field).lower()
            found[name] = found.get(name, 0) + int(figures.get("costNanos", 0))
    return found


def _error(report: Mapping[str, Any]) -> int | None:
    """The error bar of a report; None where a part of it has none."""
    bars = [total.get("errorNanos") for total in report["status"]["totals"]]
    return None if None in bars else sum(bars)
