"""A fleet script played through the real pipeline on an injected clock: watch and scrapes in, rows of a ledger out.

`Pipeline(folder, fleet, begin_ms=T).play(until)` shows the watch's objects to the inventory journal and the exporters'
text to the sample journal; `close`, `refresh` and `revisit` are the use cases. Nothing here computes a cost.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np

from aicost.adapters.dcgm.exposition import parse
from aicost.adapters.held import HeldBooks, HeldClaims, HeldPolicies
from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.journal.memory import MemoryInventory
from aicost.adapters.journal.samples import SampleJournal
from aicost.adapters.kube.seen.decode import (
    decode_claim,
    decode_namespace,
    decode_node,
    decode_pod,
    decode_slice,
)
from aicost.adapters.kube.seen.values import BadObject
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.inputs.store import DeltaInputs
from aicost.domain.exact.windows import DAY_MS, MINUTE_MS, Grid, Window
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.ledger.rows import Row
from aicost.domain.pricing.books import ALWAYS, NodeMatch, NodeSplit, PriceBook, PriceEntry
from aicost.domain.sampling.scrapes import ScrapeTarget
from aicost.domain.sampling.series import RawSeries
from aicost.ports.errors import InvalidAnswer, SourceUnavailable
from aicost.usecases.close_windows import CloseWindows, RefreshOpenWindow, WindowClosed
from aicost.usecases.compute_window import Computed, ComputeWindow
from aicost.usecases.revisit_windows import RevisitWindows, WindowRevised
from fleet import kubernetes
from fleet.exporter.text import Exporter
from fleet.script import Fleet, SimExporter, SimNode
from fleet.series import Shape, exporters, scrape, views
from fleet.sharing.claims import claim_lives, nodes_of_drivers, slice_changes, slice_object

STEP = 15_000
SETTLE_MS = 2 * MINUTE_MS
GRID = Grid(15 * MINUTE_MS)
PPM = 1_000_000
READ = frozenset({"util", "engine", "sm", "energy", "xid", "fb_used", "device_busy", "pod_gpu", "pod_sm", "pod_util"})
"""What a Prometheus is asked for, by meaning."""


DECODERS: Mapping[str, Callable[[bytes], Any]] = {
    "pod": decode_pod,
    "node": decode_node,
    "namespace": decode_namespace,
    "claim": decode_claim,
    "slice": decode_slice,
}


class Way(StrEnum):
    """How samples come in."""

    SCRAPE = "scrape"  # exporters' text into the sample journal
    PROMETHEUS = "prometheus"  # series with the labels that a Prometheus stores


@dataclass(frozen=True)
class Notice:
    """What a watch tells: an object as it is at a moment, or that it is gone."""

    at_ms: int
    kind: str
    object: dict[str, Any]
    gone: bool = False
    initial: bool = False


@dataclass
class Store:
    """What a Prometheus holds: series by name and labels. It can be down."""

    interval_ms: int
    fleet: Fleet
    columns: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[int, float]]] = field(default_factory=dict)

    def add(self, name: str, labels: dict[str, str], at_ms: int, value: float) -> None:
        self.columns.setdefault((name, tuple(sorted(labels.items()))), []).append((at_ms, value))

    def samples(self, span: Window) -> Sequence[RawSeries]:
        found = []
        for (name, pairs), points in self.columns.items():
            labels, inside = dict(pairs), [point for point in points if point[0] in span]
            if inside:
                at_ms, value = zip(*inside, strict=True)
                target = self._target(labels.get("instance", ""))
                columns = (np.array(at_ms, np.int64), np.array(value, np.float64))
                found.append(RawSeries(name, labels, *columns, target_pod=target))
        return found

    def _target(self, instance: str) -> tuple[str, str] | None:
        """The scraped pod, as the series `up` tells it."""
        every = (exporter for node in self.fleet.nodes for exporter in node.exporters)
        return next(((one.namespace, one.pod) for one in every if f"{one.ip}:9400" == instance), None)


@dataclass
class Switch:
    """A telemetry source that can be turned off."""

    source: Any
    down: bool = False

    @property
    def interval_ms(self) -> int:
        return self.source.interval_ms

    def samples(self, span: Window) -> Sequence[RawSeries]:
        if self.down:
            raise SourceUnavailable("the telemetry source does not answer")
        return self.source.samples(span)


class Pipeline:
    """One cluster's pipeline over a folder.

    Args:
        folder: where journals and ledger are kept.
        fleet: the script.
        begin_ms: when the watch begins: the ledger's first moment.
        way: how samples come in.
        grid: billing windows.
        interval_ms: time between scrapes.
        offset_ms: how long after `begin_ms` the first scrape comes.
        latency_ms: how long after an event the watch tells it.
        books: price books; None makes one of the script's prices.
        notices: changes what the watch tells.
        depth: how many closed windows are revisited.
        cluster: key of the cluster.
        ledger: where the ledger is, if not in the folder.
        kept: whether what the watch told is written down. Where it is not, there are no journals and no restart.
    """

    def __init__(
        self,
        folder: Path,
        fleet: Fleet,
        *,
        begin_ms: int,
        way: Way = Way.SCRAPE,
        grid: Grid = GRID,
        interval_ms: int = STEP,
        offset_ms: int = 0,
        latency_ms: int = 0,
        books: Sequence[PriceBook] | None = None,
        claims: Sequence[WorkloadClaim] = (),
        notices: Callable[[Iterable[Notice]], Iterable[Notice]] = list,
        depth: int = 3,
        cluster: str = "c1",
        ledger: Path | None = None,
        kept: bool = True,
    ) -> None:
        self.folder, self.fleet, self.begin_ms, self.grid, self.cluster = folder, fleet, begin_ms, grid, cluster
        self.interval_ms, self.depth, self._latency_ms, self._notices = interval_ms, depth, latency_ms, notices
        self.now_ms, self._next_scrape_ms = begin_ms, begin_ms + offset_ms
        self.books, self.claims, self.policies = HeldBooks(), HeldClaims(), HeldPolicies()
        self.books.value = tuple(price_books(fleet) if books is None else books)
        self.claims.value = tuple(claims)
        self.store = Store(interval_ms, fleet)
        self._views, self._exporters = views(fleet), exporters(fleet)
        self.way, self.refused, self._kept = way, [], kept
        self.ledger = DeltaLedger(str(ledger or folder / "ledger"))
        self.open()

    def open(self) -> None:
        """Open the journals and wire the use cases."""
        self.source = Switch(self.store)
        if self._kept:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.inventory = InventoryJournal(self.folder / "inventory.sqlite", self.begin_ms)
            self.journal = SampleJournal(self.folder / "samples.sqlite", self.interval_ms)
            self.source = Switch(self.store if self.way is Way.PROMETHEUS else self.journal)
        else:
            self.inventory = MemoryInventory(self.begin_ms)
        compute = ComputeWindow(self.cluster, self.inventory, self.source, self.books, self.claims, self.policies)
        epoch = self.inventory.epoch_ms
        wired = (self.cluster, compute, self.ledger, self.ledger, self.grid)
        self.inputs = DeltaInputs(self.ledger.place, "0")
        self._close = CloseWindows(*wired, SETTLE_MS, epoch, self.inputs)
        self._refresh = RefreshOpenWindow(*wired, epoch)
        self._revisit = RevisitWindows(*wired, self.depth, epoch, DAY_MS, self.inputs)
        self.compute = compute

    def shut(self) -> None:
        """Close the journals."""
        if self._kept:
            self.journal.close()
            self.inventory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()

    def reopen(self) -> None:
        """What a restart does: all that was in memory alone is gone."""
        self.shut()
        self.open()

    def play(self, until_ms: int) -> Self:
        """Show everything before a moment: the watch first, then scrapes."""
        told = watch(self.fleet, self.begin_ms, until_ms)
        for notice in sorted(self._notices(told), key=lambda notice: notice.at_ms):
            if self.now_ms <= notice.at_ms + self._latency_ms < until_ms:
                self.hear(replace(notice, at_ms=notice.at_ms + self._latency_ms))
        while self._next_scrape_ms < until_ms:
            self.scrape(self._next_scrape_ms)
            self._next_scrape_ms += self.interval_ms
        self.now_ms = until_ms
        return self

    def go_to(self, at_ms: int) -> None:
        """Begin to play at a moment, as a process does that was started again."""
        self.now_ms = at_ms
        missed = -(-(at_ms - self._next_scrape_ms) // self.interval_ms)
        self._next_scrape_ms += max(0, missed) * self.interval_ms

    def hear(self, notice: Notice) -> None:
        """Show one notice of the watch to the inventory journal."""
        found = DECODERS[notice.kind](msgspec.json.encode(notice.object))
        if isinstance(found, BadObject):
            self.refused.append(str(found))
        elif notice.kind == "namespace":
            self.inventory.namespace_seen(found.facts)
        elif notice.kind == "node":
            self._hear_node(notice, found.facts)
        elif notice.kind == "slice":
            self.inventory.slice_seen(found.facts)
        elif notice.kind == "claim":
            self._hear_claim(notice, found.facts)
        elif notice.gone:
            self.inventory.pod_gone(found.facts.uid, notice.at_ms, None, found.facts)
        else:
            self.inventory.pod_seen(found.facts, notice.at_ms, live=not notice.initial)

    def _hear_node(self, notice: Notice, facts: Any) -> None:
        if notice.gone:
            self.inventory.node_gone(facts.uid, notice.at_ms)
        else:
            self.inventory.node_seen(facts, notice.at_ms)

    def _hear_claim(self, notice: Notice, facts: Any) -> None:
        if notice.gone:
            self.inventory.claim_gone(facts.uid, notice.at_ms)
        else:
            self.inventory.claim_seen(facts, notice.at_ms)

    def scrape(self, at_ms: int) -> None:
        """Ask every exporter once."""
        if self.way is Way.PROMETHEUS:
            for view in self._views:
                for one in scrape(view, at_ms, Shape.PROMETHEUS, READ):
                    self.store.add(*one)
            return
        for exporter in self._exporters:
            self._keep(exporter, at_ms)

    def _keep(self, exporter: Exporter, at_ms: int) -> None:
        """As the scrape loop does: an answer that is none is told and costs only itself."""
        answer, mine = exporter.answer(at_ms), exporter.view.exporter
        if answer.status != 200:
            self.refused.append(f"status {answer.status}")
            return
        try:
            found = parse(answer.body)
        except InvalidAnswer as error:
            self.refused.append(str(error))
            return
        target = ScrapeTarget(f"http://{mine.ip}:9400/metrics", exporter.view.node.name, (mine.namespace, mine.pod))
        self.journal.append(target, at_ms, [(reading.key, reading.value) for reading in found.readings])

    def close(self, now_ms: int | None = None) -> tuple[WindowClosed, ...]:
        """Close what is due."""
        return self._close(self.now_ms if now_ms is None else now_ms)

    def refresh(self, now_ms: int | None = None) -> tuple[Computed, ...]:
        """Compute the open window."""
        return self._refresh(self.now_ms if now_ms is None else now_ms)

    def revisit(self, now_ms: int | None = None) -> tuple[WindowRevised, ...]:
        """Look at closed windows again."""
        return self._revisit(self.now_ms if now_ms is None else now_ms)

    def finish(self, end_ms: int) -> tuple[Row, ...]:
        """Play to the end of a window, close it when it settled, and give all rows of the ledger."""
        self.play(end_ms + SETTLE_MS + self.interval_ms)
        self.close()
        return self.rows()

    def rows(self, span: Window | None = None) -> tuple[Row, ...]:
        """Rows of the ledger."""
        return tuple(self.ledger.rows(span or Window(self.begin_ms, self.now_ms), cluster=self.cluster))


def watch(fleet: Fleet, begin_ms: int, until_ms: int) -> list[Notice]:
    """A first list at the begin, then what changes."""
    return sorted(_notices(fleet, begin_ms, until_ms), key=lambda notice: notice.at_ms)


def _notices(fleet: Fleet, begin_ms: int, until_ms: int) -> Iterator[Notice]:
    for namespace in fleet.namespaces:
        yield Notice(
            begin_ms, "namespace", kubernetes.namespace_object(namespace) | {"kind": "Namespace"}, initial=True
        )
    for node in fleet.nodes:
        yield from _of_node(node, begin_ms, until_ms)
        yield from (exporter_notice(node, one, begin_ms) for one in node.exporters)
    yield from _of_claims(fleet, begin_ms, until_ms)
    for pod in kubernetes.every_pod(fleet):
        found = kubernetes.pod_object(fleet, pod, begin_ms)
        if found is not None:
            yield Notice(begin_ms, "pod", found, initial=True)
    for event in kubernetes.pod_events(fleet, begin_ms + 1, until_ms):
        yield Notice(event.at_ms, "pod", event.object, gone=event.type == "DELETED")


def _of_claims(fleet: Fleet, begin_ms: int, until_ms: int) -> Iterator[Notice]:
    """What DRA drivers offer, and what claims were given."""
    for node in nodes_of_drivers(fleet):
        first = max(begin_ms, node.booted_ms)
        for at_ms in [first, *(edge for edge in slice_changes(node) if first < edge < until_ms)]:
            yield Notice(at_ms, "slice", slice_object(node, at_ms), initial=at_ms == begin_ms)
    for life in claim_lives(fleet):
        found = life.object(begin_ms)
        if found is not None:
            yield Notice(begin_ms, "claim", found, initial=True)
    for event in kubernetes.claim_events(fleet, begin_ms + 1, until_ms):
        yield Notice(event.at_ms, "claim", event.object, gone=event.type == "DELETED")


def _of_node(node: SimNode, begin_ms: int, until_ms: int) -> Iterator[Notice]:
    """A node when it is first seen, when it changes, and when it goes."""
    first = max(begin_ms, node.booted_ms)
    for at_ms in [first, *(edge for edge in kubernetes.node_changes(node) if edge > first)]:
        if at_ms < min(until_ms, node.removed_ms):
            yield Notice(at_ms, "node", kubernetes.node_object(node, at_ms), initial=at_ms == begin_ms)
    if node.removed_ms < until_ms:
        yield Notice(node.removed_ms, "node", kubernetes.node_object(node, node.removed_ms), gone=True)


def exporter_notice(node: SimNode, exporter: SimExporter, at_ms: int) -> Notice:
    """The exporter's own pod, which asks for no GPU."""
    metadata = {
        "name": exporter.pod,
        "namespace": exporter.namespace,
        "uid": f"uid-{exporter.pod}-{node.name}",
        "creationTimestamp": kubernetes.timestamp(at_ms),
    }
    container = {"name": exporter.container, "image": f"registry.example/{exporter.container}:4"}
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": kubernetes.timestamp(at_ms)}
    spec = {"nodeName": node.name, "containers": [container]}
    status = {"phase": "Running", "conditions": [scheduled]}
    return Notice(at_ms, "pod", {"metadata": metadata, "spec": spec, "status": status}, initial=True)


def price_books(fleet: Fleet, currency: str = "USD") -> list[PriceBook]:
    """One book with the script's prices: an entry per node and step."""
    entries = [entry for node in fleet.nodes for entry in _entries(node)]
    return [PriceBook("script", currency, tuple(entries))] if entries else []


def _entries(node: SimNode) -> Iterator[PriceEntry]:
    price = node.price
    if price is None:
        return
    starts = [ALWAYS.start_ms, *(step.from_ms for step in price.steps[1:])]
    ends = [*starts[1:], ALWAYS.end_ms]
    for number, (step, start, end) in enumerate(zip(price.steps, starts, ends, strict=True)):
        share = int(price.gpu_share * PPM)
        yield PriceEntry(
            name=f"{node.name}-{number}",
            match=NodeMatch(node_labels={"kubernetes.io/hostname": node.name}),
            per_gpu_hour_nanos=step.nanos_per_hour if price.per_gpu else None,
            per_node_hour_nanos=None if price.per_gpu else step.nanos_per_hour,
            split=NodeSplit.GPU_SHARE,
            gpu_share_ppm=None if price.per_gpu else share,
            effective=Window(start, end),
        )
