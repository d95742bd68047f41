"""What a LiteLLM gateway saw, asked of a server that behaves like it, faults included."""

import pytest

from aicost.adapters.pricing.bills.keys import HeldKey
from aicost.adapters.pricing.bills.litellm.asking import LitellmReader
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window, from_rfc3339, to_rfc3339
from aicost.domain.ledger.rows import Method, Quality
from aicost.domain.thirdparty.lines import rows_of_bill
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted, SourceUnavailable
from support.http_server import serving
from support.litellm_api import Gateway, request_row

DAY = Window(from_rfc3339("2026-03-02T00:00:00Z"), from_rfc3339("2026-03-03T00:00:00Z"))
CENT = 10**16
KEY = "sk-master"


def ask(gateway, span=DAY, **settings):
    waits = []
    with serving(gateway) as served:
        reader = LitellmReader(HeldKey("a file", KEY), served.url, wait=waits.append, timeout_s=2.0, **settings)
        return reader.lines(span), reader.notes, waits


def moments(count, start=DAY.start_ms, step=HOUR_MS // 60):
    return [to_rfc3339(start + number * step) for number in range(count)]


def test_all_pages_of_a_day_are_read_and_each_request_counts_once():
    gateway = Gateway(request_row(f"r{number}", at) for number, at in enumerate(moments(250)))
    lines, notes, _ = ask(gateway)
    assert [(line.cost_attos, line.quantity) for line in lines] == [(250 * 125 * CENT // 100, 250 * 1_500)]
    assert len(gateway.asked) == 3
    assert notes == []


def test_the_gateway_is_asked_in_its_own_way():
    gateway = Gateway([request_row("a")])
    ask(gateway)
    path, asked, headers = gateway.asked[0]
    assert path == "/spend/logs/v2"
    assert (asked["start_date"], asked["end_date"]) == ("2026-03-02 00:00:00", "2026-03-03 00:00:00")
    assert headers["authorization"] == f"Bearer {KEY}"


def test_a_request_at_midnight_belongs_to_the_day_that_begins():
    gateway = Gateway([request_row("a", "2026-03-02T23:59:59.999Z"), request_row("b", "2026-03-03T00:00:00Z")])
    lines, _, _ = ask(gateway, Window(DAY.start_ms, DAY.end_ms + DAY_MS))
    assert [line.day.start_ms for line in lines] == [DAY.start_ms, DAY.end_ms]


@pytest.mark.parametrize(
    "at", ["2026-03-02 22:30:00.123000", "2026-03-02T22:30:00.123456", "2026-03-03T00:30:00+02:00"]
)
def test_a_time_without_a_zone_is_in_utc_and_another_zone_is_heeded(at):
    gateway = Gateway([request_row("a", "2026-03-02T22:30:00Z")])
    gateway.rows[0]["startTime"] = at
    (line,), _, _ = ask(gateway)
    assert line.day == DAY


def test_money_is_an_estimate_and_says_whose():
    (line,), _, _ = ask(Gateway([request_row("a")]))
    (row,) = rows_of_bill("gateway", [line])[DAY]
    assert (row.method, row.quality, row.list_price, row.error_nanos) == (
        Method.ESTIMATED, Quality.ESTIMATED, True, 0,
    )  # fmt: skip
    assert row.price == "gateway/litellm"
    assert (row.place.provider, row.holder.dimensions) == (
        "anthropic",
        {"model": "claude-sonnet-5", "team": "search"},
    )


def test_who_asked_comes_from_the_gateway_before_what_a_request_says_of_itself():
    row = request_row(
        "a", request_tags=["team:forged", "feature=chat", "loose", "User-Agent:curl"], end_user="Acme Corp",
        metadata={"user_api_key_team_alias": "search", "spend_logs_metadata": {"project": "p1", "nested": {"x": 1}}},
    )  # fmt: skip
    (line,), _, _ = ask(Gateway([row]))
    (posted,) = rows_of_bill("gateway", [line])[DAY]
    assert posted.holder.dimensions == {
        "customer": "acme-corp", "feature": "chat", "model": "claude-sonnet-5", "project": "p1", "team": "search",
    }  # fmt: skip
    assert "loose" not in posted.holder.labels.values()


@pytest.mark.parametrize(
    ("provider", "who"),
    [
        ("bedrock", "aws"),
        ("bedrock_converse", "aws"),
        ("vertex_ai-anthropic_models", "gcp"),
        ("gemini", "gcp"),
        ("azure", "azure"),
        ("mistral", "mistral"),
        ("", "unknown"),
    ],
)
def test_the_provider_is_whoever_sends_the_bill(provider, who):
    (line,), _, _ = ask(Gateway([request_row("a", custom_llm_provider=provider)]))
    assert line.provider == who


@pytest.mark.parametrize(
    "where",
    [
        {"custom_llm_provider": "hosted_vllm"},
        {"api_base": "http://llama.models.svc.cluster.local:8000/v1"},
        {"api_base": "http://10.1.2.3:8000"},
        {"api_base": "http://llama:8000"},
    ],
)
def test_a_model_that_is_served_here_is_costed_by_its_gpus_and_not_again(where):
    lines, notes, _ = ask(Gateway([request_row("a"), request_row("b", **where)]))
    assert sum(line.cost_attos for line in lines) == 125 * CENT // 100
    assert "1 requests to models that are served here" in notes[0]


@pytest.mark.parametrize("spend", [None, float("nan"), "0.1", True])
def test_a_request_without_a_price_is_told_and_is_no_zero(spend):
    lines, notes, _ = ask(Gateway([request_row("a", spend=spend)]))
    assert (lines, notes) == ([], ["1 requests have no price at the gateway"])


def test_a_busy_gateway_is_asked_again_as_late_as_it_says():
    _, _, waits = ask(Gateway([request_row("a")], faults=[(429, {"Retry_After": "7"}), (503, {})]))
    assert waits == [7.0, 2.0]


def test_rows_that_are_written_meanwhile_make_it_read_again_and_nothing_is_lost():
    rows = [request_row(f"r{number}", at) for number, at in enumerate(moments(150))]
    late = [request_row("late", "2026-03-02T23:00:00Z")]
    lines, _, _ = ask(Gateway(rows, meanwhile=late))
    assert sum(line.quantity for line in lines) == 151 * 1_500


def test_half_a_page_is_read_again_and_never_taken_for_the_whole():
    rows = [request_row(f"r{number}", at) for number, at in enumerate(moments(150))]
    lines, _, _ = ask(Gateway(rows, lost=2))
    assert sum(line.quantity for line in lines) == 150 * 1_500
    with pytest.raises(SourceUnavailable, match="never held as many rows"):
        ask(Gateway(rows, lost=9))


def test_more_rows_than_the_gateway_counts_are_asked_for_in_shorter_times():
    rows = [request_row(f"r{number}", at) for number, at in enumerate(moments(300, step=HOUR_MS // 20))]
    lines, _, _ = ask(Gateway(rows, cap=120))
    assert sum(line.quantity for line in lines) == 300 * 1_500


@pytest.mark.parametrize(
    ("respond", "error", "said"),
    [
        (lambda r: r.answer("no", 401), NotPermitted, "one of an administrator"),
        (lambda r: r.answer("<html>"), InvalidAnswer, "no page of spend logs"),
        (lambda r: r.answer_json({"data": [], "total": True, "total_pages": 1}), InvalidAnswer, "of spend logs: check"),
        (lambda r: r.answer_json({"data": [{}], "total": 1, "total_pages": 1}), InvalidAnswer, "none of a request"),
        (
            lambda r: r.answer_json({"data": [request_row("a", spend=1e30)], "total": 1, "total_pages": 1}),
            InvalidAnswer,
            "no amount of one request",
        ),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_said_in_our_own_words(respond, error, said):
    with pytest.raises(error, match=said):
        ask(respond)


def test_a_gateway_without_an_address_is_refused():
    with pytest.raises(InvalidRequest, match="no address of its own"):
        LitellmReader(HeldKey("a file", KEY), None)


def test_names_that_write_to_a_terminal_and_ten_thousand_customers_do_no_harm():
    rows = [
        request_row(f"r{number}", at, end_user=f"c{number}\x1b[31m", model="m" * 9_000)
        for number, at in enumerate(moments(10_000, step=1_000))
    ]
    lines, _, _ = ask(Gateway(rows), page_rows=1_000)
    posted = rows_of_bill("gateway", lines)[DAY]
    assert len(posted) == 10_000
    assert sum(row.cost_nanos for row in posted) == 10_000 * 12_500_000
    assert all(value.isprintable() and len(value) <= 200 for row in posted for value in row.holder.labels.values())
