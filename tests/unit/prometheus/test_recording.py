"""What is recorded of engines and gateways says the same when it is read again, also where nobody is named any more."""

import gzip
import re

import numpy as np
import pytest

from aicost.adapters.bundle.anonymise import Anonymiser
from aicost.adapters.bundle.bundle import open_bundle
from aicost.adapters.bundle.engines import BundleEngines
from aicost.adapters.bundle.head import BundleHead
from aicost.adapters.bundle.writing import BundleWriter
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.engines import PrometheusEngines
from aicost.adapters.prometheus.recording import PrometheusRecording
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.meters import Count
from aicost.domain.serving.rounds.counting import round_counts
from aicost.domain.serving.tenants import tenant_counts
from aicost.usecases.economics.counting import grown_in, tallies
from support.http_server import Request, serving

T0 = 1_795_600_800_000
HOUR = Window(T0, T0 + HOUR_MS)
WHOLE = Window(T0 - 10 * MINUTE_MS, T0 + HOUR_MS + 10 * MINUTE_MS)
ENGINE = {"namespace": "search", "pod": "chat-0", "model_name": "acme/secret-7b", "engine": "0"}
SGLANG = {"namespace": "search", "pod": "chat-1", "model_name": "acme/secret-7b"}
LITELLM = {"namespace": "gateways", "pod": "litellm-0", "requested_model": "acme/secret-7b", "model": "acme/secret-7b",
           "team_alias": "Growth"}  # fmt: skip
NOBODY = {**LITELLM, "team_alias": "None"}
SERIES = [
    ("vllm:prompt_tokens_total", ENGINE, 10),
    ("vllm:prompt_tokens_by_source_total", {**ENGINE, "source": "local_compute"}, 6),
    ("vllm:prompt_tokens_by_source_total", {**ENGINE, "source": "local_cache_hit"}, 4),
    ("vllm:generation_tokens_total", ENGINE, 20),
    ("vllm:request_success_total", {**ENGINE, "finished_reason": "stop"}, 3),
    ("vllm:request_success_total", {**ENGINE, "finished_reason": "acme-secret-reason"}, 1),
    ("vllm:request_prompt_tokens_bucket", {**ENGINE, "le": "1000.0"}, 2),
    ("vllm:request_prompt_tokens_bucket", {**ENGINE, "le": "1500.0"}, 3),
    ("vllm:request_prompt_tokens_bucket", {**ENGINE, "le": "+Inf"}, 4),
    ("sglang:realtime_tokens_total", {**SGLANG, "mode": "prefill_compute", "tp_rank": "0"}, 7),
    ("sglang:realtime_tokens_total", {**SGLANG, "mode": "prefill_compute", "tp_rank": "10"}, 7),
    ("litellm_input_tokens_metric_total", LITELLM, 8),
    ("litellm_output_tokens_metric_total", NOBODY, 9),
    ("litellm_proxy_total_requests_metric_total", {**LITELLM, "route": "/acme/v1/chat/completions"}, 2),
    ("litellm_proxy_total_requests_metric_total", {**LITELLM, "route": "/key/acme"}, 5),
    (
        "litellm_proxy_total_requests_metric_total",
        {**LITELLM, "route": "/x/completions", "metadata_step": "Guardrail-acme"},
        1,
    ),
    ("litellm_deployment_total_requests_total", LITELLM, 3),
]
SECRETS = re.compile(r"acme|secret|growth|chat-0|search|litellm-0|gateways", re.IGNORECASE)


def respond(request: Request) -> None:
    """Answer a selector of names, with or without bounds, for its time."""
    query, at_ms = request.form["query"], round(float(request.form["time"]) * 1_000)
    names = re.search(r'__name__=~"([^"]*)"', query)
    bounds = re.search(r'le=~"([^"]*)"', query)
    over = re.search(r"\[(\d+)ms\]", query)
    first = at_ms - int(over[1]) if over else at_ms
    if not names or query.startswith(("count", "last_over_time", "max")):
        request.answer_json({"status": "success", "data": {"resultType": "vector", "result": []}})
        return
    result = [
        {"metric": {"__name__": name, **labels},
         "values": [[at / 1e3, str(a_second * (at - WHOLE.start_ms) / 1e3 + 5)]
                    for at in range(WHOLE.start_ms, WHOLE.end_ms, 30_000) if first <= at <= at_ms]}
        for name, labels, a_second in SERIES
        if re.fullmatch(names[1].replace("\\\\", "\\"), name)
        and (not bounds or re.fullmatch(bounds[1].replace("\\\\", "\\"), labels.get("le", "")))
    ]  # fmt: skip
    request.answer_json({"status": "success", "data": {"resultType": "matrix", "result": result}})


def told(engines):
    grown = list(grown_in(engines, HOUR))
    series = [one.grown for one in grown]
    return tallies(grown), tenant_counts(series), round_counts(series)


def recorded(folder, hide=None):
    with serving(respond) as served, BundleWriter(folder) as writer:
        recording = PrometheusRecording(PrometheusConfig(served.url, timeout_s=5.0))
        for part in recording.parts(WHOLE):
            writer.samples(map(hide.series, part) if hide else part)
        recording.close()
        writer.head(BundleHead("c", HOUR))
        live = PrometheusEngines(PrometheusConfig(served.url, timeout_s=5.0))
        said = told(live)
        live.close()
    with open_bundle(str(folder)) as bundle:
        return said, told(BundleEngines(bundle))


def test_a_recording_says_of_engines_and_gateways_what_the_server_said(tmp_path):
    live, read = recorded(tmp_path / "b")
    assert read == live
    pods, tenants, rounds = read
    chat = pods["search", "chat-0"]["acme/secret-7b"]
    assert (chat.output, chat.cached, chat.get(Count.PROMPTS_TO_1000)) == (72_000, 14_400, 7_200)
    assert len(tenants) == 2
    assert len(rounds) == 1


def numbers(pods):
    """What was counted, whoever did it."""
    every = [one for models in pods.values() for one in models.values()]
    return sorted((sorted(one.counts.items()), sorted(one.outcomes.items())) for one in every)


def test_where_nobody_is_named_the_counts_are_the_same(tmp_path):
    (pods, tenants, rounds), (hidden, tenants_hidden, rounds_hidden) = recorded(
        tmp_path / "b", Anonymiser(b"a key of this test alone, 32 byte")
    )
    assert numbers(hidden) == numbers(pods)
    assert [one.counts for one in rounds] == [one.counts for one in rounds_hidden]
    assert sorted((one.asked.total, Dimension.TEAM in one.tenants) for one in tenants) == sorted(
        (one.asked.total, Dimension.TEAM in one.tenants) for one in tenants_hidden
    )
    told_once = {model for models in hidden.values() for model in models} | {one.model for one in rounds_hidden}
    assert len(told_once) == 1, "engines and gateways name the model alike"


def test_no_label_of_an_anonymous_recording_names_anybody(tmp_path):
    recorded(tmp_path / "b", Anonymiser(b"a key of this test alone, 32 byte"))
    texts = [gzip.decompress(path.read_bytes()).decode() for path in (tmp_path / "b" / "samples").iterdir()]
    labels = [line for text in texts for line in text.splitlines() if not line.startswith("#")]
    assert labels
    found = [line for line in labels if SECRETS.search(line.partition("{")[2])]
    assert not found


def test_of_histograms_a_few_buckets_are_recorded(tmp_path):
    recorded(tmp_path / "b")
    with open_bundle(str(tmp_path / "b")) as bundle:
        bounds = {one.labels["le"] for one in bundle.series(["vllm:request_prompt_tokens_bucket"], WHOLE)}
    assert bounds == {"1000.0", "+Inf"}


@pytest.mark.parametrize("value", ["customer-acme", "42-acme", "stop acme"])
def test_a_label_that_says_what_is_counted_keeps_no_other_word(value):
    empty = np.zeros(0)
    one = RawSeries("request_success_total", {"finished_reason": value}, empty.astype(np.int64), empty)
    assert "acme" not in Anonymiser(b"key").series(one).labels["finished_reason"]
