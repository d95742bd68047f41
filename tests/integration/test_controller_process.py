"""The controller as a process: how it starts, and how it ends, against a fake API server."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from contextlib import asynccontextmanager

import pytest
import yaml

from aicost.domain.exact.windows import MINUTE_MS
from devcluster.controlplane import free_ports
from support.builders import T0, make_node, make_pod
from support.expositions import NODE, OLD, device_rows, pod_row, steady, text_of
from support.fake_api.server import BOOKS, LEASES, NAMESPACES, NODES, PODS, FakeApi
from support.fake_api.session import until
from support.http_server import serving

ENDS_WITHIN = 15  # seconds; a pod is given thirty
RUN = "from aicost.entrypoints.controller.main import main; import sys; sys.exit(main(sys.argv[1:]))"
BROKEN = (
    "from aicost.entrypoints.controller.watching import ClusterWatch\n"
    "def bug(*_): raise ZeroDivisionError('a bug in a watcher')\n"
    f"ClusterWatch._on_pod = bug\n{RUN}"
)


class Controller:
    """A process and what it says."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, lines: list[str]) -> None:
        self.process, self.port, self._lines = process, port, lines

    @property
    def log(self) -> list[dict]:
        return [json.loads(line) for line in self._lines if line.startswith("{")]

    @property
    def text(self) -> str:
        return "".join(self._lines)

    async def until(self, message: str) -> dict:
        async with asyncio.timeout(30):
            while True:
                for one in self.log:
                    if one["message"] == message:
                        return one
                assert self.process.returncode is None, self.text
                await asyncio.sleep(0.02)

    async def page(self, path: str) -> str:
        def read() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.read().decode()

        return await asyncio.to_thread(read)

    async def ends(self) -> int:
        async with asyncio.timeout(ENDS_WITHIN):
            return await self.process.wait()


@asynccontextmanager
async def running(api, folder, code=RUN, **sections):
    (port,) = free_ports(1)
    settings = {
        "ledger": {"url": str(folder / "ledger")},
        "journal": {"path": str(folder / "journal.sqlite")},
        "server": {"host": "127.0.0.1", "metricsPort": port},
        "window": {"refreshSeconds": 1},
        **sections,
    }
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    named = {
        "name": "x",
        "cluster": {"server": api.url},
        "context": {"cluster": "x", "user": "x"},
        "user": {"token": "t"},
    }
    config = {"kind": "Config", "current-context": "x", "clusters": [named], "contexts": [named], "users": [named]}
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    words = ["-c", code, "--config", str(folder / "settings.yaml"), "--kubeconfig", str(folder / "kubeconfig")]
    environment = {**os.environ, "POD_NAME": "controller-0", "POD_NAMESPACE": "aicost-system"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, env=environment, stderr=asyncio.subprocess.PIPE
    )
    lines: list[str] = []
    reader = asyncio.create_task(_read(process.stderr, lines))
    try:
        yield Controller(process, port, lines)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reader


async def _read(stream, lines):
    async for line in stream:
        lines.append(line.decode())


@pytest.fixture
async def api():
    async with FakeApi() as one:
        one.put(NAMESPACES, "kube-system")
        yield one


def lease(api):
    return next((obj for key, obj in api.store.objects.items() if key[0] == "leases"), None)


async def test_it_leads_answers_its_probes_and_gives_the_lease_back_when_it_is_asked_to_end(api, tmp_path):
    async with running(api, tmp_path) as one:
        await until(lambda: api.asked("POST", "clusteraicostreports"), 20)
        assert lease(api)["spec"]["holderIdentity"] == "controller-0"
        assert await one.page("/healthz") == "ok\n"
        assert await one.page("/readyz") == "ok\n"
        assert "aicost_leader 1.0" in await one.page("/metrics")
        one.process.send_signal(signal.SIGUSR2)
        told = await one.until("state")
        assert json.loads(told["state"])["problems"] == {}
        for _ in range(3):
            one.process.send_signal(signal.SIGTERM)
        assert await one.ends() == 0, one.text
    assert one.log[-1]["message"] == "stopped"
    assert "Traceback" not in one.text
    assert not lease(api)["spec"]["holderIdentity"]


async def test_without_leader_election_there_is_no_lease_and_it_works_all_the_same(api, tmp_path):
    async with running(api, tmp_path, leader={"enabled": False}) as one:
        await until(lambda: api.asked("POST", "clusteraicostreports"), 20)
        assert "aicost_leader 1.0" in await one.page("/metrics")
        one.process.send_signal(signal.SIGINT)
        assert await one.ends() == 0, one.text
    assert [seen for seen in api.requests if "leases" in seen.path] == []


async def test_another_leader_is_waited_for_and_nothing_is_written_meanwhile(api, tmp_path):
    held = {"holderIdentity": "somebody", "leaseDurationSeconds": 600}
    api.put(LEASES, "aicost-controller", "aicost-system", spec=held)
    async with running(api, tmp_path) as one:
        await one.until("started")
        await until(lambda: len(api.asked("GET", "leases")) >= 2, 20)
        assert await one.page("/readyz") == "ok\n"
        assert "aicost_leader 0.0" in await one.page("/metrics")
        assert {seen.method for seen in api.requests} == {"GET"}
        one.process.send_signal(signal.SIGTERM)
        assert await one.ends() == 0, one.text
    assert lease(api)["spec"]["holderIdentity"] == "somebody"


async def test_a_source_that_hangs_does_not_hold_up_the_end(api, tmp_path):
    with serving(lambda request: request.hang()) as served:
        telemetry = {"prometheus": {"url": served.url, "timeoutSeconds": 60}}
        async with running(api, tmp_path, telemetry=telemetry) as one:
            await until(lambda: served.requests and lease(api), 20)
            one.process.send_signal(signal.SIGTERM)
            assert await one.ends() == 0, one.text
        assert one.log[-1]["message"] == "stopped"
        assert not lease(api)["spec"]["holderIdentity"]


async def test_a_bug_in_a_watcher_ends_the_process_with_its_traceback(api, tmp_path):
    pod = make_pod("team-a", "train-0").on("n1").manifest()
    api.put(PODS, "train-0", "team-a", metadata=pod.pop("metadata"), spec=pod["spec"], status=pod["status"])
    async with running(api, tmp_path, code=BROKEN) as one:
        assert await one.ends() == 1, one.text
    assert "ZeroDivisionError: a bug in a watcher" in one.text


async def test_a_price_book_that_cannot_be_read_yet_is_no_missing_price(api, tmp_path):
    api.put(BOOKS, "contract", spec={"currency": "USD", "entries": []}, metadata={"generation": 1})
    api.faults.forbid.add(("list", "aiworkloads"))
    async with running(api, tmp_path) as one:
        await until(lambda: len(api.asked("GET", "aiworkloads")) >= 2, 20)
        assert api.asked("PATCH", "pricebooks") == []
        assert api.asked("POST", "clusteraicostreports") == []
        api.faults.forbid.clear()
        await until(lambda: api.asked("PATCH", "pricebooks"), 20)
        one.process.send_signal(signal.SIGTERM)
        assert await one.ends() == 0, one.text


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"window": {"length": "7m"}}, "window.length '7m'"), ({"colour": {}}, "colour")],
    ids=["wrong value", "unknown key"],
)
async def test_wrong_settings_are_told_in_one_line(api, tmp_path, settings, words):
    async with running(api, tmp_path, **settings) as one:
        assert await one.ends() == 1, one.text
    assert words in one.text
    assert "Traceback" not in one.text


def _of_nodes(api) -> list[dict]:
    """Events on nodes that were posted."""
    posted = (json.loads(seen.body) for seen in api.asked("POST", "/events"))
    return [event for event in posted if event["regarding"]["kind"] == "Node"]


async def test_it_says_on_the_node_and_in_its_metrics_that_telemetry_is_not_trusted(api, tmp_path):
    """An exporter without hostPID, which shows 0 for the pods of a busy GPU, found by its own scrapes."""
    pods = [pod_row(OLD, "GPU-1", f"p{slot}", steady(0), slot=slot) for slot in range(2)]
    shown = text_of(OLD, [*device_rows(OLD, "GPU-1", steady(0.9)), *pods], 0)
    node = make_node(NODE).gpus(1).created(T0 - 60 * MINUTE_MS).manifest()
    api.put(NODES, NODE, **{key: node[key] for key in ("metadata", "spec", "status")})
    with serving(lambda request: request.answer(shown)) as served:
        exporter = make_pod("gpu", "exporter").runs("nvcr.io/nvidia/k8s/dcgm-exporter:4").on(NODE).running()
        exporter = exporter.listens("127.0.0.1").annotation("prometheus.io/port", served.url.rpartition(":")[2])
        pod = exporter.manifest()
        api.put(PODS, "exporter", "gpu", **{key: pod[key] for key in ("metadata", "spec", "status")})
        async with running(api, tmp_path, telemetry={"scrape": {"intervalSeconds": 1}}) as one:
            await until(lambda: _of_nodes(api), 60)
            metrics = await one.page("/metrics")
    (event,) = _of_nodes(api)
    assert (event["reason"], event["regarding"]["name"]) == ("TelemetryNotTrusted", NODE)
    assert event["note"].startswith("NoHostPID: the exporter runs without hostPID and shows 0 for all pods that share")
    assert f'aicost_node_telemetry_trusted{{node="{NODE}",reason="NoHostPID"}} 0.0' in metrics
    kept = json.loads((tmp_path / "ledger/node-telemetry.json").read_text())
    assert [one["trust"] for one in kept["nodes"]] == ["False"]
