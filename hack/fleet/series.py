"""What a scraper makes of the expositions: raw series, with their own labels or those that Prometheus stores."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

from fleet.exporter.rows import ExporterView, Labels, Row
from fleet.exporter.text import Exporter, label_text
from fleet.faults import WHOLE_ANSWER
from fleet.script import Fleet, SimExporter


class Shape(StrEnum):
    """Whose labels a series has."""

    SCRAPE = "scrape"  # those of the exposition
    PROMETHEUS = "prometheus"  # those of the exposition and of the target, conflicts solved as `honor_labels` says


class Sample(NamedTuple):
    """One raw sample."""

    name: str
    labels: Labels
    at_ms: int
    value: float


def series(
    fleet: Fleet,
    from_ms: int,
    to_ms: int,
    interval_ms: int,
    *,
    shape: Shape = Shape.SCRAPE,
    meanings: Iterable[str] = (),
    jitter_ms: int = 0,
) -> Iterator[Sample]:
    """All samples of scrapes in `[from_ms, to_ms)`, one scrape each `interval_ms` from `from_ms` on.

    An answer that goes wrong as a whole gives no sample, as a scraper that rejects it would keep none.

    Args:
        fleet: the script.
        from_ms: the first scrape.
        to_ms: end of the span.
        interval_ms: time between two scrapes.
        shape: whose labels the samples have.
        meanings: fields to keep (`engine`, `util`, ...); none means all.
        jitter_ms: scrapes of exporter number n come `n * 7919 % (jitter_ms + 1)` later, as real ones spread.
    """
    keep = frozenset(meanings)
    for number, view in enumerate(views(fleet)):
        offset = number * 7919 % (jitter_ms + 1)
        for at_ms in range(from_ms + offset, to_ms, interval_ms):
            yield from scrape(view, at_ms, shape, keep)


def views(fleet: Fleet) -> list[ExporterView]:
    """What each exporter of the fleet sees, in order."""
    return [ExporterView(fleet, node, index) for node in fleet.nodes for index in range(len(node.exporters))]


def scrape(view: ExporterView, at_ms: int, shape: Shape, keep: frozenset[str] = frozenset()) -> Iterator[Sample]:
    """The samples of one scrape; `keep` are fields by meaning, none means all."""
    if not view.exporter.serves(at_ms) or any(view.has(kind, at_ms) for kind in WHOLE_ANSWER):
        return
    stamp_ms = at_ms + view.node.clock_skew_ms if view.exporter.stamped else at_ms
    for row in view.rows(at_ms, keep):
        labels = row.labels if shape is Shape.SCRAPE else stored_labels(row, view.exporter)
        yield Sample(row.field.name, labels, stamp_ms, float(row.number))


def target_labels(exporter: SimExporter) -> Labels:
    """What the discovery of an operator-made scrape job says about its target."""
    return {
        "container": exporter.container,
        "endpoint": "gpu-metrics",
        "instance": f"{exporter.ip}:9400",
        "job": "nvidia-dcgm-exporter",
        "namespace": exporter.namespace,
        "pod": exporter.pod,
        "service": "nvidia-dcgm-exporter",
    }


def stored_labels(row: Row, exporter: SimExporter) -> Labels:
    """The labels under which Prometheus stores a row.

    Without `honor_labels` the target wins and what the exporter said moves to `exported_...`; with it the exporter
    wins, and an idle GPU, which says nothing, wears the exporter's own pod. A label that the exporter left empty
    counts as said under `honor_labels`, and is then dropped.
    """
    target = target_labels(exporter)
    if exporter.honor_labels:
        return {name: value for name, value in (target | row.labels).items() if value}
    moved = {f"exported_{name}": value for name, value in row.labels.items() if name in target}
    kept = {name: value for name, value in row.labels.items() if name not in target}
    return {name: value for name, value in (kept | moved | target).items() if value}


def openmetrics(samples: Iterable[Sample]) -> str:
    """Samples as OpenMetrics text with timestamps, grouped and in order, for a backfill.

    The type is always `unknown`: the old counters do not end in `_total`, which OpenMetrics asks of a counter.
    """
    families: dict[str, list[Sample]] = {}
    for sample in samples:
        families.setdefault(sample.name, []).append(sample)
    lines = []
    for name, members in families.items():
        lines.append(f"# TYPE {name} unknown")
        ordered = sorted(members, key=lambda sample: (sorted(sample.labels.items()), sample.at_ms))
        lines += [f"{name}{label_text(s.labels)} {s.value!r} {s.at_ms // 1000}.{s.at_ms % 1000:03d}" for s in ordered]
    return "".join(f"{line}\n" for line in [*lines, "# EOF"])


def exporters(fleet: Fleet) -> list[Exporter]:
    """One exporter per exporter pod of the fleet, in order."""
    return [Exporter(fleet, node.name, index) for node in fleet.nodes for index in range(len(node.exporters))]
