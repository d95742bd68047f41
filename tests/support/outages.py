"""The controller's own rounds over a scripted fleet, a real ledger and real journals, on a clock that a test holds.

`Controlled(folder, fleet, monkeypatch)` plays what happens and does a round each five minutes; `Prometheus` is a server
on the loopback that tells the fleet's samples as a Prometheus does, or fails as one does.
"""

import json
import resource
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import pytest

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.source import PrometheusSource
from aicost.bootstrap import Stores, build, open_upkeep
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.ledger.difference import difference, identity
from aicost.domain.ledger.rows import Component, Row
from aicost.entrypoints.controller import rounds as rounds_module
from aicost.entrypoints.controller.attempts import Attempts
from aicost.entrypoints.controller.publish import publisher as publisher_module
from aicost.entrypoints.controller.publish import writing as writing_module
from aicost.entrypoints.controller.publish.publisher import Publisher
from aicost.entrypoints.controller.publish.writing import StatusPublisher
from aicost.entrypoints.controller.registry import Registry
from aicost.entrypoints.controller.rounds import Rounds
from aicost.entrypoints.controller.state import SourceState, State
from aicost.settings import parse_settings
from aicost.telemetry.metrics import Metrics
from fleet.script import Fleet
from support.controller import made, shown
from support.fake_api.server import BOOKS, CLUSTER_REPORTS, OURS, FakeApi
from support.fakes.counts import MemoryCounts
from support.http_server import Request, serving
from support.pipeline import Notice, Pipeline, Way

ROUND_MS = 5 * MINUTE_MS
PRICE = {"currency": "USD", "entries": [{"name": "all", "match": {"gpuModel": "h100-80gb"}, "perGpuHour": "4.00"}]}
REPORT = "month-to-date-by-namespace"
Fault = Callable[[Request], None]


def always(_: int) -> int:
    """A clock that is right."""
    return 0


class Prometheus:
    """Tells the samples of a pipeline by the HTTP API; `fault` answers instead of it while it is set."""

    def __init__(self) -> None:
        self.pipeline: Pipeline | None = None
        self.fault: Fault | None = None
        self.hidden: Callable[[dict[str, str], int], bool] = lambda _labels, _at_ms: False
        self.url = ""

    @contextmanager
    def running(self) -> Iterator[Self]:
        with serving(self._respond) as served:
            self.url = served.url
            yield self

    def source(self, timeout_s: float = 5.0) -> PrometheusSource:
        return PrometheusSource(PrometheusConfig(self.url, timeout_s=timeout_s))

    def _respond(self, request: Request) -> None:
        if self.fault is not None:
            self.fault(request)
        elif request.path.endswith("/metadata"):
            request.answer_json({"status": "success", "data": {}})
        elif "over_time" in request.form["query"]:  # nothing but the samples of the fleet is known
            kind = "matrix" if request.form["query"].endswith("]") else "vector"
            request.answer_json({"status": "success", "data": {"resultType": kind, "result": []}})
        else:
            request.answer_json({"status": "success", "data": {"resultType": "matrix", "result": self.matrix(request)}})

    def matrix(self, request: Request) -> list[dict[str, Any]]:
        """Raw samples of a selector with a range."""
        assert self.pipeline is not None
        end = round(float(request.form["time"]) * 1_000)
        since = end - int(request.form["query"].rpartition("[")[2].removesuffix("ms]"))
        found = []
        for (name, pairs), points in self.pipeline.store.columns.items():
            labels = dict(pairs)
            inside = [(at, value) for at, value in points if since < at <= end and not self.hidden(labels, at)]
            if inside:
                values = [[at / 1_000, repr(value)] for at, value in inside]
                found.append({"metric": {"__name__": name, **labels}, "values": values})
        return found


class Skewed(Pipeline):
    """A pipeline whose own clock is off by `skew(true time)` wherever it says when something was seen or scraped."""

    def __init__(self, *words: Any, skew: Callable[[int], int] = always, **options: Any) -> None:
        self.skew = skew
        super().__init__(*words, **options)

    def hear(self, notice: Notice) -> None:
        super().hear(replace(notice, at_ms=notice.at_ms + self.skew(notice.at_ms)))

    def _keep(self, exporter: Any, at_ms: int) -> None:
        ahead = self.skew(at_ms)
        journal = self.journal
        self.journal = _Stamped(journal, ahead)
        try:
            super()._keep(exporter, at_ms)
        finally:
            self.journal = journal


class _Stamped:
    """A journal that gets its moments from a clock that is off."""

    def __init__(self, journal: Any, ahead_ms: int) -> None:
        self._journal, self._ahead_ms = journal, ahead_ms

    def append(self, target: Any, at_ms: int, samples: Any) -> None:
        self._journal.append(target, at_ms + self._ahead_ms, samples)


class Silent:
    """A publisher without an API server."""

    async def keep_reports(self) -> None:
        return

    async def publish(self) -> None:
        return


class Controlled:
    """Rounds of the controller over a pipeline.

    Args:
        folder: journals and the ledger.
        fleet: the script; each GPU costs $4 an hour.
        monkeypatch: sets the controller's clock.
        begin_ms: when the watch and the ledger begin.
        api: where reports are kept and published, with a client of it; None: nothing is published.
        prometheus: where samples come from; None: they are scraped.
        skew: by how much the controller's clock is off at a moment.
    """

    def __init__(
        self,
        folder: Path,
        fleet: Fleet,
        monkeypatch: pytest.MonkeyPatch,
        *,
        begin_ms: int,
        api: tuple[FakeApi, KubeClient] | None = None,
        prometheus: Prometheus | None = None,
        skew: Callable[[int], int] = always,
    ) -> None:
        way = Way.PROMETHEUS if prometheus else Way.SCRAPE
        self.pipeline = Skewed(folder, fleet, begin_ms=begin_ms, way=way, skew=skew)
        self.begin_ms = self.true_ms = begin_ms
        self.api: FakeApi | None = None
        self.metrics, self.registry = Metrics(), Registry()
        name = "prometheus" if prometheus else "scrape"
        self.state = State("c1", source=SourceState(name, f"the {name} of the test"))
        pipeline = self.pipeline
        kept = (pipeline.inputs, open_upkeep(pipeline.ledger))
        stores = Stores(pipeline.inventory, pipeline.journal, pipeline.ledger, MemoryCounts(), *kept)
        settings = parse_settings({"window": {"length": "15m"}, "reports": {"automatic": False}})
        self.app = build(settings, "c1", stores, self.metrics, lambda: True)
        self.app.source.value = pipeline.journal
        if prometheus:
            prometheus.pipeline = pipeline
            self.app.source.value = prometheus.source()
        for module in (rounds_module, publisher_module, writing_module):
            monkeypatch.setattr(module, "now_ms", self.now_ms)
        attempts, publisher = Attempts(self.state, self.metrics), self._publisher(api)
        self.rounds = Rounds(self.app, self.registry, self.state, publisher, attempts, claimed=self._claimed)

    def _publisher(self, api: tuple[FakeApi, KubeClient] | None) -> Silent | Publisher:
        if api is None:
            self.registry.put(made("PriceBook", "all", PRICE))
            return Silent()
        self.api, client = api
        self.api.put(BOOKS, "all", spec=PRICE, status={"conditions": []}, metadata={"generation": 1})
        self.api.put(CLUSTER_REPORTS, REPORT, spec={"window": "month-to-date", "groupBy": ["namespace"]})
        statuses = StatusPublisher(client, "a test")
        spaces = frozenset({"team-a"})
        return Publisher(client, self.registry, self.app, self.state, statuses, namespaces=lambda: spaces)

    def _hear(self) -> None:
        """Our own objects, as kopf tells of them."""
        ours = {one.plural for one in OURS}
        for key, body in self.api.store.objects.items() if self.api else ():
            if key[0] in ours:
                body["metadata"].setdefault("generation", 1)
                self.registry.put({"status": {"conditions": []}, **body})

    async def _claimed(self, _: Any) -> None:
        return

    def now_ms(self) -> int:
        """The controller's own clock."""
        return self.true_ms + self.pipeline.skew(self.true_ms)

    async def live(self, until_ms: int, every_ms: int = ROUND_MS) -> Self:
        """Let time pass to a moment, with a round each five minutes or so."""
        while self.true_ms < until_ms:
            self.true_ms = min(until_ms, self.true_ms + every_ms)
            self.pipeline.play(self.true_ms)
            self.pipeline.inventory.heard(self.now_ms())
            self._hear()
            await self.rounds.once()
        return self

    def condition(self, kind: str) -> tuple[str, str, str]:
        """What the cluster's own report says in one condition, as it is published."""
        assert self.api is not None
        status = self.api.store.objects[CLUSTER_REPORTS.plural, "", REPORT]["status"]
        (found,) = (one for one in status["conditions"] if one["type"] == kind)
        return found["status"], found["reason"], found["message"]

    def shown(self, *name: str) -> float | None:
        """A metric as a scrape sees it."""
        return shown(self.metrics).get(name)

    def rows(self, until_ms: int | None = None) -> tuple[Row, ...]:
        """All rows of the ledger of windows that begin before a moment."""
        every = self.pipeline.ledger.rows(Window(0, 1 << 42), cluster="c1")
        return tuple(row for row in every if until_ms is None or row.window.start_ms < until_ms)

    def close(self) -> None:
        self.pipeline.shut()


def net(rows: Iterable[Row]) -> dict[tuple[Any, ...], tuple[int, int, int, int]]:
    """What stands in the ledger after all its differences: per identity cost, device time, measured time, quantity."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        sums = found.setdefault(identity(row), [0, 0, 0, 0])
        amounts = (row.cost_nanos or 0, row.gpu_milliseconds, row.measured_milliseconds, row.quantity)
        sums[:] = [a + b for a, b in zip(sums, amounts, strict=True)]
    return {key: (a, b, c, d) for key, (a, b, c, d) in found.items() if a or b or c or d}


def assert_equal(got: Iterable[Row], want: Iterable[Row]) -> None:
    """The ledgers are equal, row by row, once differences are added to what they correct."""
    got, want = tuple(got), tuple(want)
    mine, theirs = net(got), net(want)
    apart = [(key, mine.get(key), theirs.get(key)) for key in {*mine, *theirs} if mine.get(key) != theirs.get(key)]
    assert not apart, f"{len(apart)} of {len(theirs)} differ, such as {apart[:2]}"
    assert difference(got, want, 99, "check") == ()


def assert_sound(rows: Iterable[Row]) -> None:
    """Each device's time is billed once, all of it, in each window; nothing is negative, no two windows overlap."""
    rows = tuple(rows)
    for key, amounts in net(rows).items():
        assert min(amounts) >= 0, (key, amounts)
    times: dict[tuple[Window, str, str], int] = {}
    for row in rows:
        if row.component is Component.GPU:
            key = (row.window, row.place.node, row.place.device)
            times[key] = times.get(key, 0) + row.gpu_milliseconds
    times = {key: ms for key, ms in times.items() if ms}  # a place that got its device later is taken away in full
    assert times
    windows = sorted({window for window, _, _ in times}, key=lambda window: window.start_ms)
    assert all(one.end_ms <= two.start_ms for one, two in pairwise(windows))
    per_window = {window: {key[1:]: ms for key, ms in times.items() if key[0] == window} for window in windows}
    nodes = [sorted(node for node, _ in devices) for devices in per_window.values()]
    assert all(each == nodes[0] for each in nodes), "no device is lost, in no window"
    for window, devices in per_window.items():
        assert set(devices.values()) == {window.length_ms}, (window, devices)
    for window in windows:
        first = [row for row in rows if row.window == window and row.revision == 0]
        assert len({identity(row) for row in first}) == len(first), f"{window} was posted twice"


@contextmanager
def full_disk() -> Iterator[None]:
    """No byte more can be written to any file of this process, as on a volume that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def answering(status: int, text: str, kind: str = "execution") -> Fault:
    """A Prometheus that answers with an error."""
    return lambda request: request.answer(
        json.dumps({"status": "error", "errorType": kind, "error": text}), status, Content_Type="application/json"
    )
