"""Queries about successes by a server whose answers are written here: what is sent, counted and refused."""

import re
from contextlib import contextmanager

import pytest

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.successes import PrometheusSuccesses
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.serving.outcomes.judged import Verdict
from aicost.domain.serving.outcomes.posted import MOST_REASONS
from aicost.ports.errors import NotPermitted
from aicost.ports.measured.successes import SuccessQuery
from support.http_server import serving

T0 = 1_700_000_000_000
SPAN = Window(T0, T0 + HOUR_MS)
OWN = {"namespace": "ml", "pod": "chat-0"}
ASKED = SuccessQuery("ml", "chat", 'answers_total{o="good"}', 'answers_total{o="bad"}')


def answer(kind, result):
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def matrix(*series):
    rows = [{"metric": one, "values": [[T0 / 1e3 + at, str(v)] for at, v in found.items()]} for one, found in series]
    return answer("matrix", rows)


def vector(*rows):
    return answer("vector", [{"metric": one, "value": [T0 / 1e3, str(value)]} for one, value in rows])


@contextmanager
def asking(respond):
    with serving(lambda request: request.answer_json(respond(request.form["query"]))) as served:
        made = PrometheusSuccesses(PrometheusConfig(served.url, timeout_s=2.0))
        yield made, lambda: [request.form["query"] for request in served.requests]
        made.close()


def judged(respond, *asked):
    with asking(respond) as (made, _):
        return made.judged(asked or (ASKED,), SPAN)


def test_a_selector_names_counters_whose_increase_is_summed_by_reason_over_restarts():
    def respond(query):
        if 'o="good"' in query:
            return matrix((OWN, {-60: 100, 10: 105, 20: 3}), (OWN | {"pod": "b"}, {-60: 50, 10: 60}))
        return matrix(
            (OWN | {"reason": "Thumbs-Down"}, {-60: 1, 10: 4}), (OWN | {"reason": "thumbs-down"}, {-60: 0, 9: 2})
        )

    assert judged(respond) == {
        ("ml", "chat"): [Verdict("", True, 18), Verdict("thumbs-down", False, 5)]
    }  # fmt: skip


def test_each_query_is_held_to_its_namespace_and_asked_for_the_window():
    with asking(lambda _: matrix()) as (made, sent):
        made.judged([ASKED], SPAN)
    assert sent()[0] == 'answers_total{o="good",namespace="ml",exported_namespace=~"|ml"}[3901000ms]'


def test_an_expression_is_evaluated_by_the_server_with_the_length_of_the_window():
    query = SuccessQuery("ml", "chat", "sum(increase(a[$window]))", "sum by (reason) (increase(b[$window]))")

    def respond(text):
        assert 'namespace="ml"' in text
        assert "[ 3600000ms ]" in text
        return vector(({}, 9.6)) if "a{" in text else vector(({"reason": "slow"}, 2), ({"reason": "odd"}, "NaN"))

    assert judged(respond, query) == {("ml", "chat"): [Verdict("", True, 10), Verdict("slow", False, 2)]}


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-3", "1e300"])
def test_what_is_no_number_of_requests_is_none(value):
    assert judged(lambda _: vector(({}, value)), SuccessQuery("ml", "chat", "sum(a)")) == {}


def test_a_query_that_cannot_be_held_is_never_sent_and_takes_nothing_from_others():
    bad = SuccessQuery("ml", "bad", "info(a)")
    with asking(lambda _: matrix((OWN, {-60: 0, 10: 4}))) as (made, sent):
        assert made.judged([bad, SuccessQuery("ml", "chat", "a")], SPAN) == {("ml", "chat"): [Verdict("", True, 4)]}
        assert len(sent()) == 1


@pytest.mark.parametrize("namespace", ['x"} or secret{a="', "x\\", "x\n"])
def test_a_hostile_namespace_stays_a_text(namespace):
    with asking(lambda _: matrix()) as (made, sent):
        made.judged([SuccessQuery(namespace, "chat", "a")], SPAN)
    skeleton = re.sub(r'"(?:\\.|[^"\\])*"', '""', sent()[0], flags=re.DOTALL)
    assert skeleton == 'a{namespace="",exported_namespace=~""}[3901000ms]'


def test_reasons_have_a_bound_and_hostile_ones_are_shortened():
    rows = [({"reason": f"R{n}\x1b" + "x" * 100}, n + 1) for n in range(500)]
    (verdicts,) = judged(lambda _: vector(*rows), SuccessQuery("ml", "chat", "sum(a)", "sum by (reason) (b)")).values()
    bad = [one for one in verdicts if not one.success]
    assert len(bad) == MOST_REASONS + 1
    assert all(len(one.reason) <= 63 and one.reason.isprintable() for one in bad)
    assert sum(one.requests for one in bad) == sum(n + 1 for n in range(500))


@pytest.mark.parametrize("status", [400, 422, 503])
def test_a_query_that_the_server_refuses_or_cannot_finish_takes_nothing_from_others(status):
    def respond(request):
        if "bad" in request.form["query"]:
            request.answer_json({"status": "error", "errorType": "bad_data", "error": "no"}, status)
        else:
            request.answer_json(matrix((OWN, {-60: 0, 10: 4})))

    with serving(respond) as served:
        made = PrometheusSuccesses(PrometheusConfig(served.url, timeout_s=2.0))
        asked = [SuccessQuery("ml", "bad", "sum(bad)"), SuccessQuery("ml", "chat", "a")]
        assert made.judged(asked, SPAN) == {("ml", "chat"): [Verdict("", True, 4)]}
        made.close()


def test_a_server_that_does_not_answer_is_not_asked_on_and_on():
    with serving(lambda request: request.answer("down", 503)) as served:
        made = PrometheusSuccesses(PrometheusConfig(served.url, timeout_s=2.0))
        assert made.judged([SuccessQuery("ml", f"w{n}", "a") for n in range(50)], SPAN) == {}
        assert len(served.requests) == 3
        made.close()


def test_a_server_that_refuses_us_is_told():
    with serving(lambda request: request.answer("no", 403)) as served:
        made = PrometheusSuccesses(PrometheusConfig(served.url, timeout_s=2.0))
        with pytest.raises(NotPermitted):
            made.judged([ASKED], SPAN)
        made.close()
