"""Cost APIs of providers, played by a server that behaves like them, faults included."""

import json

import pytest

from aicost.adapters.pricing.bills.asking import CostReader
from aicost.adapters.pricing.bills.keys import HeldKey, KeyFile
from aicost.domain.exact.windows import DAY_MS, Window, from_rfc3339
from aicost.ports.errors import InvalidAnswer, InvalidRequest, NotPermitted, SourceUnavailable
from support.cost_api import Anthropic
from support.http_server import serving

FIRST = from_rfc3339("2026-03-01T00:00:00Z")
KEY = "sk-ant-admin-secret"


def days(count):
    return Window(FIRST, FIRST + count * DAY_MS)


@pytest.fixture
def key(tmp_path):
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    return file


def ask(respond, key, span, provider="anthropic", **settings):
    waits = []
    with serving(respond) as served:
        reader = CostReader(provider, KeyFile(key), served.url, wait=waits.append, **({"timeout_s": 2.0} | settings))
        return reader.lines(span), waits


def test_all_pages_are_read_and_each_day_once(key):
    api = Anthropic(limit=7)
    lines, _ = ask(api, key, days(31))
    assert [line.day.start_ms for line in lines] == [FIRST + day * DAY_MS for day in range(31)]
    assert sum(line.cost_attos for line in lines) == 31 * 1_234_500_000_000_000_000
    assert len(api.asked) == 5


def test_the_key_goes_in_its_header_and_groups_are_asked_for(key):
    api = Anthropic()
    ask(api, key, days(1))
    asked, headers = api.asked[0]
    assert (headers["x-api-key"], headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert (asked["bucket_width"], asked["starting_at"]) == ("1d", "2026-03-01T00:00:00Z")


def test_a_busy_provider_is_asked_again_as_late_as_it_says(key):
    api = Anthropic(faults=[(429, {"Retry_After": "17"}), (500, {}), (503, {"Retry_After": "soon"})])
    lines, waits = ask(api, key, days(2))
    assert len(lines) == 2
    assert waits == [17.0, 2.0, 4.0]


def test_nobody_waits_for_ever(key):
    with pytest.raises(SourceUnavailable, match="answered 6 times 429"):
        ask(Anthropic(faults=[(429, {"Retry_After": "999999"})] * 9), key, days(1))


@pytest.mark.parametrize(
    ("respond", "error", "said"),
    [
        (lambda r: r.answer("no", 401), NotPermitted, "one of an administrator"),
        (lambda r: r.answer("no", 404), InvalidAnswer, "404"),
        (lambda r: r.answer("", 302, Location="http://elsewhere"), InvalidAnswer, "302"),
        (lambda r: r.answer("<html>"), InvalidAnswer, "no page of costs"),
        (lambda r: r.answer_json({"data": [{"results": 3}]}), InvalidAnswer, "no page of costs"),
        (lambda r: r.answer_json({"data": [], "has_more": True}), InvalidAnswer, "does not say where"),
        (
            lambda r: r.answer_json({"data": [], "has_more": True, "next_page": "a"}),
            InvalidAnswer,
            "does not say where",
        ),
        (lambda r: r.answer_json({"data": [{"results": [{}]}]}), InvalidAnswer, "no bucket of a cost API"),
        (lambda r: r.drop(), SourceUnavailable, "answered 6 times"),
        (lambda r: r.drip(b"{" * 4_096, 0.05), SourceUnavailable, "too long"),
    ],
    ids=["denied", "lost", "moved", "html", "no-list", "no-cursor", "same-cursor", "no-bucket", "dropped", "dripped"],
)
def test_what_is_no_answer_is_said_in_our_own_words(key, respond, error, said):
    with pytest.raises(error, match=said) as problem:
        ask(respond, key, days(1), timeout_s=0.3)
    assert KEY not in str(problem.value)


@pytest.mark.parametrize("status", [400, 503])
def test_a_key_that_an_answer_repeats_stands_in_no_message(key, status):
    def respond(request):
        request.answer("x" * 110 + request.headers["x-api-key"], status)

    with pytest.raises((InvalidAnswer, SourceUnavailable)) as problem:
        ask(respond, key, days(1))
    assert KEY[:10] not in str(problem.value)
    assert "x" * 110 in str(problem.value)


def test_a_key_that_is_held_says_where_it_is_from_and_not_what_it_is():
    held = HeldKey("Secret system/keys, key anthropic", f" {KEY}\n")
    assert (str(held), held.read()) == ("Secret system/keys, key anthropic", KEY)
    assert KEY not in repr(held)
    with pytest.raises(InvalidRequest, match="Secret s/k: holds no key"):
        HeldKey("Secret s/k", "schl\u00fcssel").read()


def test_openai_is_asked_by_its_own_rules(key):
    asked = []

    def respond(request):
        asked.append((request.handler.path, dict(request.headers)))
        bucket = {"start_time": FIRST // 1_000, "end_time": FIRST // 1_000 + 86_400}
        result = {"amount": {"value": 0.06, "currency": "usd"}, "line_item": "gpt-5, input", "project_id": "p"}
        request.answer(json.dumps({"data": [bucket | {"results": [result]}], "has_more": False}))

    lines, _ = ask(respond, key, days(1), "openai")
    assert [(line.cost_attos, line.model, line.tags) for line in lines] == [
        (60_000_000_000_000_000, "gpt-5", {"project_id": "p"})
    ]
    path, headers = asked[0]
    assert path.startswith(f"/organization/costs?start_time={FIRST // 1_000}&")
    assert headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("content", ["", "two\nlines", "\x00"])
def test_a_file_without_a_key_is_named(tmp_path, content):
    file = tmp_path / "key"
    file.write_text(content)
    with pytest.raises(InvalidRequest, match="holds no key"):
        ask(Anthropic(), file, days(1))
    with pytest.raises(InvalidRequest, match="cannot be read"):
        ask(Anthropic(), tmp_path / "nowhere", days(1))
