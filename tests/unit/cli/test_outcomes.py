"""`aicost outcomes post` and `aicost units --outcomes`: from a file of feedback to what failures cost."""

import json

import pytest

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, from_rfc3339, to_rfc3339
from aicost.entrypoints.cli.main import main
from aicost.entrypoints.cli.sources.outcomes.reading import document_of, read_file
from aicost.ports.errors import InvalidRequest
from support.served import WINDOW, served_bundle

AT = "2026-03-02T09:30:00Z"
NOW = from_rfc3339("2026-03-02T12:00:00Z")
LINE = f'{{"id": "a", "at": "{AT}", "workload": "chat-0", "outcome": "success"}}'


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outcomes")
    bundle, place = served_bundle(folder / "b", model="qwen3"), folder / "l"
    assert main(["replay", str(bundle), "--ledger", str(place)]) == 0
    return bundle, place


@pytest.fixture
def at_noon(monkeypatch):
    monkeypatch.setattr("aicost.entrypoints.cli.commands.outcomes.posting.now_ms", lambda: NOW)


def test_feedback_becomes_what_failures_cost(ledger, at_noon, tmp_path, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    bundle, place = ledger
    rows = [f"r{n},{AT},chat-0,{'failure,thumbs-down' if n % 4 == 0 else 'success,'}" for n in range(360)]
    (tmp_path / "f.csv").write_text("\n".join(["id,at,workload,outcome,reason", *rows, ""]))
    posted = run("outcomes", "post", str(tmp_path / "f.csv"), "-n", "search", "--ledger", str(place))
    assert (posted.code, posted.out.strip()) == (0, "posted 360 statements: 360 to search"), posted.err
    told = run("units", "--ledger", str(place), "--bundle", str(bundle), "--window", WINDOW, "--outcomes", "-o", "json")
    assert told.code == 0, told.err
    document = json.loads(told.out)
    (line,) = document["outcomes"]["lines"]
    assert (line["source"], line["divided_by"], line["coverage"]) == ("outcomes", "requests", "5.0%")
    # $3.60 over 7,200 requests: 90 failures and 270 successes were told, 6,840 requests were not.
    assert [(one["reason"], one["requests"], one["cost_nanos"]) for one in line["rows"]] == [
        (None, 270, 135_000_000),
        ("thumbs-down", 90, 45_000_000),
    ]
    assert (line["unjudged_nanos"], line["unjudged_requests"]) == (3_420_000_000, 6_840)
    assert sum(one["cost_nanos"] for one in line["rows"]) + line["unjudged_nanos"] == line["cost_nanos"]
    (row,) = document["rows"]
    assert (row["waste"], row["per_success_nanos"]) == ("25.0%", 666_667)
    shown = run("units", "--ledger", str(place), "--bundle", str(bundle), "--window", WINDOW, "--outcomes").out
    assert "thumbs-down         90    1.2%   $0.05" in shown
    assert "unjudged" in shown
    assert "outcomes, divided by requests (low); 5.0% of what the engine counted was judged" in shown


def test_outcomes_of_what_was_filtered_out_are_not_called_strays(ledger, at_noon, tmp_path, run):
    bundle, place = ledger
    (tmp_path / "f.jsonl").write_text(LINE.replace("chat-0", "elsewhere"))
    assert run("outcomes", "post", str(tmp_path / "f.jsonl"), "-n", "search", "--ledger", str(place)).code == 0
    asked = ["units", "--ledger", str(place), "--bundle", str(bundle), "--window", WINDOW, "--outcomes", "-o", "json"]
    without = json.loads(run(*asked).out)["outcomes"]["without_cost"]
    assert [(one["workload"], one["requests"]) for one in without] == [("elsewhere", 1)]
    assert json.loads(run(*asked, "--filter", "namespace=search").out)["outcomes"]["without_cost"] == []


def test_without_the_flag_the_engine_judges_as_before(ledger, run):
    bundle, place = ledger
    told = run("units", "--ledger", str(place), "--bundle", str(bundle), "--window", WINDOW, "-o", "json")
    assert json.loads(told.out)["rows"][0]["waste"] == "50.0%"
    asked = [*("units", "--ledger", str(place), "--bundle", str(bundle)), "--window", WINDOW, "--success", "engine"]
    document = json.loads(run(*asked, "-o", "json").out)
    assert document["rows"][0]["waste"] == "50.0%"
    assert [one["reason"] for one in document["outcomes"]["lines"][0]["rows"]] == ["success", "failed"]


def test_a_source_that_says_nothing_says_so(ledger, run):
    bundle, place = ledger
    told = run("units", "--ledger", str(place), "--bundle", str(bundle), "--window", WINDOW, "--success", "gateway")
    assert told.code == 0
    assert "gateway: no gateway tells how it answered" in " ".join(told.out.split())


def test_a_bad_line_posts_nothing_and_is_named(ledger, at_noon, tmp_path, run):
    _, place = ledger
    (tmp_path / "f.jsonl").write_text(f"{LINE}\n\n{LINE.replace('success', 'great')}\n")
    refused = run("outcomes", "post", str(tmp_path / "f.jsonl"), "-n", "shop", "--ledger", str(place))
    assert refused.code == 2
    assert "line 3.outcome: 'great': write success or failure" in refused.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["/nowhere/at-all", "--ledger", "L"], "cannot be read"),
        (["f.jsonl", "--cluster", "c"], "they go with --ledger"),
        (["f.jsonl", "--ledger", "/nowhere"], "is no directory"),
    ],
)
def test_a_wrong_command_is_answered_with_the_fix(at_noon, tmp_path, run, monkeypatch, given, said):
    (tmp_path / "f.jsonl").write_text(LINE)
    monkeypatch.chdir(tmp_path)
    refused = run("outcomes", "post", *given, "-n", "search")
    assert refused.code == 2
    assert said in refused.err


def read(text, namespace="search"):
    return read_file("f", text.encode(), NOW, namespace)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no statement in it"),
        ("id,at\n", "there is no statement in it"),
        ("[]", "there is no statement in it"),
        ("{nonsense", "line 1 is no JSON"),
        (f"{LINE}\n[", "line 2 is no JSON"),
        ("[" * 50_000, "the file is no JSON"),
        ("id,at,workload,outcome\na,b\n", "line 2: it has 2 cells, the first line names 4"),
        (f"id,at,workload,outcome,tokens\na,{AT},w,success,many\n", "line 2.tokens: 'many': write the generated"),
        ('id,at\n"unclosed', "is no CSV"),
        (f"id,at,workload,outcom\na,{AT},w,success\n", "line 2.outcom: no such field: did you mean 'outcome'?"),
    ],
)
def test_a_file_that_makes_no_sense_is_named_by_line_and_field(text, said):
    with pytest.raises(InvalidRequest) as refused:
        read(text)
    assert said in str(refused.value)


def test_a_file_that_is_no_text_is_refused():
    with pytest.raises(InvalidRequest, match="f: "):
        read_file("f", b"\xff\xfe\x00", NOW, "search")


def test_each_form_of_file_says_the_same():
    head, cells = "id,at,workload,outcome,reason,tokens,customer,namespace", f"a,{AT},chat,failure,bad,7,acme,shop"
    given = dict(zip(head.split(","), cells.split(","), strict=True)) | {"tokens": 7}
    forms = [f"{head}\r\n{cells}\r\n", json.dumps(given), json.dumps([given]), f"\ufeff{head}\n\n{cells}"]
    assert len({read(form) for form in forms}) == 1
    (one,) = read(forms[0])
    assert (one.namespace, one.tokens, one.customer) == ("shop", 7, "acme")
    assert read(json.dumps(document_of(one) | {"namespace": "shop"})) == (one,)


def test_the_clock_is_the_one_of_this_machine(ledger, tmp_path, run):
    _, place = ledger
    late = to_rfc3339(now_ms() - 36 * DAY_MS)
    (tmp_path / "f.jsonl").write_text(LINE.replace(AT, late))
    assert (
        "that is too late" in run("outcomes", "post", str(tmp_path / "f.jsonl"), "-n", "x", "--ledger", str(place)).err
    )
    (tmp_path / "f.jsonl").write_text(LINE.replace(AT, to_rfc3339(now_ms() - HOUR_MS)))
    assert run("outcomes", "post", str(tmp_path / "f.jsonl"), "-n", "x", "--ledger", str(place)).code == 0
