"""Counters of units by a server whose answers are written here, hostile ones among them."""

import re
from collections.abc import Callable
from contextlib import contextmanager

import pytest

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.units import PrometheusUnits
from aicost.domain.budgets.units.counts import CountMethod, UnitCount
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.ports.errors import InvalidAnswer, SourceUnavailable
from aicost.ports.measured.units import Counter, CounterQuery
from support.http_server import Request, Served, serving

T0 = 1_700_000_000_000
SPAN = Window(T0, T0 + HOUR_MS)
METRIC = "answers_total"
OWN = {"__name__": METRIC, "namespace": "ml", "pod": "chat-0"}
ASKED = CounterQuery("ml", "chat", Counter(METRIC))
GOOD = CounterQuery("ml", "chat", Counter(METRIC), Counter(METRIC, {"outcome": "ok"}))
_STRING = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)

Series = tuple[dict[str, str], dict[int, float]]


def answer(kind: str, result: list[object]) -> dict[str, object]:
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def matrix(*series: Series) -> dict[str, object]:
    rows = [{"metric": one, "values": [[T0 / 1e3 + at, str(v)] for at, v in found.items()]} for one, found in series]
    return answer("matrix", rows)


def vector(*rows: tuple[dict[str, str], float]) -> dict[str, object]:
    return answer("vector", [{"metric": one, "value": [T0 / 1e3, str(value)]} for one, value in rows])


def server(*series: Series, before: tuple[tuple[dict[str, str], float], ...] = (), up: bool = True):
    """An API that answers each selection with all of these series, whatever was asked."""

    def respond(request: Request) -> None:
        query = request.form["query"]
        if query.startswith("count("):
            request.answer_json(vector(({}, 3)) if up else vector())
        elif query.startswith("last_over_time("):
            request.answer_json(vector(*(({k: v for k, v in one.items() if k != "__name__"}, n) for one, n in before)))
        else:
            request.answer_json(matrix(*series))

    return respond


@contextmanager
def counting(respond: Callable[[Request], None], speakers: frozenset[str] = frozenset(), **settings: object):
    with serving(respond) as served:
        made = PrometheusUnits(PrometheusConfig(served.url, **({"timeout_s": 2.0} | settings)), speakers)
        yield made, served
        made.close()


def counted(
    respond: Callable[[Request], None], *asked: CounterQuery, span: Window = SPAN, **settings: object
) -> UnitCount:
    asked = asked or (ASKED,)
    with counting(respond, **settings) as (made, _):
        return made.count(asked, span)[asked[0].key]


def queries(served: Served) -> list[str]:
    return [request.form["query"] for request in served.requests]


def selections(served: Served) -> list[str]:
    return [query for query in queries(served) if query.startswith("{")]


def skeleton(query: str) -> str:
    """A query without what stands in its strings: what the server reads as its grammar."""
    return _STRING.sub('""', query)


def test_units_are_the_increase_of_each_series_since_its_last_value_before_the_span():
    other = OWN | {"pod": "chat-1"}
    respond = server((OWN, {10: 105, 20: 3}), (other, {10: 60}), before=((OWN, 100), (other, 50)))
    assert counted(respond) == UnitCount(5 + 3 + 10, None, 2, CountMethod.INCREASE)


def test_a_series_that_was_not_there_before_counts_from_0():
    assert counted(server((OWN, {10: 7, 20: 9}))).units == 9


def test_where_nothing_was_scraped_before_the_span_a_series_counts_from_its_first_sample():
    found = counted(server((OWN, {10: 1_000_007, 20: 1_000_009}), up=False))
    assert (found.units, found.method) == (2, CountMethod.AT_LEAST)


def test_successes_are_counted_beside_units():
    def respond(request: Request) -> None:
        labels = OWN | {"outcome": "ok"}
        failed = OWN | {"outcome": "failed"}
        series = [(labels, {10: 6.0})] + ([] if "outcome" in request.form["query"] else [(failed, {10: 4.0})])
        server(*series)(request)

    assert counted(respond, GOOD) == UnitCount(10, 6, 3, CountMethod.INCREASE)


def test_what_has_no_sample_is_not_known_and_not_0():
    assert counted(server(), GOOD) == UnitCount(None, None, 0, CountMethod.NO_SAMPLES)
    assert counted(server((OWN, {-10: 5.0, 3_600: 9.0}))).units is None, "half-open"


def test_each_workload_gets_its_own_entry():
    with counting(server((OWN, {10: 5.0}))) as (made, _):
        found = made.count([ASKED, CounterQuery("other", "chat", Counter(METRIC))], SPAN)
    assert (found["ml", "chat"].units, found["other", "chat"].units) == (5, None)


def test_nothing_is_asked_for_nobody():
    with counting(server()) as (made, served):
        assert made.count([], SPAN) == {}
        assert served.requests == []


def test_the_query_is_a_selector_of_raw_samples_in_the_namespace():
    with counting(server((OWN, {10: 5.0})), matchers={"cluster": "a"}) as (made, served):
        made.count([CounterQuery("ml", "chat", Counter(METRIC, {"outcome": "ok"}))], SPAN)
    selected = '{__name__=~"answers_total",cluster="a",namespace="ml",exported_namespace=~"|ml",outcome="ok"}'
    assert selections(served) == [f"{selected}[3602000ms]"]
    assert 'count(last_over_time({__name__=~"up",cluster="a"}[300000ms]))' in queries(served)
    assert round(float(served.requests[0].form["time"]) * 1e3) == SPAN.start_ms - 1


def test_a_long_span_is_fetched_in_parts_and_joined_again():
    def respond(request: Request) -> None:
        hour = round(float(request.form["time"]) - T0 / 1e3) // 3_600
        server((OWN, {at: at for at in range(0, hour * 3_600 + 1, 600)}), before=((OWN, 0.0),))(request)

    span = Window(T0, T0 + 24 * HOUR_MS)
    with counting(respond) as (made, served):
        found = made.count([ASKED], span)["ml", "chat"]
    assert len(selections(served)) == 4
    assert found == UnitCount(24 * 3_600 - 600, None, 1, CountMethod.INCREASE)


def refused(request: Request) -> None:
    request.answer_json({"status": "error", "errorType": "execution", "error": "too many samples"}, 422)


def test_what_is_too_much_at_once_is_asked_for_in_halves():
    def respond(request: Request) -> None:
        if "[3602000ms]" in request.form["query"]:
            refused(request)
        else:
            server((OWN, {10: 5.0, 2_000: 8.0}))(request)

    assert counted(respond).units == 8


def test_a_counter_with_too_many_series_is_said_and_takes_nothing_from_the_others():
    big = CounterQuery("noisy", "flood", Counter("flood_total"))

    def respond(request: Request) -> None:
        if "flood" in request.form["query"]:
            refused(request)
        else:
            server((OWN, {10: 5.0}))(request)

    with counting(respond) as (made, served):
        found = made.count([big, ASKED], SPAN)
    assert found["noisy", "flood"] == UnitCount(None, None, 0, CountMethod.TOO_MANY)
    assert found["ml", "chat"].units == 5
    assert len([query for query in selections(served) if "flood" in query]) < 8


def test_series_are_those_of_the_namespace_alone_as_they_are():
    foreign = {**OWN, "namespace": "other"}
    with counting(server((OWN, {-30: 1.0, 10: 5.0, 20: 3.0}), (foreign, {10: 9.0}))) as (made, _):
        (one,) = made.series("ml", Counter(METRIC), SPAN)
    assert (one.name, one.labels["pod"], list(one.value)) == (METRIC, "chat-0", [5.0, 3.0])


def test_series_that_are_too_many_or_cannot_be_are_none():
    with counting(refused) as (made, served):
        assert made.series("ml", Counter(METRIC), SPAN) == ()
        asked = len(served.requests)
        assert made.series("ml", Counter(METRIC, {"out-come": "ok"}), SPAN) == ()
    assert len(served.requests) == asked


def test_a_reply_without_end_is_not_read_to_its_end():
    def respond(request: Request) -> None:
        if request.form["query"].startswith("{"):
            request.answer(b" " * 20_000_000)
        else:
            server()(request)

    assert counted(respond).method is CountMethod.TOO_MANY


@pytest.mark.parametrize(
    ("respond", "error"),
    [
        (lambda r: r.answer("overloaded", 503), SourceUnavailable),
        (lambda r: r.drop(), SourceUnavailable),
        (lambda r: r.answer("<html>"), InvalidAnswer),
    ],
    ids=["503", "dropped", "html"],
)
def test_a_server_that_is_away_is_said_and_nothing_is_made_up(respond, error):
    with pytest.raises(error):
        counted(respond)


FOREIGN = [
    {"namespace": "victim"},
    {"namespace": "victim", "exported_namespace": "victim"},
    {"namespace": "evil", "exported_namespace": "ml"},
    {"namespace": "ml", "exported_namespace": "victim"},
    {"namespace": "", "exported_namespace": "ml"},
    {"namespace": "ml "},
]


@pytest.mark.parametrize("labels", FOREIGN, ids=str)
def test_a_series_of_another_namespace_is_not_counted_even_if_the_server_sends_it(labels):
    """Not one that it has, not one that its pods claim to be about us, not one of ours that is about others."""
    foreign = OWN | labels
    found = counted(server((OWN, {10: 5.0}), (foreign, {10: 900.0}), before=((foreign, 1.0),)))
    assert found == UnitCount(5, None, 1, CountMethod.INCREASE)


def test_a_counter_of_another_name_is_not_counted_even_if_the_server_sends_it():
    assert counted(server((OWN, {10: 5.0}), (OWN | {"__name__": "other_total"}, {10: 900.0}))).units == 5


def test_an_own_label_namespace_of_the_same_name_changes_nothing():
    assert counted(server((OWN | {"exported_namespace": "ml"}, {10: 5.0}))).units == 5


def test_only_speakers_may_count_for_other_namespaces():
    told = {"__name__": METRIC, "namespace": "gateway", "exported_namespace": "ml"}
    with counting(server((told, {10: 5.0})), speakers=frozenset({"gateway"})) as (made, served):
        assert made.count([ASKED], SPAN)["ml", "chat"].units == 5
    assert selections(served)[1] == (
        '{__name__=~"answers_total",exported_namespace="ml",namespace=~"gateway"}[3602000ms]'
    )
    assert counted(server((told, {10: 5.0})), speakers=frozenset({"other"})).units is None


HOSTILE = [
    '"} or {namespace="victim',
    'a"} or vector(1) or {b="',
    "victim\\",
    '\\"',
    ".*",
    ".+|victim",
    "a\nb",
    "a\r\nb",
    "{}",
    "$x",
    "`x`",
    "'x'",
    "a, namespace=~'.*'",
    "# comment",
    "[5m]",
    "\x00",
    "é漢",
]


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
@pytest.mark.parametrize("place", ["metric", "value", "namespace"])
def test_no_name_or_value_can_leave_its_string(place, text):
    counter = Counter(text if place == "metric" else METRIC, {"outcome": text if place == "value" else "ok"})
    asked = CounterQuery(text if place == "namespace" else "ml", "chat", counter)
    with counting(server((OWN, {10: 900.0}))) as (made, served):
        found = made.count([asked], SPAN)
    assert found[asked.key].units is None
    for query in selections(served):
        assert skeleton(query) == '{__name__=~"",namespace="",exported_namespace=~"",outcome=""}[3602000ms]'


def test_half_of_a_surrogate_pair_is_not_asked_for():
    for asked in (Counter("a\ud800"), Counter(METRIC, {"outcome": "\udfff"})):
        assert counted(server(), CounterQuery("ml", "chat", asked)).method is CountMethod.NO_COUNTER
    assert counted(server(), CounterQuery("ml\ud800", "chat", Counter(METRIC))).method is CountMethod.NO_COUNTER


@pytest.mark.parametrize("name", ['a="x"} or {b', "a b", "", "1a", "a-b", "a\n", "é", 'namespace=~".*",a'])
def test_a_name_that_no_label_can_have_is_not_asked_for(name):
    asked = CounterQuery("ml", "chat", Counter(METRIC, {name: "x"}))
    with counting(server((OWN, {10: 900.0}))) as (made, served):
        assert made.count([asked], SPAN)["ml", "chat"] == UnitCount(None, None, 0, CountMethod.NO_COUNTER)
    assert selections(served) == []


@pytest.mark.parametrize(
    "labels",
    [{"namespace": "victim"}, {"exported_namespace": "victim"}, {"__name__": "other_total"}, {"cluster": "b"}],
    ids=str,
)
def test_labels_only_ever_narrow_what_is_read(labels):
    """Naming the namespace again adds a matcher; it replaces none."""
    foreign = OWN | labels
    asked = CounterQuery("ml", "chat", Counter(METRIC, labels))
    with counting(server((foreign, {10: 900.0}), (OWN, {10: 5.0})), matchers={"cluster": "a"}) as (made, served):
        found = made.count([asked], SPAN)["ml", "chat"]
    (query,) = selections(served)
    assert 'namespace="ml",exported_namespace=~"|ml"' in query
    assert '__name__=~"answers_total",cluster="a"' in query
    assert found.units is None or labels == {"cluster": "b"}
