"""What a LiteLLM gateway sums up of days, asked of a server that behaves like it, faults included."""

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.pricing.bills.keys import HeldKey
from aicost.adapters.pricing.bills.litellm.daily import DailyReader
from aicost.adapters.pricing.bills.litellm.days import Day
from aicost.domain.exact.windows import DAY_MS, Window, from_rfc3339
from aicost.domain.ledger.rows import Method, Quality
from aicost.domain.thirdparty.lines import rows_of_bill
from aicost.domain.thirdparty.providers import billed_by
from aicost.entrypoints.cli.main import main
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted, SourceUnavailable
from support.http_server import serving
from support.litellm_days import Activity, Row

DAY = Window(from_rfc3339("2026-03-02T00:00:00Z"), from_rfc3339("2026-03-03T00:00:00Z"))
DOLLAR, KEY = 10**18, "sk-master"
NOISE = 10**9


def ask(gateway, span=DAY, **settings):
    waits = []
    with serving(gateway) as served:
        reader = DailyReader(HeldKey("a file", KEY), served.url, wait=waits.append, timeout_s=2.0, **settings)
        return reader.lines(span), reader.notes, waits


def told(lines):
    return [(line.provider, line.model, line.tags.get("key"), round(line.cost_attos / DOLLAR, 6)) for line in lines]


def test_a_model_stands_at_the_provider_that_sold_it_by_key():
    gateway = Activity([Row(1.5), Row(0.25, "azure/gpt-5", "azure"), Row(2.0, "gpt-5", "openai", "a73dc2")])
    lines, notes, _ = ask(gateway)
    assert told(lines) == [
        ("anthropic", "claude-sonnet-5", "chat-prod", 1.5),
        ("azure", "gpt-5", "chat-prod", 0.25),
        ("openai", "gpt-5", "a73dc2", 2.0),
    ]
    assert lines[0].tags == {"key": "chat-prod", "team": "search", "team_id": "search"}
    assert (lines[0].quantity, notes) == (1_000, [])


def test_money_is_an_estimate_and_says_whose():
    (line,), _, _ = ask(Activity([Row(1.5)]))
    (row,) = rows_of_bill("gateway", [line])[DAY]
    assert (row.method, row.quality, row.list_price, row.price) == (
        Method.ESTIMATED, Quality.ESTIMATED, True, "gateway/litellm",
    )  # fmt: skip
    assert row.holder.dimensions == {"model": "claude-sonnet-5", "team": "search"}


def test_one_model_of_two_providers_stands_at_each_without_a_model_and_nothing_is_guessed():
    lines, _, _ = ask(Activity([Row(1.0), Row(3.0, provider="bedrock")]))
    assert told(lines) == [("anthropic", "", "chat-prod", 1.0), ("aws", "", "chat-prod", 3.0)]


def test_where_a_key_used_one_provider_each_of_its_models_is_of_it():
    lines, _, _ = ask(Activity([Row(1.0, "smart", "bedrock"), Row(2.0, "llama", "bedrock"), Row(9.0, key="a73dc2")]))
    assert told(lines) == [
        ("aws", "llama", "chat-prod", 2.0),
        ("aws", "smart", "chat-prod", 1.0),
        ("anthropic", "claude-sonnet-5", "a73dc2", 9.0),
    ]


def test_without_keys_days_are_told_all_the_same():
    lines, _, _ = ask(Activity([Row(1.0), Row(2.0, "gpt-5", "openai")], keys=False))
    assert told(lines) == [("anthropic", "claude-sonnet-5", None, 1.0), ("openai", "gpt-5", None, 2.0)]


def test_all_pages_of_a_day_are_added_up_and_days_stay_apart():
    rows = [Row(0.1, date=f"2026-03-0{2 + number % 2}") for number in range(50)]
    gateway = Activity(rows)
    lines, _, _ = ask(gateway, Window(DAY.start_ms, DAY.end_ms + DAY_MS), page_rows=7)
    assert [(line.day.start_ms, round(line.cost_attos / DOLLAR, 9)) for line in lines] == [
        (DAY.start_ms, 2.5),
        (DAY.end_ms, 2.5),
    ]
    assert len(gateway.asked) == 8
    path, asked, headers = gateway.asked[0]
    assert (path, asked["start_date"], asked["end_date"]) == ("/user/daily/activity", "2026-03-02", "2026-03-02")
    assert headers["authorization"] == f"Bearer {KEY}"


def test_a_day_that_grows_between_two_pages_is_read_again():
    gateway = Activity([Row(1.0)] * 4, growing=[Row(1.0)])
    (line,), _, _ = ask(gateway, page_rows=2)
    assert line.cost_attos == 5 * DOLLAR
    with pytest.raises(SourceUnavailable, match="were read 3 times"):
        ask(Activity([Row(1.0)] * 4, growing=[Row(1.0)] * 99), page_rows=2)


def test_what_is_served_here_and_what_is_paid_by_the_hour_is_left_out_and_said():
    lines, notes, _ = ask(Activity([Row(1.0, "qwen3", "hosted_vllm"), Row(2.0, flat=7.0)]))
    assert told(lines) == [("anthropic", "claude-sonnet-5", "chat-prod", 2.0)]
    assert [note.partition(" were")[0] for note in notes] == [
        "1 amounts of models that are served here",
        "1 days have capacity that is paid by the hour: it is in no amount of a request, and was left out",
    ]


def test_a_busy_gateway_is_asked_again_and_one_that_refuses_is_not():
    lines, _, waits = ask(Activity([Row(1.0)], faults=[(429, {"Retry-After": "7"}), (503, {})]))
    assert (len(lines), waits) == (1, [7.0, 2.0])
    with pytest.raises(NotPermitted, match="administrator"):
        ask(Activity([], faults=[(403, {})]))
    with pytest.raises(InvalidRequest, match="say where yours is"):
        DailyReader(HeldKey("a file", KEY), None)


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "{}",
        "no",
        '{"results": []}',
        '{"results": [], "metadata": {"total_pages": "1"}}',
        '{"results": [], "metadata": {"total_pages": -1}}',
        '{"results": [{"date": "2026-03-01", "metrics": {"spend": 1}}], "metadata": {"total_pages": 1}}',
        '{"results": [{"date": "2026-03-02", "metrics": {"spend": NaN}}], "metadata": {"total_pages": 1}}',
        '{"results": [{"date": "2026-03-02", "metrics": {"spend": 1e30}}], "metadata": {"total_pages": 1}}',
        '{"results": [{"date": "2026-03-02", "metrics": {"spend": "1"}}], "metadata": {"total_pages": 1}}',
        '{"results": [{"date": "2026-03-02", "metrics": {}, "breakdown": {"models": [1]}}], "metadata": {}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_page_of_activity_is_refused(body):
    def answers(request):
        request.answer(body, 200)

    with pytest.raises(InvalidAnswer, match="check the address"):
        ask(answers)


def test_fetched_days_stand_in_reports_and_are_posted_once(tmp_path, capsys):
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "l").mkdir()
    with serving(Activity([Row(1.5), Row(2.0, "gpt-5", "openai", "a73dc2")])) as served:
        asked = ["spend", "fetch", "--provider", "litellm-daily", "--url", served.url, "--key-file"]
        asked += [str(tmp_path / "key"), "--ledger", str(tmp_path / "l"), "--account", "gw", "--post"]
        assert [main([*asked, "--since", "2026-03-02"]) for _ in range(2)] == [0, 0]
    said = capsys.readouterr()
    assert KEY not in said.out + said.err
    assert main(["report", "--ledger", str(tmp_path / "l"), "--window", "2026-03-02", "--by", "team,model"]) == 0
    told = capsys.readouterr().out
    assert "$1.50" in told
    assert "$3.50" in told


ROWS = st.lists(
    st.builds(
        Row,
        st.floats(0, 1_000),
        st.sampled_from(["claude-a", "gpt-b", "azure/gpt-b", "llama", "gemini-c"]),
        st.sampled_from(["anthropic", "openai", "azure", "bedrock", "groq"]),
        st.sampled_from(["88dc28d0f030c55e", "a73dc2"]),
        tokens=st.integers(0, 10**9),
    ),
    max_size=12,
)


@given(ROWS, st.booleans(), st.integers(1, 5))
def test_lines_sum_to_what_each_provider_cost_whatever_is_known_of_models(rows, keys, size):
    from decimal import Decimal  # noqa: PLC0415 -- as the reader reads numbers

    gateway, day = Activity(rows, keys=keys), Day(DAY, "2026-03-02")
    for start in range(0, len(rows), size):
        page = json.loads(json.dumps(gateway._day("2026-03-02", rows[start : start + size])), parse_float=Decimal)
        day.add([page])
    found, wanted = defaultdict(int), defaultdict(float)
    for line in day.lines():
        found[line.provider] += line.cost_attos
        assert line.quantity >= 0
    for row in rows:
        wanted[billed_by(row.provider)] += row.spend
    for provider in {*found, *wanted}:
        assert abs(found[provider] - int(Decimal(wanted[provider]) * DOLLAR)) <= NOISE * 8
