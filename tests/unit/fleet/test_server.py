"""Exporters over HTTP: the text of the script, its faults, and a clock that the test holds."""

import os

import pytest
import urllib3

from fleet.builders import node, pod
from fleet.clocks import SetClock, accelerated, real_clock
from fleet.exporter.text import Exporter
from fleet.faults import Fault, FaultKind
from fleet.script import Fleet, SimExporter
from fleet.server import FleetServer
from fleet.spec import parse

START = 600_000


def fleet_of(*faults, ip="127.10.0.1"):
    host = node(gpus=2, faults=faults, exporters=(SimExporter(ip=ip),))
    return Fleet((host, node("gpu-b")), (pod("train", host, activity=parse("ramp:0/1/10/1m")),))


@pytest.fixture
def http():
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        yield pool


def test_each_node_answers_with_the_text_of_the_moment(http):
    fleet, clock = fleet_of(), SetClock(START)
    with FleetServer(fleet, clock) as server:
        assert set(server.urls) == {"gpu-a", "gpu-b"}
        for _ in range(2):
            answer = http.request("GET", server.urls["gpu-a"][0])
            assert answer.data.decode() == Exporter(fleet, "gpu-a").text(clock())
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            clock.advance(60_000)


def test_faults_arrive_over_the_wire(http):
    faults = [
        Fault(FaultKind.GAP, START, START + 1),
        Fault(FaultKind.UNAVAILABLE, START + 1, START + 2),
        Fault(FaultKind.HTML, START + 2, START + 3),
        Fault(FaultKind.HUGE, START + 3, START + 4),
    ]
    clock = SetClock(START)
    with FleetServer(fleet_of(*faults), clock) as server:
        url = server.urls["gpu-a"][0]
        with pytest.raises(urllib3.exceptions.ProtocolError):
            http.request("GET", url)
        seen = []
        for _ in range(4):
            clock.advance(1)
            answer = http.request("GET", url)
            seen.append((answer.status, answer.headers["Content-Type"].split(";")[0], len(answer.data) > 9_000_000))
    assert seen == [
        (503, "text/plain", False),
        (200, "text/html", False),
        (200, "text/plain", True),
        (200, "text/plain", False),
    ]


def test_exporters_can_listen_on_the_addresses_of_their_pods(http):
    ip = f"127.83.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"  # one test process, one address
    host = node(exporters=(SimExporter(ip=ip),))
    with FleetServer(Fleet((host,)), SetClock(START), pod_ips=True) as server:
        assert server.urls == {"gpu-a": [f"http://{ip}:9400/metrics"]}
        assert http.request("GET", server.urls["gpu-a"][0]).status == 200
        assert http.request("GET", f"http://{ip}:9400/").status == 404


def test_a_closed_server_refuses(http):
    with FleetServer(fleet_of(), SetClock(START)) as server:
        url = server.urls["gpu-a"][0]
    with pytest.raises(urllib3.exceptions.NewConnectionError):
        http.request("GET", url)


def test_clocks_run_as_fast_as_they_say():
    fast = accelerated(START, 1_000_000)
    first, second = fast(), fast()
    assert START <= first <= second
    assert real_clock() > 1_700_000_000_000
