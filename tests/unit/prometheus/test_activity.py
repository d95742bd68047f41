"""What pods do on their hosts, by a server whose answers are written here."""

import pytest

from aicost.adapters.prometheus.activity import PrometheusActivity
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.domain.enforcement.victims.idleness import HostActivity
from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.ports.errors import SourceUnavailable
from support.http_server import Request, Served, serving

T0 = 1_700_000_000_000
SPAN = Window(T0, T0 + 30 * MINUTE_MS)
POD = ("ml", "train-0")
LABELS = {"namespace": "ml", "pod": "train-0"}
CPU = "container_cpu_usage_seconds_total"

Rows = list[tuple[dict[str, str], float]]


def vector(rows: Rows) -> dict[str, object]:
    result = [{"metric": one, "value": [T0 / 1e3, str(value)]} for one, value in rows]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def server(rates: Rows, moments: Rows, metric: str = CPU):
    """An API that has one metric."""

    def respond(request: Request) -> None:
        query = request.form["query"]
        rows = [] if metric not in query else moments if query.startswith("count_over_time") else rates
        request.answer_json(vector(rows))

    return respond


def known(respond, *pods: tuple[str, str], span: Window = SPAN, **matchers: str):
    with serving(respond) as served:
        made = PrometheusActivity(PrometheusConfig(served.url, timeout_s=2.0), matchers)
        found = made.activity(pods or (POD,), span)
        made.close()
    return found, served


def cpu(rates: Rows, moments: int = 30) -> float | None:
    found, _ = known(server(rates, [(LABELS, moments)]))
    return found[POD].cpu_cores


def queries(served: Served, metric: str = CPU) -> list[str]:
    return [request.form["query"] for request in served.requests if metric in request.form["query"]]


def test_containers_add_up():
    assert cpu([(LABELS | {"container": "a"}, 1.5), (LABELS | {"container": "b"}, 0.25)]) == 1.75


def test_the_row_of_a_pod_and_those_of_its_containers_are_not_added():
    rows = [(LABELS, 2.0), (LABELS | {"container": "a"}, 1.5), (LABELS | {"container": "POD"}, 0.1)]
    assert cpu(rows) == 2.1
    assert cpu([(LABELS, 1.0), (LABELS | {"container": "a"}, 1.5)]) == 1.5


@pytest.mark.parametrize(("moments", "is_known"), [(30, True), (27, True), (26, False), (0, False)])
def test_samples_for_less_than_nine_tenths_of_the_span_tell_nothing(moments, is_known):
    assert (cpu([(LABELS, 1.0)], moments) == 1.0) is is_known
    assert (cpu([(LABELS, 1.0)], moments) is None) is not is_known


def test_what_is_absent_or_no_number_is_not_known():
    assert cpu([]) is None
    assert cpu([(LABELS | {"container": "a"}, 1.0), (LABELS | {"container": "b"}, float("nan"))]) is None


def test_what_was_not_asked_for_is_left_out():
    found, _ = known(server([({"namespace": "victim", "pod": "x"}, 9.0)], [({"namespace": "victim", "pod": "x"}, 30)]))
    assert found == {POD: HostActivity()}


def test_the_pod_is_the_one_that_the_kubelet_means():
    renamed = {"namespace": "kube-system", "exported_namespace": "ml", "exported_pod": "train-0"}
    found, _ = known(server([(renamed, 3.0)], [(renamed, 30)]))
    assert found[POD].cpu_cores == 3.0


@pytest.mark.parametrize(
    ("metric", "field"),
    [
        (CPU, "cpu_cores"),
        ("container_fs_reads_bytes_total", "read_bytes_per_s"),
        ("container_fs_writes_bytes_total", "written_bytes_per_s"),
        ("container_network_receive_bytes_total", "received_bytes_per_s"),
        ("container_network_transmit_bytes_total", "sent_bytes_per_s"),
    ],
)
def test_each_counter_tells_one_thing(metric, field):
    found, _ = known(server([(LABELS, 5.0)], [(LABELS, 30)], metric))
    assert found[POD] == HostActivity(**{field: 5.0})


def test_the_query_names_the_pods_in_both_ways_that_labels_do():
    _, served = known(server([], []), POD, ("ml", "a.b"), job="kubelet")
    moments, rates = queries(served)
    metric, names = f'__name__=~"{CPU}",job="kubelet"', r'"a\\.b|train-0"'
    own = f'{{{metric},namespace=~"ml",pod=~{names},exported_pod=""}}'
    told = f'{{{metric},exported_namespace=~"ml",exported_pod=~{names}}}'
    by = "namespace,pod,exported_namespace,exported_pod"
    assert rates == f"sum by ({by},container) (rate({own}[1800000ms]) or rate({told}[1800000ms]))"
    assert moments == f"count_over_time(count by ({by}) ({own} or {told})[1800000ms:60000ms])"


def test_many_pods_are_not_named_one_by_one():
    _, served = known(server([], []), *(("ml", f"p-{n}") for n in range(201)))
    assert all('namespace=~"ml",pod!="",exported_pod=""' in query for query in queries(served))


def test_nothing_is_asked_for_nobody_or_for_no_time():
    assert known(server([], []), span=Window(T0, T0))[1].requests == []
    with serving(server([], [])) as served:
        assert PrometheusActivity(PrometheusConfig(served.url)).activity([], SPAN) == {}


def test_a_server_that_is_away_is_said():
    with pytest.raises(SourceUnavailable):
        known(lambda request: request.answer("overloaded", 503))
