"""A backfill over a server that fails, lies or is abused: nothing wrong is posted, and it goes on afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import count
from pathlib import Path

import pytest
import urllib3

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.ports.errors import AicostError, InvalidAnswer, NotPermitted, SourceUnavailable
from fleet.activity import Steady
from fleet.builders import node, pod
from fleet.script import Collection, Fleet, SimExporter
from fleet.series import Sample
from support.bills import check_bill, check_totals
from support.history.ksm import State
from support.history.stage import backfill, fill, gpu_samples, ksm_samples, prometheus
from support.http_server import Request, serving

pytestmark = pytest.mark.cluster
T = 1_795_600_800_000
SPAN = Window(T, T + 2 * HOUR_MS)
AROUND = Window(T - 10 * MINUTE_MS, SPAN.end_ms + 15 * MINUTE_MS)
NOW = SPAN.end_ms + HOUR_MS
HOST = node(gpus=2, exporters=(SimExporter(collection=Collection(15_000, 0), quantised=False),), booted_ms=T - HOUR_MS)
LIFE = {"bound_ms": T + 5 * MINUTE_MS, "started_ms": T + 5 * MINUTE_MS, "activity": Steady(Fraction(1, 2))}
FLEET = Fleet((HOST,), (pod("train", HOST, (0,), **LIFE, finished_ms=T + 90 * MINUTE_MS),))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus(tmp_path_factory.mktemp("prometheus")) as url:
        fill(url, gpu_samples(FLEET, AROUND), ksm_samples(State(FLEET), AROUND))
        yield url


@contextmanager
def between(server: str, meddle: Callable[[Request], bool]) -> Iterator[str]:
    """A server that passes questions on; `meddle` is asked first and says whether it answered itself."""
    with urllib3.PoolManager(retries=False) as http:

        def respond(request: Request) -> None:
            if not meddle(request):
                method, fields = request.method, request.form or request.query
                more = {"encode_multipart": False} if method == "POST" else {}
                answer = http.request(method, f"{server}{request.path}", fields=fields, **more)
                request.answer(answer.data, answer.status, Content_Type="application/json")

        with serving(respond) as served:
            yield served.url


def refuse(request: Request, status: int, kind: str, text: str) -> bool:
    request.answer_json({"status": "error", "errorType": kind, "error": text}, status)
    return True


def each(number: int, act: Callable[[Request], bool]) -> Callable[[Request], bool]:
    """Meddle with each so-many-th question."""
    asked = count(1)
    return lambda request: next(asked) % number == 0 and act(request)


def unavailable(request: Request) -> bool:
    return refuse(request, 503, "unavailable", "the head is compacting")


def half(request: Request) -> bool:
    if request.path.endswith("/metadata"):
        return False
    request.answer_json({"status": "success", "data": {"resultType": "vector", "result": []}, "warnings": ["store-2"]})
    return True


def garbage(request: Request) -> bool:
    request.answer(b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":1}}]}}')
    return True


def too_long(request: Request) -> bool:
    """Refuses all range selectors above 50 minutes, as a server does that loads too many samples."""
    query = request.form.get("query", "")
    spans = [int(text.split("ms")[0]) for text in query.split("[")[1:] if text.split("ms")[0].isdigit()]
    if any(span > 50 * MINUTE_MS + 2_000 for span in spans) and "count(" not in query:
        return refuse(request, 422, "execution", "query processing would load too many samples into memory")
    return False


def posted(folder: Path) -> int:
    return len(DeltaLedger(str(folder)).windows(SPAN, cluster="c1")) if folder.exists() else 0


@pytest.mark.parametrize("act", [unavailable, half], ids=["503", "half-an-answer"])
def test_a_server_that_fails_now_and_then_changes_nothing(server, act, tmp_path):
    with between(server, each(5, act)) as url:
        rows = backfill(url, SPAN, tmp_path / "ledger", NOW, fleet=FLEET).rows
    check_bill(rows, FLEET, SPAN)


def test_what_is_too_much_at_once_is_asked_in_parts(server, tmp_path):
    with between(server, too_long) as url:
        rows = backfill(url, SPAN, tmp_path / "ledger", NOW, fleet=FLEET).rows
    check_bill(rows, FLEET, SPAN)


@pytest.mark.parametrize(
    ("act", "failure"),
    [
        (unavailable, SourceUnavailable),
        (half, SourceUnavailable),
        (garbage, InvalidAnswer),
        (lambda request: refuse(request, 401, "", "who are you"), NotPermitted),
        (lambda request: request.hang() or True, SourceUnavailable),
        (lambda request: request.drop() or True, SourceUnavailable),
    ],
    ids=["503", "half", "garbage", "401", "hang", "drop"],
)
def test_a_server_that_fails_for_good_leaves_whole_windows_and_the_same_command_goes_on(server, act, failure, tmp_path):
    broken = [False]

    def meddle(request: Request) -> bool:
        query, moment = request.form.get("query", ""), float(request.form.get("time", "0"))
        broken[0] |= "DCGM" in query and "[" in query and "count" not in query and moment > T / 1_000 + 4_300
        return broken[0] and act(request)

    folder = tmp_path / "ledger"
    with between(server, meddle) as url, pytest.raises(failure):
        backfill(url, SPAN, folder, NOW, fleet=FLEET, timeout_s=1.0, patience_s=2.0)
    assert posted(folder) <= 1
    check_bill(backfill(server, SPAN, folder, NOW, fleet=FLEET).rows, FLEET, SPAN)


def test_nothing_but_questions_is_ever_sent(server, tmp_path):
    asked = []

    def note(request: Request) -> bool:
        asked.append((request.method, request.path))
        return False

    with between(server, note) as url:
        backfill(url, SPAN, tmp_path / "ledger", NOW, fleet=FLEET)
    questions = {"query", "metadata", "read", "status/config"}
    assert {path for _, path in asked} <= {f"/api/v1/{name}" for name in questions}


LIES = {
    "kube_pod_created": (-1e18, 4e18, 0.0, float("nan"), float("inf"), (T + 100 * HOUR_MS) / 1_000),
    "kube_pod_status_scheduled_time": (-5.0, 1e300, float("nan"), 1.0, (T + 100 * HOUR_MS) / 1_000),
    "kube_pod_completion_time": (-5.0, 1e300, float("nan"), 1.0, (T + 100 * HOUR_MS) / 1_000),
    "kube_node_created": (-5.0, 1e15, float("nan"), (T + 100 * HOUR_MS) / 1_000),
    "kube_pod_container_resource_requests": (-1.0, 1e12, float("inf"), 0.5),
    "kube_node_status_allocatable": (-1.0, 1e12, float("inf"), 0.5),
}
CASES = [(metric, value) for metric, values in LIES.items() for value in values]


@pytest.fixture(scope="module")
def liars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server in which each cluster lies in one way."""
    with prometheus(tmp_path_factory.mktemp("liars")) as url:
        truth = ksm_samples(State(FLEET), AROUND)
        gpus = gpu_samples(FLEET, AROUND)
        for number, (metric, value) in enumerate(CASES):
            lied = [
                one._replace(value=value) if one.name == metric and one.value == one.value else one for one in truth
            ]
            fill(url, gpus, lied, cluster=f"liar-{number}")
        yield url


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{metric}={value:g}" for metric, value in CASES])
def test_times_and_counts_that_lie_never_unbalance_the_bill(liars, number, tmp_path):
    matchers = {"cluster": f"liar-{number}"}
    rows = backfill(liars, SPAN, tmp_path / "ledger", NOW, fleet=FLEET, matchers=matchers).rows
    if CASES[number][0].startswith("kube_pod_c") or CASES[number][0].startswith("kube_pod_s"):
        check_totals(rows, FLEET, SPAN)
    assert all(row.gpu_milliseconds >= 0 for row in rows)


HOSTILE = ('a"b', "x\\", "line\nbreak", "${HOME}", "'; DROP TABLE rows; --", "\u202e", "名前", "z" * 2_000, "\x1b[31m")


def test_hostile_labels_are_data_and_nothing_else(server, tmp_path):
    labels = tuple((f"evil{number}", text) for number, text in enumerate(HOSTILE))
    evil = pod("train", HOST, (0,), **LIFE, labels=(("aicost.dev/team", 'x"} or vector(1)'), *labels))
    fleet = Fleet((HOST,), (evil,))
    gone = Sample("kube_pod_info", {"namespace": 'a"}', "pod": 'b|.*"', "uid": 'c"} or up{', "node": "n\\"}, T, 1.0)
    fill(server, gpu_samples(fleet, AROUND), ksm_samples(State(fleet), AROUND), [gone], cluster="hostile")
    matchers = {"cluster": "hostile"}
    rows = backfill(server, SPAN, tmp_path / "ledger", NOW, fleet=fleet, matchers=matchers).rows
    check_bill(rows, fleet, SPAN)
    (kept,) = {tuple(sorted(row.holder.labels.items())) for row in rows if row.holder.pod == "train"}
    assert dict(kept).items() >= dict(labels).items()


def test_failures_are_told_in_words_that_help(server, tmp_path):
    with between(server, lambda request: refuse(request, 401, "", "no")) as url, pytest.raises(AicostError) as told:
        backfill(url, SPAN, tmp_path / "ledger", NOW, fleet=FLEET)
    assert "bearer_token_file" in str(told.value)
