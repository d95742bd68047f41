"""What the agent tells: its page, its table, and what it says where there is no driver."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pynvml
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from aicost.domain.agent.counters import Measure
from aicost.domain.agent.values import DeviceState
from aicost.entrypoints.agent.main import agent
from aicost.entrypoints.agent.server import Pages
from aicost.entrypoints.agent.serving import Serving
from aicost.entrypoints.agent.table import table
from aicost.telemetry.agent import AGENT_METRICS, decimal, exposition
from aicost.usecases.agent.measure import Told
from support.gpus.node import A, B
from support.gpus.truth import Card, Process

NO_DRIVER = "libnvidia-ml.so.1 is not found"


def _page(node) -> dict[str, dict[tuple[str, ...], float]]:
    families = text_string_to_metric_families(exposition(node.agent.tell(at_once=True), "n1"))
    return {
        one.name: {tuple(one.labels.values()): one.value for one in family.samples}
        for family in families
        for one in family.samples[:1]
    }


def test_the_page_has_the_names_and_labels_that_are_documented(make_node) -> None:
    processes = [Process(100, A), Process(200, B, gpu=1, on_us=500_000), Process(7, "", gpu=1)]
    node = make_node([Card("GPU-0"), Card("GPU-1")], processes)
    node.run(30)
    text = exposition(node.agent.tell(at_once=True), "n1")
    specs = {metric.name: metric for metric in AGENT_METRICS}
    seen = set()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            seen.add(sample.name)
            assert set(sample.labels) == set(specs[sample.name].labels)
            assert family.type == specs[sample.name].kind.value
    assert seen == set(specs)
    engine = _page(node)["aicost_pod_gpu_seconds_total"]
    assert engine["GPU-0", "", "n1", "ml", "a", A] == pytest.approx(30, rel=0.05)
    assert _page(node)["aicost_agent_up"] == {(): 1}


def test_of_the_states_of_a_device_one_is_1(make_node) -> None:
    node = make_node([Card("GPU-0"), Card("GPU-1")], [])
    node.nvml.faults.gpus[1] = 0
    node.run(3)
    node.nvml.faults.gpus[1] = pynvml.NVML_ERROR_GPU_IS_LOST
    node.run(3)
    states = {
        (sample.labels["uuid"], sample.labels["state"]): sample.value
        for family in text_string_to_metric_families(exposition(node.agent.tell(at_once=True), "n1"))
        if family.name == "aicost_agent_device_state"
        for sample in family.samples
    }
    assert len(states) == 2 * len(DeviceState)
    assert {key for key, value in states.items() if value == 1} == {("GPU-0", "ok"), ("GPU-1", "lost")}


def test_labels_of_strangers_do_not_break_the_page() -> None:
    odd = 'a"b\\c\nd'
    told = Told(up=True, counters={(Measure.POD_ENGINE, ("GPU-0", "", odd, "p", "u")): 1})
    (family,) = [
        one for one in text_string_to_metric_families(exposition(told, "n1")) if one.samples and "pod" in one.name
    ]
    assert family.samples[0].labels["namespace"] == odd


def test_integers_are_told_exactly() -> None:
    assert decimal(12_345_678_901_234_567_890, 9) == "12345678901.234567890"
    assert decimal(5, 9) == "0.000000005"
    assert decimal(0, 3) == "0.000"
    assert decimal(7, 0) == "7"


def test_the_table_shows_gpus_pods_and_what_is_outside_them(make_node) -> None:
    processes = [Process(100, A, on_us=250_000), Process(7, "", gpu=1)]
    node = make_node([Card("GPU-0"), Card("GPU-1", instances={})], processes, gpm=True)
    node.nvml.faults.missing.add("nvmlDeviceGetAccountingPids")
    node.agent.round()
    node.truth.advance(1)
    node.run(20)
    text = table(node.agent.tell(at_once=True), 21_000_000_000)
    assert re.search(r"GPU-0 +NVIDIA H100 80GB HBM3 +ok +25 % +1\d\d W", text)
    assert re.search(r"ml +a +GPU-0 +5\.\d+ +2\.\d+ +1\.0 GiB", text)
    assert re.search(r"outside pods +GPU-1 +2[01]\.", text)
    assert "INSTANCE" not in text, "a column that is empty throughout is left out"
    assert "nvmlDeviceGetAccountingPids" in text.splitlines()[-1]


def test_once_measures_for_a_while_and_prints_a_table(make_node) -> None:
    node = make_node([Card("GPU-0")], [Process(100, A)])
    end = threading.Event()

    def live() -> None:
        while not end.is_set():
            node.truth.advance(0.02)
            end.wait(0.005)

    node.tree.update()
    thread = threading.Thread(target=live)
    thread.start()
    try:
        folders = ["--proc", str(node.tree.proc), "--pod-logs", str(node.tree.logs), "--pod-resources", "/nowhere"]
        result = CliRunner().invoke(agent, ["--once", "--seconds", "1", "--interval", "0.2", *folders])
    finally:
        end.set()
        thread.join()
    assert result.exit_code == 0, result.output
    assert "GPU-0" in result.output
    assert not node.state.exists()


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="this machine has an NVIDIA driver")
def test_without_a_driver_once_says_so_and_what_to_do_and_ends_well() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "aicost", "agent", "--once"], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0
    assert NO_DRIVER in run.stdout
    assert "RuntimeClass nvidia" in run.stdout
    assert run.stderr == ""


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="this machine has an NVIDIA driver")
def test_without_a_driver_the_server_waits_and_says_so(tmp_path) -> None:
    command = [sys.executable, "-m", "aicost", "agent", "--port", "0", "--address", "127.0.0.1", "--node", "n1"]
    with subprocess.Popen(
        [*command, "--state", str(tmp_path / "c.json")], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        port = next(int(found[1]) for line in lines if (found := re.search(r"on port (\d+)", line)))
        assert NO_DRIVER in json.loads(next(lines))["message"]
        assert "aicost_agent_up 0" in _get(port, "/metrics")[1]
        assert _get(port, "/healthz") == (200, "ok\n")
        status, text = _get(port, "/readyz")
        assert (status, NO_DRIVER in text) == (503, True)
        assert _get(port, "/etc/passwd")[0] == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert json.loads((tmp_path / "c.json").read_text())["counters"] == []


def test_a_port_that_is_taken_is_said(tmp_path) -> None:
    pages = Pages("127.0.0.1", 0, {})
    try:
        port = str(pages.server_address[1])
        run = subprocess.run(
            [sys.executable, "-m", "aicost", "agent", "--address", "127.0.0.1", "--port", port],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        pages.close()
    assert run.returncode == 1
    assert "cannot listen: Address already in use" in run.stderr


def test_a_round_that_fails_by_a_bug_ends_no_other(make_node, caplog) -> None:
    node = make_node([Card("GPU-0")], [])
    serving = Serving(node.agent, "n1", 0.01)
    rounds = []

    def broken() -> None:
        rounds.append(1)
        if len(rounds) == 3:
            serving._end.set()
        raise ZeroDivisionError

    node.agent.round = broken
    serving._rounds()
    assert len(rounds) == 3
    assert "a round failed" in caplog.text
    assert serving.alive() == (200, "ok\n")


def test_the_agent_loads_no_ledger_onto_the_node() -> None:
    heavy = ["pyarrow", "deltalake", "kopf", "pydantic", "aiohttp", "numpy", "prometheus_client"]
    code = f"import sys, aicost.entrypoints.agent.main; print([one for one in {heavy} if one in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, env={**os.environ}
    )
    assert run.stdout == "[]\n"


def _get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
