"""`aicost training` on a bundle: from the first line of a trace to a price for a step."""

import csv
import io
import json

import pytest

from aicost.entrypoints.cli.main import main
from support.http_server import serving
from support.trained import FROM, WINDOW, trained_bundle

STEPS = [
    *((at, max(0, 10 * (at - 10))) for at in range(5, 31)),
    *((at, max(150, 150 + 10 * (at - 40))) for at in range(36, 125)),
]
"""Minutes, and steps of the run in the bundle."""


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    bundle, ledger = trained_bundle(folder / "b"), folder / "l"
    assert main(["replay", str(bundle), "--ledger", str(ledger)]) == 0
    return ["--ledger", str(ledger), "--window", WINDOW, "--bundle", str(bundle)]


def rows(capsys, *arguments):
    assert main(["training", *arguments, "-o", "json"]) == 0
    return {row["run"]: row for row in json.loads(capsys.readouterr().out)["rows"]}


def test_a_run_with_a_restart_is_costed_to_the_nano(places, capsys):
    row = rows(capsys, *places)["PyTorchJob/llama"]
    assert (row["state"], row["pods"], row["restarts"]) == ("running", 2, 1)
    assert row["cost_nanos"] == 6_900_000_000
    assert row["parts_nanos"] == {
        "useful": 5_700_000_000,
        "lost-steps": 300_000_000,
        "restarts": 300_000_000,
        "failed": 0,
        "start": 600_000_000,
        "after": 0,
        "untold": 0,
    }
    assert (row["useful"]["steps"], row["lost_units"]) == ("940", "50")
    assert row["per_step_nanos"] == round(6_900_000_000 / 940)
    assert row["per_million_tokens_nanos"] == round(6_900_000_000 / (99 * 940 / 990))
    assert (row["progress"], row["to_complete_nanos"]) == ("0.47", round(6_900_000_000 * 53 / 47))
    assert (row["method"], row["confidence"]) == ("steps", "high")


def test_a_train_job_reports_its_progress_and_its_quality(places, capsys):
    row = rows(capsys, *places)["TrainJob/tune"]
    assert row["cost_nanos"] == 3_600_000_000
    assert (row["progress"], row["to_complete_nanos"]) == ("0.4", 5_400_000_000)
    assert row["quality"] == {
        "name": "eval_accuracy",
        "first": "0.5",
        "last": "0.9",
        "per_point_nanos": 9_000_000_000,
    }
    assert (row["method"], row["confidence"]) == ("progress", "medium")
    assert row["per_step_nanos"] is None


def test_the_runs_of_the_report_are_those_of_the_bill(places, capsys):
    told = rows(capsys, *places)
    assert main(["report", *places[:4], "--by", "controller", "-o", "json"]) == 0
    lines = {row["keys"]["controller"]: row for row in json.loads(capsys.readouterr().out)["reports"][0]["rows"]}
    assert {run: row["cost_nanos"] for run, row in told.items()} == {run: int(lines[run]["cost_nanos"]) for run in told}


def test_the_screen_lines_up_and_says_where_the_money_went(places, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["training", *places]) == 0
    shown = capsys.readouterr().out
    assert "steps (high)" in shown
    assert "Where the money went" in shown
    head, line = (shown.splitlines()[place] for place in (3, 4))
    assert head.index("COST") + len("COST") == line.index("$6.90") + len("$6.90")


def test_without_metrics_it_says_what_is_missing_and_how_to_give_it(places, capsys):
    row = rows(capsys, *places[:4])["PyTorchJob/llama"]
    assert row["parts_nanos"]["failed"] == 1_800_000_000
    assert row["parts_nanos"]["untold"] == 5_100_000_000
    assert (row["goodput"], row["method"], row["confidence"]) == (None, None, "low")
    assert "spec.training" in row["gaps"][0]
    assert "--steps" in row["gaps"][0]


def test_metrics_may_be_in_a_prometheus_and_aiworkloads_in_a_file(places, capsys, tmp_path):
    spec = {"selector": {"matchLabels": {"job": "llama"}}, "training": {"steps": {"metric": "step", "whole": 2000}}}
    workload = {"kind": "AIWorkload", "metadata": {"name": "llama", "namespace": "vision"}, "spec": spec}
    (tmp_path / "objects.json").write_text(json.dumps(workload))
    asked = []

    def respond(request):
        asked.append(request.form["query"])
        labels = {"__name__": "step", "namespace": "vision"}
        series = [
            {"metric": {**labels, "pod": pod}, "values": [[FROM / 1000 + 60 * at, str(steps)] for at, steps in told]}
            for pod, told in (("llama-0", STEPS[:26]), ("llama-1", STEPS[26:]), ("stranger", STEPS))
        ]
        request.answer_json({"status": "success", "data": {"resultType": "matrix", "result": series}})

    with serving(respond) as served:
        given = ["--prometheus", served.url, "--objects", str(tmp_path / "objects.json")]
        row = rows(capsys, *places[:4], *given)["PyTorchJob/llama"]
    assert asked
    assert all('"step"' in query and 'namespace="vision"' in query for query in asked)
    assert (row["useful"]["steps"], row["lost_units"], row["restarts"]) == ("940", "50", 1)
    assert row["parts_nanos"]["useful"] == 5_700_000_000
    assert (row["progress"], row["confidence"]) == ("0.47", "high")


def test_an_option_names_what_the_aiworkload_does_not(places, capsys, tmp_path):
    plain = trained_bundle(tmp_path / "b", training={"quality": {"metric": "no_such_metric"}})
    row = rows(capsys, *places[:4], "--bundle", str(plain), "--steps", "train_global_step")["PyTorchJob/llama"]
    assert row["gaps"] == ["quality: no pod of the run shows no_such_metric in this time"]
    assert row["per_step_nanos"] == round(6_900_000_000 / 940)


def test_what_is_missing_of_several_runs_is_said_once(places, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    assert main(["training", *places[:4]]) == 0
    (told,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Not told")]
    assert "vision/PyTorchJob/llama, vision/TrainJob/tune: nothing tells" in told


def test_csv_has_one_line_for_each_run(places, capsys):
    assert main(["training", *places, "-o", "csv"]) == 0
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["run"] for row in found] == ["PyTorchJob/llama", "TrainJob/tune"]
    assert found[0]["parts_nanos.lost-steps"] == "300000000"
    assert found[1]["per_step_nanos"] == ""


@pytest.mark.parametrize(("at", "progress"), [("11:05:00", "0.5"), ("12:30:00", None)])
def test_what_a_train_job_says_now_is_about_the_hour_that_is_open(places, capsys, tmp_path, at, progress):
    status = {"trainerStatus": {"progressPercentage": 50, "lastUpdatedTime": f"2026-03-02T{at}Z"}}
    job = {"kind": "TrainJob", "metadata": {"name": "tune", "namespace": "vision"}, "status": status}
    (tmp_path / "jobs.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": [job]}))
    row = rows(capsys, *places[:4], "--objects", str(tmp_path / "jobs.json"))["TrainJob/tune"]
    assert (row["progress"], row["to_complete_nanos"]) == (progress, 3_600_000_000 if progress else None)


def test_runs_of_one_aiworkload_may_be_one(places, capsys):
    assert set(rows(capsys, *places, "--by", "workload")) == {"llama", "TrainJob/tune"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--window", "never"], "never"),
        (["--cluster", "other"], "other"),
        (["--prometheus", "http://127.0.0.1:9"], "name one source of series"),
        (["--filter", "team"], "team"),
        (["--objects", "/no/such/file.yaml"], "/no/such/file.yaml"),
    ],
)
def test_a_wrong_question_is_answered_with_what_to_write(places, capsys, given, said):
    assert main(["training", *places, *given]) == 2
    assert said in capsys.readouterr().err


def test_a_metric_without_a_place_to_read_it_is_refused(places, capsys):
    assert main(["training", *places[:4], "--steps", "train_global_step"]) == 2
    assert "--prometheus URL or --bundle DIR" in capsys.readouterr().err


def test_a_time_that_the_ledger_does_not_hold_has_no_table(places, capsys):
    assert main(["training", *places[:2], "--window", "2026-01"]) == 0
    assert "The ledger holds no whole window of this time." in capsys.readouterr().out
