"""`aicost units` beside the table: load, what is behind requests, long prompts, models; as kept and by counters."""

import json

import pytest

from aicost.entrypoints.cli.main import main
from support.served_load import BOTH, SECOND, load_bundle


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside")
    bundle, ledger = load_bundle(folder / "b"), folder / "l"
    assert main(["replay", str(bundle), "--ledger", str(ledger)]) == 0
    return ["--ledger", str(ledger)], ["--bundle", str(bundle)]


@pytest.fixture(params=["kept", "counted-now"])
def asked(request, places, capsys):
    """Ask for a document; the same whether counts were kept or are read from the bundle."""
    source = places[0] if request.param == "kept" else [*places[0], *places[1]]

    def ask(*words, window=SECOND):
        capsys.readouterr()
        assert main(["units", *source, "--window", window, *words, "-o", "json"]) == 0
        return json.loads(capsys.readouterr().out)

    return ask


def rows(document):
    return {row["keys"]["controller"]: row for row in document["rows"]}


def test_what_is_behind_requests(asked):
    document = asked("--amplification")
    found = rows(document)["Pod/chat-0"]["amplification"]
    assert (found["caller_requests"], found["attempts"], found["factor"]) == (7_200, 8_280, "1.15")
    parts = {one["part"]: (one["number"], one["per_request"], one["counted_by"]) for one in found["parts"]}
    assert parts["retries"] == (720, "0.1", "litellm")
    assert parts["fallbacks"] == (360, "0.05", "litellm")
    assert parts["reasoning-tokens"] == (540_000, "75", "litellm")
    assert parts["rejected"] == (144, "0.02", "engine")
    agents = {one["part"]: (one["number"], one["per_request"], one["cost_nanos"]) for one in document["agents"]}
    assert agents == {"chained-calls": (2_160, "3", None), "tool-calls": (1_440, "2", None)}


def test_nobody_looks_behind_requests_unasked(asked):
    document = asked()
    assert rows(document)["Pod/chat-0"]["amplification"] is None
    assert document["agents"] == []


def test_load_and_what_a_cache_saved(asked):
    row = rows(asked())["Pod/chat-0"]
    assert (row["latency_ms"], row["latency_95_ms"], row["running"]) == (2_000, {"at_most": 10_000}, "4")
    assert (row["preempted_requests"], row["tokens_per_request"]) == (72, "1172.5")
    saved = row["counts"]["cached-tokens"] * row["tokens"]["input"]["full_per_million_nanos"] / 10**6
    assert row["cache_savings_nanos"] == pytest.approx(saved - row["tokens"]["cached"]["cost_nanos"], rel=1e-6)
    assert not [count for count in row["counts"] if count.startswith("fit-")]


def test_bands_of_prompts_sum_to_the_cost_of_tokens(asked):
    row = rows(asked())["Pod/chat-0"]
    bands = [(one["above_tokens"], one["to_tokens"], one["requests"]) for one in row["context_bands"]]
    assert bands == [(0, 1_000, 5_760), (1_000, 10_000, 720), (10_000, None, 720)]
    assert sum(one["cost_nanos"] for one in row["context_bands"]) == row["cost_nanos"]
    assert sum(one["prompt_tokens_about"] for one in row["context_bands"]) == row["counts"]["input-tokens"]


def test_models_of_one_server_sum_to_its_cost(asked):
    row = rows(asked())["Pod/models-0"]
    told = {one["model"]: (one["cost_nanos"], one["divided_by"]) for one in row["by_model"]}
    assert told == {"ranker": (2_700_000_000, ["busy-time"]), "tagger": (900_000_000, ["busy-time"])}
    assert row["batch_requests"] == "4"


def test_two_hours_are_enough_to_fit_weights_of_tokens(asked):
    row = rows(asked(window=BOTH))["Pod/chat-0"]
    assert (row["method"], row["confidence"]) == ("calibrated", "medium")
    assert (row["fit"]["minutes"], row["fit"]["accepted"]) == (112, True)
    tokens = {name: one["full_per_million_nanos"] for name, one in row["tokens"].items()}
    as_computed = 0.75 + 0.25 / 10  # the GPU was as busy for a token of the cache: so a computed one bears more
    assert tokens["output"] / tokens["input"] == pytest.approx(4 * as_computed, rel=0.01)


def test_the_screen_has_a_table_for_each_question(places, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    given = [*places[0], "--window", SECOND, "--amplification", "--load", "--lengths"]
    assert main(["units", *given]) == 0
    shown = capsys.readouterr().out
    for said in ("1.15", "reasoning tokens", "<= 10 s", "+34", "over 10,000", "busy-time", "117 tokens", "Agents"):
        assert said in shown
    assert all(len(line) <= 200 for line in shown.splitlines())


def test_the_screen_shows_no_table_that_was_not_asked_for(places, capsys):
    assert main(["units", *places[0], "--window", SECOND]) == 0
    shown = capsys.readouterr().out
    assert "Models of workloads" in shown
    assert not [title for title in ("Load", "What is behind", "Short and long") if f"\n{title}" in shown]


def test_growth_needs_a_span_before(places, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["units", *places[0], "--window", BOTH, "--load"]) == 0
    assert "+" not in capsys.readouterr().out.partition("\nLoad")[2]


def test_a_replay_does_not_call_counters_of_engines_unneeded(places, tmp_path, capsys):
    assert main(["replay", places[1][1], "--ledger", str(tmp_path / "again")]) == 0
    told = capsys.readouterr()
    assert "not needed" not in told.out + told.err
