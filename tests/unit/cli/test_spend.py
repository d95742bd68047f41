"""`aicost spend import`: a bill beside the cost of GPUs."""

import json

import pytest

from aicost.entrypoints.cli.main import main
from support.http_server import serving

BILL = "date,cost,model,team\n2026-03-02,1.50,gpt-5,vision\n2026-03-03,2.50,gpt-5,search\n"


@pytest.fixture
def bill(tmp_path):
    file = tmp_path / "bill.csv"
    file.write_text(BILL)
    return [str(file), "--ledger", str(tmp_path / "ledger"), "--account", "openai"]


def run(capsys, *arguments):
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_bill_is_shown_posted_and_reported(bill, capsys):
    code, shown, _ = run(capsys, "spend", "import", *bill)
    assert (code, "would be posted" in shown, "add --post" in shown) == (0, True, True)
    assert run(capsys, "spend", "import", *bill, "--post")[0] == 0
    again = json.loads(run(capsys, "spend", "import", *bill, "--post", "-o", "json")[1])
    assert [day["revision"] for day in again["days"]] == [None, None]
    asked = ("report", "--ledger", bill[2], "--window", "2026-03", "--by", "component,team", "-o", "json")
    (report,) = json.loads(run(capsys, *asked)[1])["reports"]
    assert {row["keys"]["team"]: row["cost_nanos"] for row in report["rows"]} == {
        "vision": 1_500_000_000,
        "search": 2_500_000_000,
    }
    assert run(capsys, "ledger", "verify", bill[2])[0] == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--map", "team"], "--map 'team'"),
        (["--map", "team=colour"], "with one of team"),
        (["--account", "My Account"], "--account 'My Account'"),
    ],
)
def test_a_wrong_option_is_answered_with_what_to_write(bill, capsys, more, said):
    code, _, err = run(capsys, "spend", "import", *bill, *more)
    assert code == 2
    assert said in err


def test_a_file_that_is_not_there_is_named(bill, capsys):
    code, _, err = run(capsys, "spend", "import", "nowhere.csv", *bill[1:])
    assert code == 2
    assert "nowhere.csv: cannot be read" in err


def test_a_provider_is_asked_for_days_that_are_over(tmp_path, capsys):
    key = tmp_path / "key"
    key.write_text("sk-secret")
    asked = []

    def respond(request):
        asked.append(request.query)
        start, end = int(request.query["start_time"]), int(request.query["end_time"])
        result = {"amount": {"value": 0.5, "currency": "usd"}, "line_item": "gpt-5, input", "project_id": "vision"}
        buckets = [{"start_time": at, "end_time": at + 86_400, "results": [result]} for at in range(start, end, 86_400)]
        request.answer_json({"data": buckets, "has_more": False})

    with serving(respond) as served:
        into = ("--ledger", str(tmp_path / "l"), "--account", "openai", "--map", "project_id=team", "--post")
        options = (
            "--provider",
            "openai",
            "--key-file",
            str(key),
            "--url",
            served.url,
            "--since",
            "2026-03-01/2026-03-04",
        )
        code, shown, err = run(capsys, "spend", "fetch", *options, *into)
    assert code == 0, err
    assert "$1.50 posted" in shown
    assert "vision" in shown
    assert len(asked) == 1


def test_a_day_that_is_not_over_is_not_asked_for(tmp_path, capsys):
    options = ("--provider", "openai", "--key-file", str(tmp_path / "key"), "--since", "today")
    code, _, err = run(capsys, "spend", "fetch", *options, "--ledger", str(tmp_path / "l"), "--account", "a")
    assert code == 2
    assert "no day in UTC of it is over" in err
