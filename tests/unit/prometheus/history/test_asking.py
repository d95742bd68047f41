"""Labels as the exporter wrote them, samples' distances, places in ids, and a client that waits."""

import numpy as np
import pytest

from aicost.adapters.prometheus.client import TooMuchAsked
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.history.asking import Asker, rows_of, told
from aicost.adapters.prometheus.history.nodes import place_of
from aicost.adapters.prometheus.history.pace import typical_distance
from aicost.adapters.prometheus.patient import PatientClient
from aicost.adapters.prometheus.replies import Vector, VectorSeries
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.ports.errors import InvalidAnswer, SourceUnavailable
from support.http_server import serving

T = 1_795_600_800_000


def vector(*labels: dict[str, str], value: str = "1") -> Vector:
    return Vector([VectorSeries(one, (0.0, value)) for one in labels])


def test_what_a_prometheus_renamed_is_taken_back():
    labels = {
        "exported_pod": "train",
        "pod": "ksm-0",
        "exported_namespace": "ml",
        "namespace": "monitoring",
        "uid": "u",
    }
    assert told(labels) == {"pod": "train", "namespace": "ml", "uid": "u"}


def test_labels_of_the_scrape_tell_no_objects_apart():
    assert told({"pod": "train", "instance": "10.0.0.1:8080", "job": "ksm"}) == {"pod": "train"}


def test_a_label_that_the_exporter_left_empty_is_not_the_targets():
    """A pod that is not bound yet has no node; that of the exporter is not its own."""
    bound = {"exported_pod": "a", "pod": "ksm-0", "exported_node": "gpu-1", "node": "infra-0"}
    waiting = {"exported_pod": "b", "pod": "ksm-0", "node": "infra-0"}
    rows = rows_of(vector(bound, waiting))
    assert [row.get("node") for row in rows] == ["gpu-1", ""]


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_values_that_are_no_numbers_are_no_rows(value):
    assert rows_of(vector({"pod": "a"}, value=value)) == []


def test_a_value_that_is_none_at_all_is_no_answer():
    with pytest.raises(InvalidAnswer, match="'much', which is no value"):
        rows_of(vector({"pod": "a"}, value="much"))


@pytest.mark.parametrize(
    ("provider_id", "where"),
    [
        ("aws:///us-east-1a/i-0abc", ("us-east-1", "us-east-1a")),
        ("gce://project/europe-west4-b/gke-1", ("europe-west4", "europe-west4-b")),
        ("azure:///subscriptions/s/resourceGroups/g", ("", "")),
        ("aws:///", ("", "")),
        ("kind://docker/kind/worker", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_place_is_read_from_ids_that_name_one(provider_id, where):
    assert place_of(provider_id) == where


def test_the_typical_distance_is_that_of_most_of_the_time():
    fine, coarse = np.arange(0, HOUR_MS // 4, 15_000), np.arange(HOUR_MS // 4, 2 * HOUR_MS, 5 * MINUTE_MS)
    assert typical_distance([np.concatenate((fine, coarse))]) == 5 * MINUTE_MS
    assert typical_distance([np.array([0, 15_000, 30_000, 30_000 + HOUR_MS // 60])]) <= MINUTE_MS
    assert typical_distance([]) == 0
    assert typical_distance([np.array([5])]) == 0


def refusing(times: int, status: int, kind: str):
    """A server that refuses so many times, and answers then."""
    left = [times]

    def respond(request):
        left[0] -= 1
        if left[0] >= 0:
            request.answer_json({"status": "error", "errorType": kind, "error": "no"}, status)
        else:
            request.answer_json({"status": "success", "data": {"resultType": "vector", "result": []}})

    return respond


def test_a_client_waits_longer_and_longer_and_says_why():
    waits = []
    with serving(refusing(4, 503, "unavailable")) as served:
        client = PatientClient(PrometheusConfig(served.url), lambda seconds, why: waits.append((seconds, why)), 900.0)
        client.query("up", None, Vector)
    assert [seconds for seconds, _ in waits] == [1.0, 2.0, 4.0, 8.0]
    assert "503" in waits[0][1]


def test_patience_has_an_end():
    waits = []
    with serving(refusing(99, 503, "unavailable")) as served:
        client = PatientClient(PrometheusConfig(served.url), lambda seconds, _: waits.append(seconds), 10.0)
        with pytest.raises(SourceUnavailable):
            client.query("up", None, Vector)
    assert sum(waits) <= 10.0


def test_what_is_too_much_is_not_asked_again_but_in_halves():
    asked = []

    def respond(request):
        asked.append(request.form["query"])
        request.answer_json({"status": "error", "errorType": "execution", "error": "too many samples"}, 422)

    with serving(respond) as served:
        config = PrometheusConfig(served.url)
        client = PatientClient(config, lambda *_: pytest.fail("it waited"), 900.0)
        with pytest.raises(SourceUnavailable, match="even for"):
            Asker(config, client).last("kube_pod_info", Window(T, T + HOUR_MS), ("pod",))
        with pytest.raises(TooMuchAsked):
            client.query("up", None, Vector)
    lengths = [int(query.split("[")[1].split("ms")[0]) for query in asked[:3]]
    assert lengths == [HOUR_MS + 2_000, HOUR_MS // 2 + 2_000, HOUR_MS // 4 + 2_000]
