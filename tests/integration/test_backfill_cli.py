"""The command as people use it: look, compute, stop, go on, report, take a figure apart."""

from collections.abc import Iterator
from fractions import Fraction

import pytest

from aicost.__main__ import main
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window, to_rfc3339
from aicost.usecases.close_windows import CloseWindows
from fleet.activity import Steady
from fleet.builders import node, pod
from fleet.script import Collection, Fleet, SimExporter
from support.history.ksm import State
from support.history.stage import fill, gpu_samples, ksm_samples, prometheus

pytestmark = pytest.mark.cluster
T = 1_795_600_800_000
SPAN = Window(T, T + 3 * HOUR_MS)
AROUND = Window(T - 10 * MINUTE_MS, SPAN.end_ms + 15 * MINUTE_MS)
SINCE = f"{to_rfc3339(SPAN.start_ms)}/{to_rfc3339(SPAN.end_ms)}"
HOST = node(gpus=2, exporters=(SimExporter(collection=Collection(15_000, 0), quantised=False),), booted_ms=T - HOUR_MS)
LIFE = {"bound_ms": T, "started_ms": T, "activity": Steady(Fraction(1, 2)), "labels": (("aicost.dev/team", "search"),)}
FLEET = Fleet((HOST,), (pod("train", HOST, (0,), **LIFE),))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        fill(server, gpu_samples(FLEET, AROUND), ksm_samples(State(FLEET), AROUND))
        yield server


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_a_dry_run_looks_and_writes_nothing(url, run, tmp_path):
    code, out, _ = run("backfill", "--prometheus", url, "--since", SINCE, "--ledger", str(tmp_path / "l"), "--dry-run")
    assert code == 0
    for said in ("2 GPUs, dcgm-exporter 4.8.3", "kube-state-metrics v2.15.0, 1 pod", "1 node", "aicost.dev/team"):
        assert said in out
    assert "Mend          Prices: add --list-prices" in out
    assert not (tmp_path / "l").exists()


def test_from_looking_to_a_receipt(url, run, tmp_path):
    ledger = str(tmp_path / "ledger")
    asked = ("--prometheus", url, "--since", SINCE, "--ledger", ledger, "--cluster", "prod")
    code, out, err = run("backfill", *asked, "--gpu-price", "h100-80gb=2.50")
    assert code == 0, err
    assert "$15.00, 6.00 GPU-hours" in out
    assert "telemetry 100.0%, price 100.0%" in out
    assert f"aicost report --ledger {ledger} --window" in out
    assert "3/3 hours" in err
    code, out, _ = run("report", "--ledger", ledger, "--window", SINCE, "--by", "team")
    assert code == 0
    assert "search" in out
    assert "Rests on" in out
    assert "ksm 50.0%" in out
    code, out, _ = run("explain", "team-a/train", "--ledger", ledger, "--window", SINCE)
    assert out.rstrip().endswith("replayed: equal")


def test_an_interrupt_is_clean_and_the_same_command_goes_on(url, run, tmp_path, monkeypatch):
    ledger = str(tmp_path / "ledger")
    asked = ("backfill", "--prometheus", url, "--since", SINCE, "--ledger", ledger)
    whole, left = CloseWindows.close, [1]

    def close(self, *arguments, **more):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return whole(self, *arguments, **more)

    with monkeypatch.context() as patched:
        patched.setattr(CloseWindows, "close", close)
        code, _, err = run(*asked)
    assert code == 130
    assert "goes on where it stopped" in err
    code, out, err = run(*asked)
    assert code == 0
    assert "Posted        2 hours" in out
    assert "2/2 hours" in err
    assert "h100-80gb on p5.48xlarge" in out
    assert f"\n  aicost rerate --ledger {ledger} --window 2026-11-25T10:00Z/2026-11-25T13:00Z" in out
    code, out, _ = run(*asked)
    assert "nothing: the ledger holds all hours that ended" in out


BOOK = """
apiVersion: aicost.dev/v1alpha1
kind: PriceBook
metadata: {name: mine}
spec:
  currency: USD
  entries:
    - {name: h100, match: {gpuModel: h100-80gb}, perGpuHour: "3.00"}
"""


def test_prices_may_come_later_and_what_rows_rest_on_stays(url, run, tmp_path):
    ledger, book = str(tmp_path / "ledger"), tmp_path / "book.yaml"
    book.write_text(BOOK)
    assert run("backfill", "--prometheus", url, "--since", SINCE, "--ledger", ledger)[0] == 0
    code, out, err = run("rerate", "--ledger", ledger, "--window", SINCE, "--prices", str(book), "--post")
    assert code == 0, err
    code, out, _ = run("report", "--ledger", ledger, "--window", SINCE, "--by", "team")
    assert "$18.00" in out
    assert "backfill 100.0%" in out


def test_policies_and_aiworkloads_in_files_count_as_in_a_cluster(url, run, tmp_path):
    ledger, claim = str(tmp_path / "ledger"), tmp_path / "claim.yaml"
    claim.write_text(
        "apiVersion: aicost.dev/v1alpha1\nkind: AIWorkload\nmetadata: {name: llm, namespace: team-a}\n"
        "spec:\n  selector: {matchLabels: {aicost.dev/team: search}}\n  model: llama\n"
    )
    asked = ("backfill", "--prometheus", url, "--since", SINCE, "--ledger", ledger, "--aiworkloads", str(claim))
    code, _, err = run(*asked)
    assert code == 0, err
    _, out, _ = run("report", "--ledger", ledger, "--window", SINCE, "--by", "workload,model")
    assert "llm" in out
    assert "llama" in out
