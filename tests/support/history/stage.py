"""A real Prometheus that is filled with a fleet's past, and a backfill over it."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import Row
from aicost.domain.pricing.books import PriceBook
from aicost.entrypoints.cli.sources import backfill as wiring
from devcluster.golang import gobuild
from devcluster.prometheus_server import Prometheus
from fleet.script import Fleet
from fleet.series import Sample, Shape, series, target_labels
from support.history import cadvisor
from support.history.ksm import State
from support.history.remote_write import push, with_stale_markers
from support.pipeline import price_books

SCRAPE_MS = 15_000
KSM_MS = 30_000
CONFIGURATION = {"storage": {"tsdb": {"out_of_order_time_window": "400d"}}}
FLAGS = ("--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=10y")


def program() -> Path:
    found = shutil.which("prometheus") or gobuild.cached(gobuild.PROMETHEUS)
    if found is None:
        pytest.skip("no Prometheus here: `python -m devcluster build` makes one")
    return Path(found)


@contextmanager
def prometheus(folder: Path, *flags: str) -> Iterator[str]:
    """The address of an empty one."""
    with Prometheus(program(), folder, CONFIGURATION, *FLAGS, *flags) as server:
        yield server.url


def gpu_samples(fleet: Fleet, span: Window, interval_ms: int = SCRAPE_MS) -> list[Sample]:
    """What a Prometheus keeps of the fleet's exporters; as a scraper, it marks what has gone."""
    found = list(series(fleet, span.start_ms, span.end_ms, interval_ms, shape=Shape.PROMETHEUS))
    for each in (exporter for node in fleet.nodes for exporter in node.exporters):
        scrapes = range(span.start_ms, span.end_ms, interval_ms)
        found += [Sample("up", target_labels(each), at_ms, 1.0) for at_ms in scrapes]
    return with_stale_markers(found, interval_ms)


def ksm_samples(state: State, span: Window) -> list[Sample]:
    return with_stale_markers(state.samples(span.start_ms, span.end_ms, KSM_MS), KSM_MS)


def container_samples(fleet: Fleet, span: Window) -> list[Sample]:
    return with_stale_markers(cadvisor.samples(fleet, span.start_ms, span.end_ms, KSM_MS), KSM_MS)


def fill(url: str, *parts: Iterable[Sample], cluster: str = "") -> None:
    """Write samples; with the name of a cluster where one server holds several."""
    more = {"cluster": cluster} if cluster else {}
    push(url, [one._replace(labels=one.labels | more) for part in parts for one in part])


@dataclass(frozen=True)
class Filled:
    """What a backfill posted."""

    rows: Sequence[Row]
    prepared: wiring.Prepared
    ledger: DeltaLedger
    late: str = ""


def no_wait(seconds: float, why: str) -> None:
    """Nobody waits in a test."""


def backfill(
    url: str,
    span: Window,
    ledger: Path,
    now_ms: int,
    *,
    fleet: Fleet | None = None,
    books: Sequence[PriceBook] | None = None,
    windows: int | None = None,
    patience_s: float = 30.0,
    **config: object,
) -> Filled:
    """Run the backfill as the command does; `windows` stops it after so many."""
    asked = wiring.Asked(PrometheusConfig(url, **({"timeout_s": 20.0} | config)), span, str(ledger), "c1")
    prepared = wiring.prepare(asked, no_wait, patience_s=patience_s)
    given = tuple(price_books(fleet) if fleet and books is None else books or ())
    prepared = wiring.priced(prepared, given)
    running = wiring.wire(prepared, now_ms)
    late = running.backfill.late()
    for done, _ in enumerate(running.backfill(now_ms), start=1):
        if done == windows:
            break
    store = DeltaLedger(str(ledger))
    return Filled(tuple(store.rows(span, cluster="c1")), prepared, store, late)
