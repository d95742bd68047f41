import gzip
import json
from collections.abc import Callable
from contextlib import contextmanager

import pytest

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.promql import one_of, quote, selector
from aicost.adapters.prometheus.source import PrometheusSource
from aicost.domain.exact.windows import Window
from aicost.domain.sampling.scrapes import Target, targets_of
from aicost.domain.sampling.series import RawSeries, Signal
from aicost.ports.errors import InvalidAnswer, NotPermitted, SourceUnavailable
from support.http_server import Request, Served, serving

T0 = 1_700_000_000_000
SPAN = Window(T0, T0 + 60_000)
UTIL = "DCGM_FI_DEV_GPU_UTIL"
LABELS = {"__name__": UTIL, "UUID": "GPU-1", "job": "dcgm", "instance": "10.0.0.7:9400"}


TPUS = 'make="cloud-tpu"'


def matrix(*series: tuple[dict[str, str], list[tuple[float, str]]], **more: object) -> dict[str, object]:
    result = [{"metric": labels, "values": values} for labels, values in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}} | more


def vector(*labels: dict[str, str]) -> dict[str, object]:
    result = [{"metric": one, "value": [T0 / 1_000, "1"]} for one in labels]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def every(start: int, end: int, step: int = 15_000) -> list[tuple[float, str]]:
    return [(at / 1_000, "50") for at in range(start, end, step)]


def seconds(text: str) -> int:
    return round(float(text) * 1_000)


def partial(**remark: object) -> Callable[[Request], None]:
    return lambda request: request.answer_json(matrix((LABELS, []), **remark))


def refusal(status: int, kind: str, text: str) -> Callable[[Request], None]:
    return lambda request: request.answer_json({"status": "error", "errorType": kind, "error": text}, status)


def server(
    select: Callable[[Request], None] | object, up: object = None, helps: object = None
) -> Callable[[Request], None]:
    """An API that answers selections, `up` and metadata with these."""

    def respond(request: Request) -> None:
        if request.path.endswith("/metadata"):
            request.answer_json({"status": "success", "data": helps or {}})
        elif "last_over_time" in request.form["query"]:
            request.answer_json(up or vector())
        elif TPUS in request.form["query"]:
            request.answer_json(vector() if request.form["query"].startswith("count") else matrix())
        elif callable(select):
            select(request)
        else:
            request.answer_json(select)

    return respond


@contextmanager
def source(respond: Callable[[Request], None], **settings: object):
    with serving(respond) as served:
        made = PrometheusSource(PrometheusConfig(served.url, **({"timeout_s": 10.0} | settings)))
        yield made, served
        made.close()


def fetch(respond: Callable[[Request], None], **settings: object) -> tuple[RawSeries, ...]:
    with source(respond, **settings) as (made, _):
        return made.samples(SPAN)


def selections(served: Served) -> list[dict[str, str]]:
    """The selections of GPUs, without those of names that others use as well."""
    queries = [r.form for r in served.requests if r.path.endswith("/query")]
    return [form for form in queries if "last_over_time" not in form["query"] and TPUS not in form["query"]]


def test_names_that_others_use_as_well_are_asked_for_with_their_labels():
    with source(server(matrix()), matchers={"cluster": "a"}) as (made, served):
        made.samples(SPAN)
    (query,) = [r.form["query"] for r in served.requests if TPUS in r.form.get("query", "")]
    assert query == '{__name__=~"duty_cycle|duty_cycle_node|memory_used",cluster="a",make="cloud-tpu"}[62000ms]'
    assert "duty_cycle" not in selections(served)[0]["query"]


def test_a_group_of_names_none_of_which_is_needed_is_not_asked_for():
    with source(server(matrix()), signals=frozenset({Signal.ENGINE_ACTIVE})) as (made, served):
        made.samples(SPAN)
    (form,) = selections(served)
    assert "ENGINE_ACTIVE" in form["query"]
    assert not [r for r in served.requests if TPUS in r.form.get("query", "")]


def test_samples_are_cut_half_open_whatever_the_server_sends():
    found = fetch(server(matrix((LABELS, every(T0 - 15_000, T0 + 75_000)))))
    assert found[0].at_ms.tolist() == [T0, T0 + 15_000, T0 + 30_000, T0 + 45_000]
    assert (found[0].name, found[0].labels["UUID"]) == (UTIL, "GPU-1")
    assert "__name__" not in found[0].labels


def test_the_query_is_a_selector_of_raw_samples_in_the_body():
    with source(server(matrix()), matchers={"cluster": "a"}) as (made, served):
        made.samples(SPAN)
    (form,) = selections(served)
    assert form["query"].endswith(',cluster="a"}[62000ms]')
    assert UTIL in form["query"]
    assert seconds(form["time"]) == SPAN.end_ms + 1_000
    assert served.requests[0].method == "POST"
    assert served.requests[0].query == {}


@pytest.mark.parametrize(
    ("timeout_s", "told"), [(0.5, "500ms"), (2.0, "2000ms"), (2.5, "2500ms"), (1e6, "1000000000ms")]
)
def test_the_server_is_told_our_patience_in_whole_milliseconds_which_it_can_read(timeout_s, told):
    with source(server(matrix()), timeout_s=timeout_s) as (made, served):
        made.samples(SPAN)
    assert {form["timeout"] for form in selections(served)} == {told}


def test_only_the_signals_asked_for_are_fetched():
    with source(server(matrix())) as (made, served):
        made.samples(SPAN)
    assert "FB_USED" in selections(served)[0]["query"]
    assert "XID" not in selections(served)[0]["query"]


def test_a_long_span_is_fetched_in_parts_and_joined_again():
    def select(request: Request) -> None:
        end = seconds(request.form["time"])
        request.answer_json(matrix((LABELS, every(T0, end + 1))))

    with source(server(select), chunk_ms=15_000) as (made, served):
        (one,) = made.samples(SPAN)
    assert len(selections(served)) == 4
    assert one.at_ms.tolist() == [T0, T0 + 15_000, T0 + 30_000, T0 + 45_000]


def test_what_is_too_much_at_once_is_asked_for_in_halves():
    def select(request: Request) -> None:
        if request.form["query"].endswith("[62000ms]"):
            refusal(422, "execution", "too many samples")(request)
        else:
            request.answer_json(matrix((LABELS, every(T0, T0 + 60_000))))

    with source(server(select)) as (made, served):
        (one,) = made.samples(SPAN)
    assert [form["query"].rpartition("[")[2] for form in selections(served)] == ["62000ms]", "32000ms]", "32000ms]"]
    assert len(one.at_ms) == 4


def test_a_reply_above_the_limit_is_asked_for_in_halves():
    def select(request: Request) -> None:
        length = int(request.form["query"].rpartition("[")[2].removesuffix("ms]"))
        request.answer_json(matrix((LABELS, every(T0, T0 + 60_000, 1_000 if length > 40_000 else 15_000))))

    assert len(fetch(server(select), max_reply_bytes=1_000)[0].at_ms) == 4


def test_what_is_too_much_even_in_small_parts_is_said():
    with pytest.raises(SourceUnavailable, match=r"too many samples, even for 1\.875 s"):
        fetch(server(refusal(422, "execution", "too many samples")))


@pytest.mark.parametrize(
    ("respond", "error", "said"),
    [
        (partial(warnings=["store a is gone"]), SourceUnavailable, "less than was asked: store a"),
        (partial(infos=["half"]), SourceUnavailable, "less than was asked: half"),
        (partial(isPartial=True), SourceUnavailable, "isPartial"),
        (lambda r: r.answer("overloaded", 503), SourceUnavailable, "answered 503: 'overloaded'"),
        (lambda r: r.answer("", 429), SourceUnavailable, "429"),
        (lambda r: r.hang(), SourceUnavailable, "did not answer"),
        (lambda r: r.drop(), SourceUnavailable, "did not answer"),
        (lambda r: r.drip(b"x" * 4096, 0.05), SourceUnavailable, "took longer than 0.3 s"),
        (lambda r: r.answer('{"status":"success","da', length=4096), SourceUnavailable, "did not answer"),
        (lambda r: r.answer('{"status":"success","da'), InvalidAnswer, "did not answer as a Prometheus API"),
        (lambda r: r.answer("<html><title>Sign in"), InvalidAnswer, "starts with '<html><title>Sign in'"),
        (lambda r: r.answer("<html>", 404), InvalidAnswer, "path prefix"),
        (lambda r: r.answer("", 302, Location="/login"), InvalidAnswer, "redirect"),
        (lambda r: r.answer("no", 401), NotPermitted, "bearer_token_file"),
        (lambda r: r.answer("no", 403), NotPermitted, "403"),
        (refusal(400, "bad_data", "parse"), InvalidAnswer, "bad_data parse"),
        (lambda r: r.answer_json({"status": "error", "error": "odd"}), InvalidAnswer, "failed: odd"),
        (lambda r: r.answer_json(vector(LABELS)), InvalidAnswer, "another kind"),
        (lambda r: r.answer_json(matrix((LABELS, [("now", 5)]))), InvalidAnswer, "samples that are none"),
        (lambda r: r.answer_json(matrix((LABELS, [(T0 / 1e3, "five")]))), InvalidAnswer, "samples that are none"),
        (lambda r: r.answer_json(matrix(({"a": 5}, every(T0, T0 + 1)))), InvalidAnswer, "labels that are none"),
        (lambda r: r.answer_json([]), InvalidAnswer, "did not answer as a Prometheus API"),
    ],
    ids=[
        "thanos", "infos", "victoria", "503", "429", "hanging", "dropped", "dripping", "cut", "half", "html", "404",
        "redirect", "401", "403", "400", "error", "vector", "time", "value", "labels", "list",
    ],
)  # fmt: skip
def test_every_failure_is_said_in_our_own_words(respond, error, said):
    with pytest.raises(error, match=said) as raised:
        fetch(server(respond), timeout_s=0.3)
    assert "http://127.0.0.1" in str(raised.value)


def test_nobody_at_the_address_is_said():
    with pytest.raises(SourceUnavailable, match="did not answer"):
        PrometheusSource(PrometheusConfig("http://127.0.0.1:9", timeout_s=0.3)).samples(SPAN)


def test_odd_values_are_handed_on_for_cleaning():
    values = [(T0 / 1e3, "NaN"), (T0 / 1e3 + 1, "+Inf"), (T0 / 1e3 + 2, "9.223372036854776e+18")]
    (one,) = fetch(server(matrix((LABELS, values))))
    assert [str(value) for value in one.value] == ["nan", "inf", "9.223372036854776e+18"]


def test_a_packed_answer_is_unpacked_within_the_limit():
    body = json.dumps(matrix((LABELS, every(T0, T0 + 60_000)))).encode()
    packed = server(lambda r: r.answer(gzip.compress(body), Content_Encoding="gzip"))
    assert len(fetch(packed)[0].at_ms) == 4
    bomb = server(lambda r: r.answer(gzip.compress(b" " * 5_000_000), Content_Encoding="gzip"))
    with pytest.raises(SourceUnavailable, match="more than 100000 bytes"):
        fetch(bomb, max_reply_bytes=100_000)


def test_credentials_and_tenant_travel_with_each_request():
    with source(server(matrix()), bearer_token="s3cret", tenant="a") as (made, served):
        made.samples(SPAN)
    headers = {name.lower(): value for name, value in served.requests[0].headers.items()}
    assert (headers["authorization"], headers["x-scope-orgid"]) == ("Bearer s3cret", "a")


def test_the_scraped_pod_and_node_are_told_by_up():
    up = vector({"job": "dcgm", "instance": "10.0.0.7:9400", "namespace": "ops", "pod": "exporter-1", "node": "n1"})
    (one,) = fetch(server(matrix((LABELS, every(T0, T0 + 1))), up))
    assert (one.target_pod, one.target_node) == (("ops", "exporter-1"), "n1")


def test_without_up_the_pod_beside_an_exported_pod_is_the_target():
    busy = LABELS | {"exported_pod": "p", "pod": "exporter-1", "namespace": "ops"}
    found = targets_of([], [LABELS, busy])
    assert found.of(LABELS) == found.of(busy) == Target(("ops", "exporter-1"))


def test_an_address_that_was_two_pods_names_neither():
    up = [LABELS | {"pod": name, "namespace": "ops", "node": "n1"} for name in ("a", "b")]
    assert targets_of(up, [LABELS]).of(LABELS) == Target(None, "n1")


def test_of_two_pods_that_had_an_address_in_turn_each_is_the_target_of_the_series_that_it_names():
    """An exporter that was restarted on the network of its host."""
    mine = [LABELS | {"pod": name, "namespace": "ops"} for name in ("a", "b")]
    found = targets_of([one | {"node": "n1"} for one in mine], mine)
    assert [found.of(one) for one in mine] == [Target(("ops", "a"), "n1"), Target(("ops", "b"), "n1")]


def test_a_pod_beside_an_exported_pod_is_a_target_wherever_it_stands_and_whatever_is_left_out():
    """Samples by hand: neither job nor instance, and two exporters."""
    busy = [{"exported_pod": "p", "pod": f"exporter-{n}"} for n in "12"]
    found = targets_of([], busy)
    assert found.of({"pod": "exporter-2", "UUID": "GPU-2"}) == Target(("", "exporter-2"))
    assert found.of({"pod": "p"}).pod is None


def test_series_without_job_and_instance_find_their_target_among_all_that_are_up():
    up = [
        {"job": job, "instance": f"10.0.0.{job}:1", "namespace": "ops", "pod": f"e{job}", "node": "n"} for job in "12"
    ]
    idle = [{"pod": "e2", "namespace": "ops"}, {"pod": "e1"}, {"pod": "p", "namespace": "ops"}]
    found = targets_of(up, idle)
    assert [found.of(one).pod for one in idle] == [("ops", "e2"), ("", "e1"), None]
    assert targets_of(up, [LABELS]).of(idle[0]).pod is None  # who was asked for something else


def test_help_texts_come_from_the_metadata_of_the_server():
    helps = {UTIL: [{"type": "gauge", "help": "GPU utilization (in %).", "unit": ""}]}
    assert fetch(server(matrix((LABELS, every(T0, T0 + 1))), helps=helps))[0].help == "GPU utilization (in %)."


def test_help_texts_that_contradict_each_other_decide_nothing():
    helps = {UTIL: [{"help": "GPU utilization (in %)."}, {"help": "GPU utilization (ratio)."}]}
    assert fetch(server(matrix((LABELS, every(T0, T0 + 1))), helps=helps))[0].help == ""


def test_a_store_without_metadata_is_no_failure():
    def respond(request: Request) -> None:
        if request.path.endswith("/metadata"):
            request.answer("404 page not found", 404)
        else:
            server(matrix((LABELS, every(T0, T0 + 1))))(request)

    assert fetch(respond)[0].help == ""


def test_an_empty_span_asks_nothing():
    with source(server(matrix())) as (made, served):
        assert made.samples(Window(T0, T0)) == ()
        assert served.requests == []


def test_a_probe_tells_the_dialect_or_that_there_is_none():
    def counts(*names: str):
        return lambda r: r.answer_json(vector(*({"__name__": n} for n in names if TPUS not in r.form["query"])))

    with source(server(counts(UTIL, "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO"))) as (made, _):
        assert made.probe().dialect.releases == ">= 4.9"
    with source(server(counts(UTIL))) as (made, served):
        assert made.probe().series == {UTIL: 1}
        assert "time" not in served.requests[0].form
    with source(server(counts())) as (made, _):
        assert made.probe() is None


def test_a_value_cannot_leave_its_string():
    hostile = 'a"} or vector(1) or {b="\\\n'
    assert quote(hostile) == '"a\\"} or vector(1) or {b=\\"\\\\\\n"'
    assert selector(["up"], {"cluster": hostile}).count('"') - selector(["up"], {"cluster": hostile}).count('\\"') == 4


def test_a_literal_in_a_regular_expression_stays_literal():
    assert one_of("job", ["a.b", "c|d", "e f"]) == 'job=~"a\\\\.b|c\\\\|d|e f"'
