"""What is heard of after a window was closed: signed differences with the right reason; sums as without the delay."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.exact.windows import MINUTE_MS, SECOND_MS, Window
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import Row
from aicost.ports.errors import SourceUnavailable
from aicost.usecases.close_windows import BLIND_AFTER_MS
from fleet import kubernetes
from fleet.activity import Steady
from fleet.builders import node, pod
from fleet.script import Fleet
from support.bills import billed, check_holdings, check_totals, due
from support.identity import by_labels
from support.pipeline import SETTLE_MS, STEP, Notice, Pipeline, Way, price_books

T = 1_795_600_800_000
END = T + 15 * MINUTE_MS
CLOSING = END + SETTLE_MS + STEP
SPAN = Window(T, END)


def at(minutes: float) -> int:
    return T + round(minutes * MINUTE_MS)


def fleet(**life) -> Fleet:
    host = node("gpu-a", gpus=2)
    other = node("gpu-b", gpus=1)
    busy = Steady(Fraction(3, 4))
    first = pod("train", host, (0,), **({"bound_ms": at(2), "started_ms": at(2), "activity": busy} | life))
    second = pod("other", other, (0,), bound_ms=at(3), started_ms=at(3), activity=busy)
    return Fleet((host, other), (first, second))


def in_time(script: Fleet, folder, **options) -> tuple[Row, ...]:
    """The rows of a run in which nothing was late."""
    with Pipeline(folder, script, begin_ms=T, way=Way.PROMETHEUS, **options) as pipeline:
        return pipeline.finish(END)


def assert_same_sums(late: Iterable[Row], punctual: Iterable[Row]) -> None:
    """Whatever was posted when, each identity sums to the same."""
    assert difference(late, punctual, 99, "check") == ()


def test_samples_that_come_late_are_posted_as_differences(tmp_path):
    script = fleet()
    with Pipeline(tmp_path / "late", script, begin_ms=T, way=Way.PROMETHEUS) as pipeline:
        pipeline.play(CLOSING)
        hidden = pipeline.store.columns
        pipeline.store.columns = {
            key: [point for point in points if not at(5) <= point[0] < at(9)] for key, points in hidden.items()
        }
        pipeline.close()
        before = pipeline.rows()
        assert any(row.bucket == "allocated-unmeasured" for row in before)
        pipeline.store.columns = hidden
        (revised,) = pipeline.revisit()
        assert (revised.reason, revised.revision) == ("late-data", 1)
        assert {row.reason for row in revised.rows} == {"late-data"}
        assert sum(row.cost_nanos for row in revised.rows) == 0
        assert min(row.cost_nanos for row in revised.rows) < 0
        assert pipeline.revisit() == ()
        assert_same_sums(pipeline.rows(), in_time(script, tmp_path / "punctual"))


def withheld(uid: str, since_ms: int):
    """The watch does not tell of a pod from a moment on."""

    def change(notices: Iterable[Notice]) -> list[Notice]:
        return [n for n in notices if n.at_ms < since_ms or n.object["metadata"]["uid"] != uid]

    return change


def test_an_end_that_a_list_tells_late_is_believed_where_the_kubelet_dates_it(tmp_path):
    script = fleet(finished_ms=at(8))
    uid = script.pods[0].uid
    with Pipeline(tmp_path / "late", script, begin_ms=T, way=Way.PROMETHEUS, notices=withheld(uid, at(8))) as pipeline:
        pipeline.play(CLOSING)
        pipeline.close()
        ended = kubernetes.pod_object(script, script.pods[0], CLOSING)
        pipeline.hear(Notice(CLOSING, "pod", ended, initial=True))
        (revised,) = pipeline.revisit()
        assert revised.reason == "late-data"
        assert_same_sums(pipeline.rows(), in_time(script, tmp_path / "punctual"))
        check_totals(pipeline.rows(SPAN), script, SPAN)


def test_a_deletion_that_went_unseen_ends_at_the_last_sample_and_is_flagged(tmp_path):
    script = fleet(deleted_ms=at(8))
    uid = script.pods[0].uid
    with Pipeline(tmp_path, script, begin_ms=T, way=Way.PROMETHEUS, notices=withheld(uid, at(8))) as pipeline:
        pipeline.play(CLOSING)
        pipeline.close()
        held = sum(row.gpu_milliseconds for row in pipeline.rows(SPAN) if row.holder.pod_uid == uid)
        assert held == 13 * MINUTE_MS
        pipeline.inventory.pod_gone(uid, CLOSING, Window(at(7), CLOSING))
        (revised,) = pipeline.revisit()
        assert revised.reason == "late-data"
        rows = pipeline.rows(SPAN)
        held = sum(row.gpu_milliseconds for row in rows if row.holder.pod_uid == uid)
        assert abs(held - 6 * MINUTE_MS) <= STEP
        assert {row.flags for row in revised.rows if row.holder.pod_uid == uid and row.gpu_milliseconds > 0} == {
            ("gap",)
        }
        check_totals(rows, script, SPAN)


def test_a_node_that_was_heard_to_have_left_late_is_billed_until_then(tmp_path):
    script = fleet()
    script = replace(script, nodes=(script.nodes[0], replace(script.nodes[1], removed_ms=at(6))))
    silent = withheld("node-gpu-b", at(5))
    with Pipeline(tmp_path, script, begin_ms=T, way=Way.PROMETHEUS, notices=silent) as pipeline:
        pipeline.play(CLOSING)
        pipeline.close()
        pipeline.inventory.node_gone("node-gpu-b", at(6))
        (revised,) = pipeline.revisit()
        assert revised.reason == "late-data"
        check_totals(pipeline.rows(SPAN), script, SPAN)


def test_a_price_that_comes_late_prices_what_was_unpriced(tmp_path):
    script = fleet()
    with Pipeline(tmp_path / "late", script, begin_ms=T, way=Way.PROMETHEUS, books=[]) as pipeline:
        rows = pipeline.finish(END)
        assert {row.cost_nanos for row in rows} == {None}
        pipeline.books.value = tuple(price_books(script))
        (revised,) = pipeline.revisit()
        assert revised.reason == "price-change"
        assert_same_sums(pipeline.rows(), in_time(script, tmp_path / "punctual"))


def test_an_aiworkload_that_comes_late_retags_and_changes_no_amount(tmp_path):
    script = fleet()
    everything = by_labels("chat")
    with Pipeline(tmp_path / "late", script, begin_ms=T, way=Way.PROMETHEUS) as pipeline:
        pipeline.finish(END)
        pipeline.claims.value = (everything,)
        (revised,) = pipeline.revisit()
        assert revised.reason == "retagged"
        assert sum(row.cost_nanos for row in revised.rows) == 0
        assert_same_sums(pipeline.rows(), in_time(script, tmp_path / "punctual", claims=[everything]))


def test_a_window_waits_for_its_source_then_closes_blind_and_is_corrected_when_the_source_is_back(tmp_path):
    script = fleet()
    with Pipeline(tmp_path / "late", script, begin_ms=T, way=Way.PROMETHEUS) as pipeline:
        pipeline.play(CLOSING)
        pipeline.source.down = True
        for late_ms in (0, 10 * MINUTE_MS, BLIND_AFTER_MS - SETTLE_MS - STEP - SECOND_MS):
            with pytest.raises(SourceUnavailable, match="does not answer"):
                pipeline.close(CLOSING + late_ms)
            assert pipeline.rows() == ()
        pipeline.refresh(CLOSING)
        (closed, *_) = pipeline.close(END + BLIND_AFTER_MS)
        assert "does not answer" in closed.computed.blind
        rows = pipeline.rows()
        check_totals(rows, script, SPAN)
        check_holdings(billed(rows, devices=False), due(script, SPAN, devices=False))
        assert {row.bucket for row in rows} == {"allocated-unmeasured", "unallocated"}
        with pytest.raises(SourceUnavailable):
            pipeline.revisit()
        pipeline.source.down = False
        (revised, *_) = pipeline.revisit(END + BLIND_AFTER_MS)
        assert revised.reason == "late-data"
        assert_same_sums(pipeline.rows(SPAN), in_time(script, tmp_path / "punctual"))


def test_windows_closed_blind_are_corrected_beyond_the_usual_depth(tmp_path):
    script, outage = fleet(), 5
    end = T + outage * (END - T)
    with Pipeline(tmp_path / "late", script, begin_ms=T, way=Way.PROMETHEUS, depth=1) as pipeline:
        pipeline.play(end + SETTLE_MS + STEP)
        pipeline.source.down = True
        assert len(pipeline.close(end + BLIND_AFTER_MS)) == outage
        pipeline.source.down = False
        revised = pipeline.revisit(end + BLIND_AFTER_MS)
        assert [one.window.start_ms for one in revised] == [T + k * (END - T) for k in range(outage)]
        late = pipeline.rows()
    with Pipeline(tmp_path / "punctual", script, begin_ms=T, way=Way.PROMETHEUS) as pipeline:
        assert_same_sums(late, pipeline.finish(end))


def test_what_is_older_than_the_journals_memory_is_left_as_it_is(tmp_path):
    script = fleet()
    with Pipeline(tmp_path, script, begin_ms=T, way=Way.PROMETHEUS) as pipeline:
        pipeline.finish(END)
        pipeline.inventory.pod_gone(script.pods[0].uid, at(3))
        assert pipeline.revisit(T + 25 * 60 * MINUTE_MS) == ()


def test_samples_that_are_lost_correct_nothing_and_do_not_hold_up_the_rest(tmp_path):
    script = fleet(finished_ms=at(8))
    uid = script.pods[0].uid
    with Pipeline(tmp_path, script, begin_ms=T, way=Way.PROMETHEUS, notices=withheld(uid, at(8))) as pipeline:
        pipeline.play(CLOSING)
        pipeline.close()
        before = [row for row in pipeline.rows() if row.place.node == "gpu-b"]
        lost = {key: points for key, points in pipeline.store.columns.items() if dict(key[1])["hostname"] != "gpu-b"}
        pipeline.store.columns = lost
        ended = kubernetes.pod_object(script, script.pods[0], CLOSING)
        pipeline.hear(Notice(CLOSING, "pod", ended, initial=True))
        (revised,) = pipeline.revisit()
        assert {row.place.node for row in revised.rows} == {"gpu-a"}
        assert [row for row in pipeline.rows() if row.place.node == "gpu-b"] == before
