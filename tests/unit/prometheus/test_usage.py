"""What pods use of CPU and memory, by a server whose answers are written here."""

import pytest

from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.usage import STEP_MS, PrometheusUsage
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.ports.errors import SourceUnavailable
from support.http_server import Request, serving

T0 = 1_795_600_800_000
HOUR = Window(T0, T0 + HOUR_MS)
CPU, MEMORY = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"
UID = "0f3b9c1e-8a52-4c55-9f0e-0a1b2c3d4e5f"
LABELS = {"namespace": "ml", "pod": "train-0", "container": "main", "id": f"/kubepods/pod{UID}/a", "instance": "n1"}
NEIGHBOUR = {**LABELS, "pod": "other", "id": "/kubepods/x"}
GIB = 2**30

Series = list[tuple[dict[str, str], dict[int, float]]]
"""Labels, and minute -> value."""


class Server:
    """Answers subqueries with regular moments, and instant ones with one."""

    def __init__(self, cpu: Series = (), memory: Series = (), refuses_above: int = 10**9) -> None:
        self.of, self.refuses_above, self.asked = {CPU: cpu, MEMORY: memory}, refuses_above, []

    def respond(self, request: Request) -> None:
        query, at_ms = request.form["query"], round(float(request.form["time"]) * 1_000)
        self.asked.append(query)
        series = next(found for metric, found in self.of.items() if metric in query)
        if 'container=""' in query:
            series = [one for one in series if not one[0].get("container")]
        else:
            series = [one for one in series if one[0].get("container")]
        if ":" not in query.rpartition("[")[2]:
            result = [{"metric": labels, "value": [at_ms / 1e3, str(values[at])]} for labels, values in series
                      for at in values if T0 + at * MINUTE_MS == at_ms]  # fmt: skip
            request.answer_json({"status": "success", "data": {"resultType": "vector", "result": result}})
            return
        over = int(query.rpartition("[")[2].partition("ms")[0])
        if over > self.refuses_above:
            request.answer_json({"status": "error", "errorType": "execution", "error": "too many samples"}, 422)
            return
        result = [
            {"metric": labels, "values": [[(T0 + at * MINUTE_MS) / 1e3, str(value)] for at, value in values.items()
                                          if at_ms - over <= T0 + at * MINUTE_MS <= at_ms]}
            for labels, values in series
        ]  # fmt: skip
        request.answer_json({"status": "success", "data": {"resultType": "matrix", "result": result}})


def observed(server: Server, span: Window = HOUR, **matchers: str):
    with serving(server.respond) as served:
        usage = PrometheusUsage(PrometheusConfig(served.url, timeout_s=2.0), matchers)
        found = usage.observed(span)
        usage.close()
    return found


def pieces(levels) -> list[tuple[float, float, float]]:
    """From minute, to minute, cores or GiB; equal neighbours as one."""
    found = []
    for start, end, level in zip(levels.start_ms, levels.end_ms, levels.level, strict=True):
        found.append(((start - T0) / MINUTE_MS, (end - T0) / MINUTE_MS, int(level)))
    return found


def cpu_of(cpu: Series, pod: str = "train-0", span: Window = HOUR):
    (one,) = (one for one in observed(Server(cpu), span).pods if one.pod[1] == pod)
    return [(start, end, level / 10**6) for start, end, level in pieces(one.cpu)]


STEADY = {minute: minute * 60.0 for minute in range(0, 65, 5)}
"""A counter of one core."""


def test_a_counter_is_differenced_from_moment_to_moment():
    found = cpu_of([(LABELS, STEADY)])
    assert found == [(minute, minute + 5, 1.0) for minute in range(0, 60, 5)]


def test_a_pod_is_known_by_the_uid_in_its_cgroup():
    dashes = {**LABELS, "id": f"/kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice/cri-a.scope"}
    assert {one.uid for one in observed(Server([(dashes, STEADY), (NEIGHBOUR, STEADY)])).pods} == {UID, ""}


def test_a_counter_that_begins_while_its_target_is_read_began_at_zero():
    assert cpu_of([(NEIGHBOUR, STEADY), (LABELS, {20: 150.0, 25: 300.0})]) == [(15, 20, 0.5), (20, 25, 0.5)]


def test_a_counter_whose_target_was_not_read_before_says_nothing_of_before():
    assert cpu_of([(LABELS, {20: 9_000.0, 25: 9_300.0})]) == [(20, 25, 1.0)]


def test_a_counter_that_was_reset_counts_on_from_zero():
    assert cpu_of([(LABELS, {0: 500.0, 5: 800.0, 10: 150.0})]) == [(0, 5, 1.0), (5, 10, 0.5)]


def test_time_without_values_is_spanned_by_the_counter():
    assert cpu_of([(LABELS, {0: 0.0, 5: 300.0, 30: 1_800.0})]) == [(0, 5, 1.0), (5, 30, 1.0)]


def test_containers_of_a_pod_add_up_and_the_pause_container_is_not_asked_for():
    second = {**LABELS, "container": "side", "id": f"/kubepods/pod{UID}/b"}
    server = Server([(LABELS, STEADY), (second, {0: 0.0, 5: 600.0})])
    (one,) = observed(server).pods
    assert pieces(one.cpu)[0] == (0, 5, 3_000_000)
    assert all('container!="POD"' in query for query in server.asked[:1])


def test_pods_without_rows_of_containers_are_read_as_a_whole():
    whole = {key: value for key, value in LABELS.items() if key != "container"}
    assert cpu_of([(whole, STEADY)])[0] == (0, 5, 1.0)


def test_renamed_labels_are_read():
    renamed = {
        "namespace": "kube-system", "pod": "kubelet", "container": "kubelet", "exported_namespace": "ml",
        "exported_pod": "train-0", "exported_container": "main", "instance": "n1",
    }  # fmt: skip
    assert cpu_of([(renamed, STEADY)])[0] == (0, 5, 1.0)


def test_memory_is_a_mean_over_each_piece():
    server = Server([], [(LABELS, {5: 2.0 * GIB, 10: 4.0 * GIB, 0: 1.0 * GIB})])
    (one,) = observed(server).pods
    assert [(start, end, level / 2**20) for start, end, level in pieces(one.memory)] == [(0, 5, 2.0), (5, 10, 4.0)]


def test_a_container_that_was_restarted_is_not_there_twice():
    again = {**LABELS, "id": f"/kubepods/pod{UID}/b"}
    (one,) = observed(Server([], [(LABELS, {5: 2.0 * GIB}), (again, {5: 3.0 * GIB})])).pods
    assert [level / 2**20 for _, _, level in pieces(one.memory)] == [3.0]


def test_the_open_window_ends_in_a_moment_of_its_own():
    span = Window(T0, T0 + 7 * MINUTE_MS)
    found = cpu_of([(LABELS, {0: 0.0, 5: 300.0, 7: 360.0})], span=span)
    assert found == [(0, 5, 1.0), (5, 7, 0.5)]


def test_what_is_too_much_at_once_is_asked_for_in_halves():
    server = Server([(LABELS, STEADY)], refuses_above=30 * MINUTE_MS)
    (one,) = observed(server).pods
    assert len(one.cpu.level) == 12


def test_what_is_too_much_at_all_is_said_and_not_waited_for():
    found = observed(Server([(LABELS, STEADY)], refuses_above=0))
    assert (found.pods, "pods count by their requests" in found.problem) == ((), True)


def test_values_that_are_none_count_for_nothing():
    bad = {0: 0.0, 5: float("nan"), 10: -5.0, 15: float("inf"), 20: 1_200.0}
    assert cpu_of([(LABELS, bad)]) == [(0, 20, 1.0)]


def test_absurd_values_are_bounded():
    ((_, _, level),) = cpu_of([(LABELS, {0: 0.0, 5: 1e300})])
    assert level == 2**53 / 10**6


def test_series_without_a_pod_are_left_out():
    assert observed(Server([({"container": "main", "id": "/"}, STEADY)])).pods == ()


def test_only_series_with_the_matchers_of_the_settings_are_asked_for():
    server = Server()
    observed(server, job="kubelet")
    assert all('job="kubelet"' in query for query in server.asked)


def test_a_server_that_does_not_answer_is_told():
    def respond(request: Request) -> None:
        request.answer("down", 503)

    with serving(respond) as served:
        usage = PrometheusUsage(PrometheusConfig(served.url, timeout_s=2.0))
        with pytest.raises(SourceUnavailable):
            usage.observed(HOUR)
    assert STEP_MS == 5 * MINUTE_MS
