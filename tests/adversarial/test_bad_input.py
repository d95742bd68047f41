"""Bad input to the whole pipeline: the thing and the fix are named, the rest goes on, and nothing is lost.

Each test has a good neighbour; its bill must be the truth whatever the bad one does.
"""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.crd.convert.books import price_book
from aicost.crd.convert.claims import workload_claim
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window
from aicost.domain.identity.problems import ClaimProblemKind
from aicost.domain.ledger.rows import Row
from aicost.domain.pricing.defects import DefectKind, find_defects
from aicost.ports.errors import InvalidRequest
from aicost.usecases.build_report import ReportRequest, build_reports, read_request
from fleet.activity import Steady
from fleet.builders import node, pod
from fleet.faults import Fault, FaultKind
from fleet.script import Fleet, SimExporter, SimNode
from support.bills import check_bill, check_totals, of_gpus
from support.crd_samples import resource
from support.pipeline import Notice, Pipeline, Way, price_books

T = 1_795_600_800_000
END = T + 15 * MINUTE_MS
SPAN = Window(T, END)
BUSY = Steady(Fraction(3, 4))


def two_nodes(*faults: Fault, labels: tuple[tuple[str, str], ...] = (), **bad) -> Fleet:
    """A node with what is wrong, and a good one."""
    bad_node = node("bad", faults=faults, **({"exporters": (SimExporter(),)} | bad))
    good = node("good", exporters=(SimExporter(ip="127.10.0.2", pod="exporter-2"),))
    pods = tuple(pod(f"on-{one.name}", one, activity=BUSY, bound_ms=T - HOUR_MS) for one in (bad_node, good))
    return Fleet((bad_node, good), (replace(pods[0], labels=labels), pods[1]))


def alone(fleet: Fleet, name: str) -> Fleet:
    """One node of a fleet with its pods."""
    return Fleet((fleet.node(name),), tuple(one for one in fleet.pods if one.node == name))


def of(rows: Iterable[Row], name: str) -> list[Row]:
    return [row for row in of_gpus(rows) if row.place.node == name]


def check_neighbour(rows: Iterable[Row], fleet: Fleet) -> None:
    """The good node's bill is the truth, and the bad node costs what it costs."""
    found = list(rows)
    check_bill(of(found, "good"), alone(fleet, "good"), SPAN)
    check_totals(found, fleet, SPAN)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (FaultKind.HTML, "this is a web page, not metrics"),
        (FaultKind.HUGE, "this is not the Prometheus text format"),
        (FaultKind.UNAVAILABLE, "status 503"),
        (FaultKind.GAP, "status 0"),
    ],
)
def test_an_answer_that_is_none_is_told_and_the_held_time_is_unmeasured_not_idle(kind, said, tmp_path):
    fleet = two_nodes(Fault(kind, 0, 2 * T))
    with Pipeline(tmp_path, fleet, begin_ms=T) as pipeline:
        rows = pipeline.finish(END)
        assert all(said in told for told in pipeline.refused)
        assert pipeline.refused
    assert {row.bucket for row in of(rows, "bad")} == {"allocated-unmeasured"}
    check_neighbour(rows, fleet)


@pytest.mark.parametrize(
    ("kind", "counted"),
    [(FaultKind.SENTINEL, "sentinels"), (FaultKind.NAN, "not_finite"), (FaultKind.NEGATIVE, "negative")],
)
def test_a_value_that_is_none_is_counted_by_its_kind_and_is_no_activity(kind, counted, tmp_path):
    fleet = two_nodes(Fault(kind, 0, 2 * T, meanings=("engine", "util")))
    with Pipeline(tmp_path, fleet, begin_ms=T) as pipeline:
        rows = pipeline.finish(END)
        defects = pipeline.compute(SPAN, pipeline.now_ms, may_be_blind=False).defects
    assert getattr(defects, counted) > 100
    assert {row.bucket for row in of(rows, "bad")} == {"allocated-unmeasured"}
    check_neighbour(rows, fleet)


def test_an_exporter_that_shows_nothing_leaves_time_unmeasured(tmp_path):
    fleet = two_nodes(Fault(FaultKind.EMPTY, 0, 2 * T))
    with Pipeline(tmp_path, fleet, begin_ms=T) as pipeline:
        rows = pipeline.finish(END)
    assert {row.bucket for row in of(rows, "bad")} == {"allocated-unmeasured"}
    check_neighbour(rows, fleet)


@pytest.mark.parametrize("way", Way)
def test_counters_that_jump_back_and_a_second_exporter_change_no_amount(way, tmp_path):
    resets = tuple(Fault(FaultKind.COUNTER_RESET, T + k * 90_000, 2 * T) for k in range(5))
    two = (SimExporter(), SimExporter("4.8.2", pod="second", ip="127.10.0.9", namespace="monitoring"))
    fleet = two_nodes(*resets, exporters=two)
    with Pipeline(tmp_path, fleet, begin_ms=T, way=way) as pipeline:
        rows = pipeline.finish(END)
    check_bill(rows, fleet, SPAN)


@pytest.mark.parametrize(
    ("text", "team"), [("A" + "_.-" * 20 + "zZ", "a" + "-." * 20 + "-zz"), ("Vision.Team_1", "vision.team-1")]
)
def test_an_odd_label_of_a_pod_is_normalised_and_kept_as_it_was(text, team, tmp_path):
    fleet = two_nodes(labels=(("aicost.dev/team", text),))
    with Pipeline(tmp_path, fleet, begin_ms=T) as pipeline:
        rows = pipeline.finish(END)
    (holder,) = {(row.holder.dimensions["team"], row.holder.labels["aicost.dev/team"]) for row in of(rows, "bad")}
    assert holder == (team, text)
    check_neighbour(rows, fleet)


@pytest.mark.parametrize("skew_ms", [HOUR_MS, -HOUR_MS])
def test_a_node_clock_an_hour_off_moves_no_second_of_a_holding(skew_ms, tmp_path):
    fleet = two_nodes(clock_skew_ms=skew_ms, exporters=(SimExporter(stamped=True),))
    off = replace(fleet.pods[0], bound_ms=T + MINUTE_MS, started_ms=T + MINUTE_MS, finished_ms=T + 9 * MINUTE_MS)
    fleet = replace(fleet, pods=(off, fleet.pods[1]))
    with Pipeline(tmp_path, fleet, begin_ms=T) as pipeline:
        rows = pipeline.finish(END)
    assert sum(row.gpu_milliseconds for row in rows if row.holder.pod == "on-bad") == 8 * MINUTE_MS
    check_bill(rows, fleet, SPAN)


def test_a_pod_that_asks_for_text_instead_of_a_number_is_named_and_the_rest_is_heard(tmp_path):
    fleet = two_nodes()

    def spoil(notices: Iterable[Notice]) -> Iterable[Notice]:
        for notice in notices:
            if notice.object["metadata"]["name"] == "on-bad":
                spec = notice.object["spec"]
                wrong = {"limits": {"nvidia.com/gpu": "many"}, "requests": {}}
                containers = [container | {"resources": wrong} for container in spec["containers"]]
                yield replace(notice, object=notice.object | {"spec": spec | {"containers": containers}})
            else:
                yield notice

    with Pipeline(tmp_path, fleet, begin_ms=T, notices=spoil) as pipeline:
        rows = pipeline.finish(END)
        assert pipeline.refused
        assert all("Pod team-a/on-bad" in told and "nvidia.com/gpu" in told for told in pipeline.refused)
    check_neighbour(rows, fleet)


def claim(name: str, selector: dict[str, object], namespace: str = "team-a", created: str = "2026-11-01"):
    """An AIWorkload as the controller reads it."""
    body = resource("AIWorkload", name, {"selector": selector}, namespace)
    told = {"uid": f"uid-{name}", "creationTimestamp": f"{created}T00:00:00Z"}
    return workload_claim(body | {"metadata": body["metadata"] | told}).value


def host_entry(on: SimNode, price: object, **more: object) -> dict[str, object]:
    return {
        "name": on.name,
        "match": {"nodeSelector": {"kubernetes.io/hostname": on.name}},
        "perGpuHour": price,
        **more,
    }


@pytest.mark.parametrize("price", ["0", "-4", "NaN", "four", "1e3", "4.0000000001", 4])
def test_a_price_that_is_none_leaves_its_node_unpriced_and_names_the_field(price, tmp_path):
    fleet = two_nodes()
    bad, good = fleet.nodes
    entries = [host_entry(bad, price), host_entry(good, "4")]
    read = price_book(resource("PriceBook", "mine", {"currency": "USD", "entries": entries}))
    assert any("spec.entries[0]" in str(problem) for problem in read.problems)
    with Pipeline(tmp_path, fleet, begin_ms=T, books=[read.value]) as pipeline:
        rows = pipeline.finish(END)
        (unpriced,) = pipeline.compute(SPAN, pipeline.now_ms, may_be_blind=False).statement.unpriced
    assert unpriced.node == "bad"
    assert "Add this to spec.entries of a PriceBook" in unpriced.reason
    assert {row.cost_nanos for row in of(rows, "bad")} == {None}
    assert sum(row.gpu_milliseconds for row in of(rows, "bad")) == SPAN.length_ms
    check_bill(of(rows, "good"), alone(fleet, "good"), SPAN)


def test_prices_whose_dates_overlap_are_told_and_one_of_them_holds_for_each_moment(tmp_path):
    fleet = two_nodes()
    bad, good = fleet.nodes
    entries = [
        host_entry(bad, "8", **{"name": "newer", "from": "2026-11-25T10:05:00Z"}),
        host_entry(bad, "4", name="older"),
        host_entry(good, "4"),
    ]
    read = price_book(resource("PriceBook", "mine", {"currency": "USD", "entries": entries}))
    assert read.problems == ()
    (defect,) = find_defects([read.value])
    assert defect.kind is DefectKind.OVERLAP
    assert "End the older price with `to`" in defect.message
    with Pipeline(tmp_path, fleet, begin_ms=T, books=[read.value]) as pipeline:
        rows = pipeline.finish(END)
    assert sum(row.cost_nanos for row in of(rows, "bad")) == (5 * 4 + 10 * 8) * 1_000_000_000 // 60
    check_bill(of(rows, "good"), alone(fleet, "good"), SPAN)


@pytest.mark.parametrize(
    ("selector", "kind"),
    [
        ({"matchLabels": {"app": "nothing-like-it"}}, ClaimProblemKind.SELECTS_NOTHING),
        ({"matchExpressions": [{"key": "absent", "operator": "DoesNotExist"}]}, ClaimProblemKind.SELECTS_EVERYTHING),
    ],
)
def test_an_aiworkload_that_selects_nothing_or_everything_is_told_and_moves_no_money(selector, kind, tmp_path):
    fleet = two_nodes()
    with Pipeline(tmp_path, fleet, begin_ms=T, claims=[claim("greedy", selector)]) as pipeline:
        rows = pipeline.finish(END)
        matching = pipeline.compute(SPAN, pipeline.now_ms, may_be_blind=False).statement.matching
    (problem,) = matching.problems
    assert (problem.workload, problem.kind) == ("greedy", kind)
    assert "spec.selector" in problem.message
    check_bill(rows, fleet, SPAN)


def test_an_aiworkload_takes_no_pods_of_another_namespace_and_no_pods_that_another_claims_better(tmp_path):
    fleet = two_nodes(labels=(("app", "chat"),))
    chat = {"matchLabels": {"app": "chat"}}
    claims = [claim("owner", chat), claim("rival", chat, created="2026-11-02"), claim("thief", chat, "elsewhere")]
    with Pipeline(tmp_path, fleet, begin_ms=T, claims=claims) as pipeline:
        rows = pipeline.finish(END)
        matching = pipeline.compute(SPAN, pipeline.now_ms, may_be_blind=False).statement.matching
    assert {row.holder.workload for row in of(rows, "bad")} == {"owner"}
    assert {(one.workload, one.won) for one in matching.conflicts} == {("owner", True), ("rival", False)}
    assert [one.workload for one in matching.problems] == ["thief"]
    check_bill(rows, fleet, SPAN)


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ("2031-01-01T00:00:00Z/2031-01-02T00:00:00Z", "future"),
        ("2026-11-25T11:00:00Z/2026-11-25T10:00:00Z", "before"),
        ("3660d", ""),
        ("yesterdayish", "yesterdayish"),
    ],
)
def test_a_report_window_that_makes_no_sense_is_refused_with_the_field_and_the_fix(window, said, tmp_path):
    fleet = two_nodes()
    with Pipeline(tmp_path, fleet, begin_ms=T) as pipeline:
        pipeline.finish(END)
        with pytest.raises(InvalidRequest, match="window") as refused:
            read_request(ReportRequest(window), pipeline.now_ms)
        assert said in str(refused.value)
        (report,) = build_reports(pipeline.ledger.snapshot(), read_request(ReportRequest("1h"), pipeline.now_ms))
    assert report.total.cost_nanos == 2 * 4 * 1_000_000_000 // 4


def test_the_same_books_twice_are_told_and_charge_once(tmp_path):
    fleet = two_nodes()
    books = [replace(book, name=name) for book in price_books(fleet) for name in ("one", "two")]
    with Pipeline(tmp_path, fleet, begin_ms=T, books=books) as pipeline:
        check_bill(pipeline.finish(END), fleet, SPAN)
    assert {defect.kind for defect in find_defects(books)} == {DefectKind.OVERLAP}
