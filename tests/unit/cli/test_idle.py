"""`aicost idle` over a ledger: kinds, owners, what it costs a day, and the sums."""

import json
from pathlib import Path

import pytest

from aicost.domain.sampling.series import PPB, Signal
from support.receipts import Kept, a_node, a_pod, busy, inputs

GIB = 1 << 30
WINDOW = ("--window", "2026-11-25")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour in which a model was loaded and not asked, and a GPU that nobody held."""
    folder = tmp_path_factory.mktemp("idle")
    pod = ("team-a", "chat-0")
    memory = busy("GPU-1", pod=pod, level=40 * GIB / PPB, signal=Signal.MEMORY_USED)
    given = inputs([a_pod("chat-0").label(model="llama").record()], [a_node().record()],
                   [busy("GPU-1", pod=pod, level=0.0), memory])  # fmt: skip
    Kept(folder).post(given)
    return folder


def test_each_line_has_an_owner_and_what_it_costs_a_day(run, kept):
    found = run("idle", "--ledger", str(kept), *WINDOW)
    assert found.code == 0, found.err
    row = next(line for line in found.out.splitlines() if "chat-0," in line)
    assert row.split()[:4] == ["idle-resident", "vision", "team-a/Deployment/chat", "llama"]
    assert row.split()[-2:] == ["$2.49", "$59.76"]
    assert "chat-0, 40.0 GiB held" in row
    assert any(line.startswith("unallocated") and "platform" in line for line in found.out.splitlines())
    assert "$4.98 of $4.98 of GPU cost" in found.out


def test_json_has_integers_and_one_namespace_is_that_namespace_alone(run, kept):
    document = json.loads(run("idle", "--ledger", str(kept), *WINDOW, "-n", "team-a", "-o", "json").out)
    (one,) = document["rows"]
    assert (one["kind"], one["cost"], one["memory"]) == ("idle-resident", "$2.49", "40.0 GiB")
    assert document["totals"][0]["cost_nanos"] == one["cost_nanos"] == one["per_day_nanos"] // 24


def test_a_time_without_windows_says_so(run, kept):
    found = run("idle", "--ledger", str(kept), "--window", "2026-11-24")
    assert (found.code, "no billing window was posted" in found.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "fix"),
    [
        (("--cluster", "c1"), "name that by --ledger"),
        (("--ledger", ".", "--context", "x"), "leave --kubeconfig and --context out"),
        (("-A", "-n", "a", "--ledger", "."), "leave one out"),
        (("--ledger", ".", "--window", "never"), "--window: 'never'"),
    ],
)
def test_what_contradicts_is_named(run, arguments, fix):
    found = run("idle", *arguments)
    assert (found.code, fix in found.err) == (2, True), found.err
