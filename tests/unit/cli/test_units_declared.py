"""What AIWorkloads declare of engine, port, gateway, aliases and success: the same in a bundle and as it was kept."""

import json

import pytest
import yaml

from aicost.domain.exact.windows import Window
from aicost.entrypoints.cli.main import main
from aicost.entrypoints.cli.sources.economics.declared import Objects, said_now
from support.declared import declared_bundle, workload
from support.http_server import serving
from support.served import WINDOW

EARLY, LATE = "2026-03-02T08:00:00Z", "2026-03-02T09:59:00Z"
FRONTED = {"gateway": "litellm", "modelAliases": ["Smart"]}
BY_GATEWAY = {"from": "gateway"}


@pytest.fixture
def asked(tmp_path, capsys):
    """Ask for the rows of one bundle, as they were kept and as its counters say."""

    def ask(*events, words=()):
        bundle, ledger = declared_bundle(tmp_path / "b", *events), str(tmp_path / "l")
        assert main(["replay", str(bundle), "--ledger", ledger]) == 0, capsys.readouterr().err
        found = []
        for source in ([], ["--bundle", str(bundle)]):
            capsys.readouterr()
            assert main(["units", "--ledger", ledger, *source, "--window", WINDOW, *words, "-o", "json"]) == 0
            found.append(json.loads(capsys.readouterr().out))
        assert found[0] == found[1]
        return found[0]["rows"]

    return ask


def test_without_a_word_both_engines_count_and_the_engine_judges(asked):
    (row,) = asked((EARLY, "ADDED", workload()))
    assert (row["engines"], row["tokens"]["output"]["tokens"]) == (["sglang", "vllm"], 1_500 * 3_600)
    assert (row["success_by"], row["discovered"], row["waste"]) == ("engine", False, "50.0%")


@pytest.mark.parametrize(
    ("telemetry", "engines", "tokens"),
    [
        ({"engine": "vllm"}, ["vllm"], 1_000 * 3_600),
        ({"engine": "sglang", "port": 9000}, ["sglang"], 500 * 3_600),
        ({"engine": "sglang", "port": 9001}, None, None),
        ({"engine": "tgi"}, None, None),
    ],
)
def test_the_engine_and_the_port_that_are_declared_are_read(asked, telemetry, engines, tokens):
    rows = asked((EARLY, "ADDED", workload(telemetry)))
    assert [(one["engines"], one["tokens"]["output"]["tokens"]) for one in rows] == (
        [(engines, tokens)] if engines else []
    )


def test_the_gateway_and_its_alias_say_who_asked(asked):
    (row,) = asked((EARLY, "ADDED", workload({"engine": "vllm", **FRONTED})), words=("--tenants", "team"))
    assert (row["tenants"]["gateway"], row["tenants"]["token_coverage"]) == ("litellm", "54.5%")
    assert [one["tenant"] for one in row["tenants"]["shares"]] == ["growth", None]


def test_success_is_the_word_of_whom_the_aiworkload_names(asked):
    (row,) = asked((EARLY, "ADDED", workload({"engine": "vllm", **FRONTED}, BY_GATEWAY)))
    # Each second 1.5 answers of four at the gateway were a 200 and half a one was a 500.
    assert (row["success_by"], row["waste"]) == ("gateway", "25.0%")
    assert row["per_success_nanos"] == pytest.approx(3_600_000_000 / 5_400, rel=1e-3)


def test_a_source_that_says_nothing_gives_no_figure(asked):
    (row,) = asked((EARLY, "ADDED", workload({"engine": "vllm"}, BY_GATEWAY)))
    assert (row["success_by"], row["waste"], row["per_success_nanos"]) == ("gateway", None, None)
    assert row["per_request_nanos"] == 500_000


def test_what_is_declared_when_the_window_has_settled_holds(asked):
    first, second = workload({"engine": "tgi"}), workload({"engine": "vllm"}, BY_GATEWAY)
    (row,) = asked((EARLY, "ADDED", first), (LATE, "MODIFIED", second))
    assert (row["engines"], row["success_by"]) == (["vllm"], "gateway")


def test_an_aiworkload_that_went_says_nothing(asked):
    body = workload({"engine": "vllm"}, BY_GATEWAY)
    (row,) = asked((EARLY, "ADDED", body), (LATE, "DELETED", body))
    assert (row["engines"], row["success_by"]) == (["sglang", "vllm"], "engine")


def test_a_spec_that_makes_no_sense_is_told_once_and_the_engine_judges(tmp_path, run):
    body = workload(success={"from": "query", "query": {"successes": "sum("}})
    bundle, ledger = declared_bundle(tmp_path / "b", (EARLY, "ADDED", body)), str(tmp_path / "l")
    told = run("replay", str(bundle), "--ledger", ledger)
    assert (told.out + told.err).count("spec.success.query.successes") == 1
    shown = run("units", "--ledger", ledger, "--bundle", str(bundle), "--window", WINDOW)
    assert shown.err.count("note: AIWorkload/chat: spec.success.query.successes") == 1
    assert "Success by    engine" in shown.out


def test_the_screen_says_whose_word_it_shows(tmp_path, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    body = workload({"engine": "vllm", **FRONTED}, BY_GATEWAY)
    bundle, ledger = declared_bundle(tmp_path / "b", (EARLY, "ADDED", body)), str(tmp_path / "l")
    assert run("replay", str(bundle), "--ledger", ledger).code == 0
    asked = ("units", "--ledger", ledger, "--window", WINDOW, "--by", "namespace")
    assert "Success by    gateway: search\n" in f"{run(*asked).out}\n"
    told = run(*asked, "--success", "engine", "-o", "json").out
    assert json.loads(told)["rows"][0]["waste"] == "50.0%"
    told = json.loads(run(*asked, "--outcomes", "-o", "json").out)
    assert told["outcomes"]["lines"][0]["source"] == "gateway"
    assert told["rows"][0]["success_by"] == "gateway"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--objects", "f.yaml"], "--objects: give --prometheus URL too"),
        (["--context", "prod"], "--ledger reads without a cluster"),
        (["--prometheus", "http://127.0.0.1:9", "-A"], "--ledger reads without a cluster"),
        (["--prometheus", "http://127.0.0.1:9", "--objects", "/nowhere.yaml"], "/nowhere.yaml: cannot be read"),
    ],
)
def test_a_wrong_place_of_aiworkloads_is_answered_with_what_to_write(tmp_path, run, given, said):
    bundle, ledger = declared_bundle(tmp_path / "b"), str(tmp_path / "l")
    assert run("replay", str(bundle), "--ledger", ledger).code == 0
    refused = run("units", "--ledger", ledger, "--window", WINDOW, *given)
    assert (refused.code, said in " ".join(refused.err.split())) == (2, True), refused.err


def test_aiworkloads_of_a_cluster_and_of_files_are_read_and_the_file_goes_before(tmp_path, monkeypatch):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    there = [workload({"engine": "tgi"}), workload({"engine": "vllm", "port": 8000})]
    there[1]["metadata"]["name"] = "other"
    answer = {"kind": "AIWorkloadList", "apiVersion": "aicost.dev/v1alpha1", "metadata": {}, "items": there}
    config, file, notes = tmp_path / "kubeconfig", tmp_path / "objects.yaml", []
    query = {"from": "query", "query": {"successes": "good_total"}}
    file.write_text(yaml.safe_dump(workload({"engine": "sglang"}, query)))
    with serving(lambda request: request.answer_json(answer)) as served:
        config.write_text(
            f"current-context: c\nclusters: [{{name: k, cluster: {{server: '{served.url}'}}}}]\n"
            "users: [{name: u, user: {token: secret}}]\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
        )
        said = said_now(Objects([str(file)], config), notes)(Window(0, 1))
    assert {name: (one.engine, one.port) for name, one in said.engines.items()} == {
        ("search", "chat"): ("sglang", None), ("search", "other"): ("vllm", 8000),
    }  # fmt: skip
    assert [(one.key, one.successes) for one in said.successes] == [(("search", "chat"), "good_total")]
    assert notes == []
    assert {request.path for request in served.requests} == {"/apis/aicost.dev/v1alpha1/aiworkloads"}
