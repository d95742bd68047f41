"""`aicost spend import`: a bill beside the cost of GPUs."""

import json

import pytest

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import DAY_MS, to_rfc3339
from aicost.entrypoints.cli.main import main
from support.http_server import serving
from support.litellm_api import Gateway, request_row

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


def test_values_are_renamed_and_a_tag_may_name_the_namespace_that_pays(bill, capsys):
    more = ("--map", "team=namespace", "--value", "namespace:vision=team-a", "--value", "model:gpt-5=house/gpt")
    assert run(capsys, "spend", "import", *bill, *more, "--post")[0] == 0
    asked = ("report", "--ledger", bill[2], "--window", "2026-03", "--by", "namespace,model", "-o", "json")
    (report,) = json.loads(run(capsys, *asked)[1])["reports"]
    assert {(row["keys"]["namespace"], row["keys"]["model"]) for row in report["rows"]} == {
        ("team-a", "house/gpt"),
        ("search", "house/gpt"),
    }


@pytest.mark.parametrize("value", ["team", "team:a", "colour:a=b", "team:=b"])
def test_a_value_that_means_nothing_is_answered_with_what_to_write(bill, capsys, value):
    code, _, err = run(capsys, "spend", "import", *bill, "--value", value)
    assert (code, f"--value '{value}': write DIMENSION:VALUE=NAME" in err) == (2, True)


def test_what_a_gateway_saw_is_an_estimate_until_the_bill_comes(tmp_path, capsys):
    (tmp_path / "key").write_text("sk-master")
    ledger, today = str(tmp_path / "l"), now_ms() // DAY_MS * DAY_MS
    rows = [request_row(f"r{day}", to_rfc3339(today - day * DAY_MS + 1_000), spend=0.5) for day in (1, 2)]
    with serving(Gateway(rows)) as served:
        asked = ("--provider", "litellm", "--url", served.url, "--key-file", str(tmp_path / "key"))
        into = ("--ledger", ledger, "--account", "gw", "--since", "3d", "--post")
        code, shown, _ = run(capsys, "spend", "fetch", *asked, *into)
    assert (code, "Estimate of account gw" in shown, "$1.00 posted" in shown) == (0, True, True)
    day = to_rfc3339(today - DAY_MS)[:10]
    lines = (f"{day},0.75,anthropic,w1", f"{day},0.05,anthropic,w2")
    (tmp_path / "bill.csv").write_text("\n".join(["date,cost,provider,workspace_id", *lines]))
    into = ("--ledger", ledger, "--account", "anthropic", "--post")
    assert run(capsys, "spend", "import", str(tmp_path / "bill.csv"), *into)[0] == 0

    asked = ("report", "--ledger", ledger, "--window", "7d", "--by", "provider", "-o", "json")
    (report,) = json.loads(run(capsys, *asked)[1])["reports"]
    assert [row["cost_nanos"] for row in report["rows"]] == [1_300_000_000]
    more = ("--by", "label:workspace_id", "--through", "workspace_id=w1", "-o", "json")
    found = json.loads(run(capsys, "spend", "capture", "--ledger", ledger, *more)[1])
    (total,) = found["totals"]
    assert (total["seen_nanos"], total["billed_nanos"], total["shadow_nanos"]) == (500_000_000, 800_000_000, 50_000_000)
    assert (total["capture_rate"], found["unbilled_days"]) == ({"numerator": 5, "denominator": 8}, {"anthropic": 1})
    code, text, _ = run(capsys, "spend", "capture", "--ledger", ledger, "--daily")
    assert (code, "62.5%" in text, "1 day seen and not billed yet" in text) == (0, True, True)
    assert run(capsys, "ledger", "verify", ledger)[0] == 0


def test_machines_of_a_bill_are_matched_with_nodes_and_nothing_is_posted(tmp_path, capsys):
    head = (
        "ServiceCategory,ServiceName,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,EffectiveCost,BillingCurrency,"
        "ResourceId,PricingUnit"
    )
    charge = "Compute,Amazon EC2,Usage,2026-03-02 10:00:00,2026-03-02 11:00:00,98.32,USD,i-0abc123def4567890,Hours"
    (tmp_path / "bill.csv").write_text(f"{head}\n{charge}\n")
    spec = {"providerID": "aws:///a/i-0abc123def4567890"}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "gpu-1"}, "spec": spec}
    (tmp_path / "nodes.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [node]}))
    nodes = ("--ledger", str(tmp_path / "l"), "--nodes", str(tmp_path / "nodes.json"))
    asked = ("spend", "match", str(tmp_path / "bill.csv"), *nodes)
    code, shown, _ = run(capsys, *asked)
    assert (code, "gpu-1" in shown, "$98.32" in shown, "none of it is posted" in shown) == (0, True, True, True)
    (machine,) = json.loads(run(capsys, *asked, "-o", "json")[1])["machines"]
    assert (machine["nodes"], machine["billed_nanos"], machine["ledger_nanos"]) == (["gpu-1"], 98_320_000_000, None)
    code, _, err = run(capsys, *asked[:-1], str(tmp_path / "bill.csv"))
    assert (code, "no Node is in it" in err or "--nodes" in err) == (2, True)
