"""`aicost explain`: a receipt that people read, computed again in a process of its own."""

import json
import os
import shutil
import sys
from dataclasses import replace

import pytest

from aicost.adapters.ledger.inputs import replaying
from aicost.adapters.ledger.inputs.replaying import ProcessReplayer
from aicost.domain.attribution.window import state_window
from aicost.domain.exact.windows import Window
from aicost.domain.inventory.volumes import VolumeFacts, VolumeRecord
from aicost.ports.errors import ReplayFailed
from support.receipts import CLUSTER, WINDOW, Kept, a_node, a_pod, at, busy, hours, inputs, prices, with_sample

SPAN = "2026-11-25T10:00:00Z/2026-11-25T13:00:00Z"


def posted(folder):
    """Two hours: a device that is shared, a gap, a price that changes, storage, a correction; and a price of thirds."""
    kept = Kept(folder)
    pods = [a_pod().record(), a_pod("other-0", namespace="team-b").record()]
    pods = [
        replace(one, facts=replace(one.facts, volumes=("data",), cpu_millis=8_000, memory_bytes=2**36)) for one in pods
    ]
    series = [busy("GPU-1", gap=Window(at(10), at(20))), busy("GPU-2", pod=("team-b", "other-0"))]
    book = replace(prices(2.49, cut=30), storage_classes={"fast": 80_000_000})
    first = inputs(pods, [a_node().record()], series, books=[book])
    volume = VolumeRecord(VolumeFacts("v", "team-a", "data", 0, "fast", 2**40, True), since_ms=0)
    first = replace(first, facts=replace(first.facts, volumes=(volume,)))
    kept.post(first)
    kept.post(replace(first, telemetry=inputs(pods, series=[busy("GPU-1"), series[1]]).telemetry), 1)
    kept.post(inputs(window=hours(1), nodes=[a_node(gpus=3).record()], books=[prices(1.000000001)]))
    return kept


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("receipts") / "ledger"
    posted(folder)
    return folder


@pytest.fixture
def explain(run, filled):
    def call(*arguments, ledger=filled, window=SPAN):
        return run("explain", *arguments, "--window", window, "--ledger", str(ledger))

    return call


def test_the_receipt_tells_all_and_ends_with_its_verdict(explain):
    said = explain("team-a/train-0")
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == "replayed: equal"
    for told in (
        "Receipt of pod team-a/train-0 · cluster c1",
        "team-a/train-0 of Deployment/train",
        "Charged to    team vision, by owner label Deployment/train",
        "Charged to    product maps, by namespace label namespace/team-a",
        "book/h100: $2.49 per GPU-hour",
        "Not used      book/h100-later: its price holds from 2026-11-25T10:30:00Z",
        "late-data",
        "team-a/data",
        "2 devices x $2.49 x 1,800 s / 3,600 s = $2.490000000",
    ):
        assert told in said.out, told


def test_rounding_is_told_to_the_nano_and_the_parts_stand_under_the_whole(explain):
    out = explain("team-a/train-0", "--detail", "2026-11-25T11:00:00Z/2026-11-25T12:00:00Z").out
    assert "3 devices x $1.000000001 x 3,600 s / 3,600 s = $3.000000003" in out
    assert "one of 3 equal parts" in out
    assert "nano   $" in out
    assert "up, by a unit left over" in out


def test_tables_line_up(explain):
    lines = explain("team-a/train-0").out.splitlines()
    (head,) = [index for index, line in enumerate(lines) if line.startswith("COMPONENT")]
    rows = lines[head + 1 : lines.index("", head)]
    column = lines[head].index("COST") + len("COST")
    assert len(rows) >= 4
    assert all(row[column - 1].isdigit() and row[column : column + 1] in {"", " "} for row in rows)


def test_the_document_has_integers_and_every_window(explain):
    document = json.loads(explain("team-a/train-0", "-o", "json").out)
    assert (document["kind"], document["replayed"]) == ("CostReceipt", "equal")
    first, second = document["windows"]
    assert [one["replayed"] for one in document["windows"]] == ["equal", "equal"]
    assert [one["revision"] for one in first["revisions"]] == [0, 1]
    assert (first["detail"] is None) != (second["detail"] is None)
    by_window = sum(row["cost_nanos"] for one in document["windows"] for row in one["rows"])
    assert by_window == document["totals"][0]["cost_nanos"]
    assert {row["component"] for row in first["rows"]} == {"gpu", "cpu", "memory", "storage"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--node", "gpu-1"),
        ("--device", "GPU-2"),
        ("--workload", "team-b/Deployment/other"),
        ("--workload", "team-a/train"),
    ],
)
def test_nodes_devices_and_workloads_are_explained(explain, arguments):
    said = explain(*arguments)
    assert said.code == 0, said.err
    assert said.out.endswith("replayed: equal\n")


def test_an_altered_sample_differs_and_the_amounts_are_told(explain, filled, tmp_path):
    place = shutil.copytree(filled, tmp_path / "ledger")
    Kept(place).alter(lambda given: with_sample(given, "GPU-1", 60, 0), hours(1))
    said = explain("team-a/train-0", ledger=place)
    assert said.code == 1
    assert said.out.splitlines()[-1] == "replayed: differs"
    assert "the stored inputs of revision 0 are not those that were posted" in said.out
    assert "gpu of GPU-1, used, team-a/train-0, book/h100: the ledger says $0.75" in said.out


def test_without_inputs_it_fails_and_says_how_to_keep_them(run, tmp_path):
    kept = Kept(tmp_path / "ledger")
    kept.post(inputs(), keep=False)
    said = run("explain", "team-a/train-0", "--window", SPAN, "--ledger", str(kept.folder))
    assert said.code == 1
    assert "ledger.inputs.keep" in said.out
    assert said.out.splitlines()[-1] == "replayed: not replayed"
    kept.post(inputs(window=hours(1)))
    said = run("explain", "team-a/train-0", "--window", SPAN, "--ledger", str(kept.folder))
    assert said.code == 1
    assert said.out.splitlines()[-1] == "replayed: 1 of 2 windows equal, the others could not be computed again"


def test_the_open_window_is_told_to_be_provisional(run, tmp_path):
    kept = Kept(tmp_path / "ledger")
    kept.ledger.replace_provisional(CLUSTER, WINDOW, state_window(inputs()).rows)
    said = run("explain", "team-a/train-0", "--window", SPAN, "--ledger", str(kept.folder))
    assert said.code == 0
    assert said.out.splitlines()[-1].startswith("replayed: not yet: the window is open")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "nothing was named: name one of NAMESPACE/POD, --workload, --node and --device"),
        (("a/b", "--node", "n"), "2 things were named"),
        (("train-0",), "NAMESPACE/POD: 'train-0' names no namespace: write NAMESPACE/train-0"),
        (("--workload", "/x"), "--workload: '/x' names no namespace"),
        (("team-a/train-0", "--cluster", "c9"), "--cluster: 'c9' has no rows in this ledger; name one"),
        (("team-a/train-9",), "has no row of it in 2026-11-25T10:00:00Z/2026-11-25T13:00:00Z. It has team-a/train-0"),
        (("team-a/train-0", "--detail", "yesteryear"), "--detail: 'yesteryear'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_fix(explain, arguments, told):
    refused = explain(*arguments)
    assert refused.code == 2
    assert told in refused.err


def test_the_process_that_computes_again_gets_inputs_and_nothing_else(monkeypatch):
    monkeypatch.setenv("AICOST_SECRET", "hunter2")
    seen = {}
    real = replaying.subprocess.run

    def watched(command, **more):
        seen.update(more, command=command)
        return real(command, **more)

    monkeypatch.setattr(replaying.subprocess, "run", watched)
    (rows,) = ProcessReplayer()([inputs()])
    assert sorted(map(repr, rows)) == sorted(map(repr, state_window(inputs()).rows))
    assert seen["command"] == [sys.executable, "-m", "aicost", "recompute"]
    assert "AICOST_SECRET" not in seen["env"]
    assert not {name for name in seen["env"] if "ledger" in seen["env"][name]}
    assert seen["cwd"] == os.sep


def test_a_process_that_fails_is_told(monkeypatch):
    monkeypatch.setattr(replaying, "COMMAND", "no-such-command")
    with pytest.raises(ReplayFailed, match=r"the process that computes it again failed: .*no-such-command"):
        ProcessReplayer()([inputs()])


def test_the_process_takes_no_arguments(run):
    said = run("recompute", "--ledger", "x")
    assert said.code == 2
    assert "takes no arguments" in said.err
