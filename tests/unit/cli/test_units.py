"""`aicost units` on a bundle: from the first line of a trace to a price for a million tokens."""

import json

import pytest

from aicost.entrypoints.cli.main import main
from support.served import WINDOW, served_bundle


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("units")
    bundle, ledger = served_bundle(folder / "b", model="qwen3"), folder / "l"
    assert main(["replay", str(bundle), "--ledger", str(ledger)]) == 0
    return ["--ledger", str(ledger), "--bundle", str(bundle), "--window", WINDOW]


def test_a_million_tokens_have_a_price(places, capsys):
    assert main(["units", *places, "-o", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["keys"] == {"namespace": "search", "controller": "Pod/chat-0"}
    assert (row["models"], row["engines"]) == (["qwen3"], ["vllm"])
    assert (row["cost_nanos"], row["idle_nanos"]) == (3_600_000_000, 2_700_000_000)
    assert (row["method"], row["confidence"]) == ("priors", "assumed")
    output = row["tokens"]["output"]
    assert output["tokens"] == 3_600_000
    assert output["cost_nanos"] + row["tokens"]["input"]["cost_nanos"] == 3_600_000_000
    assert output["active_per_million_nanos"] * 4 == pytest.approx(output["full_per_million_nanos"], abs=4)
    assert row["useful_output_per_million_nanos"] == pytest.approx(2 * output["full_per_million_nanos"], abs=2)
    assert row["per_request_nanos"] == 500_000
    assert row["per_success_nanos"] == 1_000_000


def test_what_was_kept_while_replaying_says_the_same_without_the_bundle(places, capsys):
    asked = ["--by", "namespace", "--tenants", "team", "-o", "json"]
    assert main(["units", *places, *asked]) == 0
    told = json.loads(capsys.readouterr().out)
    kept = [*places[:2], *places[4:]]
    assert main(["units", *kept, *asked]) == 0
    assert json.loads(capsys.readouterr().out) == told
    assert told["rows"][0]["discovered"]


def test_a_second_replay_counts_nothing_twice(places, capsys):
    kept = [*places[:2], *places[4:], "-o", "json"]
    main(["units", *kept])
    before = capsys.readouterr().out
    assert main(["replay", places[3], "--ledger", places[1]]) == 0
    capsys.readouterr()
    main(["units", *kept])
    assert capsys.readouterr().out == before


def test_the_screen_says_what_the_division_rests_on(places, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["units", *places, "--by", "model"]) == 0
    shown = capsys.readouterr().out
    assert "priors (assumed)" in shown
    assert "$0.00100" in shown
    assert "rough where BY is request-time or priors" in shown


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--by", "tem"], "tem"),
        (["--window", "never"], "never"),
        (["--cluster", "other"], "other"),
        (["--prometheus", "http://127.0.0.1:9"], "name one source of counters"),
        (["--filter", "team"], "team"),
    ],
)
def test_a_wrong_question_is_answered_with_what_to_write(places, capsys, given, said):
    assert main(["units", *places, *given]) == 2
    assert said in capsys.readouterr().err


def test_a_time_that_the_ledger_does_not_hold_has_no_table(places, capsys):
    assert main(["units", *places, "--window", "2026-01"]) == 0
    assert "The ledger holds no whole window of this time" in capsys.readouterr().out
