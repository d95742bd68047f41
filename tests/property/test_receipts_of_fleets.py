"""Random fleets through the whole pipeline: each node's receipt is equal, whatever came late, was lost or crashed."""

from dataclasses import replace

import pytest

from aicost.domain.exact.windows import MINUTE_MS, Window
from aicost.domain.receipts.receipt import Receipt
from aicost.domain.receipts.subjects import Subject, SubjectKind
from aicost.ports.errors import LedgerUnavailable
from aicost.usecases.receipts.explain_cost import ExplainCost
from support.pipeline import SETTLE_MS, STEP, Pipeline, Way, price_books
from support.receipts import replay_here
from support.scripts import random_fleet
from support.shared_fleets import random_shared_fleet

T = 1_795_600_800_000
BEGIN, END = T - 5 * MINUTE_MS, T + 30 * MINUTE_MS
SPAN = Window(BEGIN, END)


def receipts(pipeline: Pipeline) -> list[Receipt]:
    explain = ExplainCost(pipeline.cluster, pipeline.ledger.snapshot(), pipeline.inputs, replay_here)
    names = sorted({row.place.node for row in pipeline.rows(SPAN)})
    assert names
    return [explain(Subject(SubjectKind.NODE, name), SPAN) for name in names]


def assert_equal(pipeline: Pipeline) -> None:
    for receipt in receipts(pipeline):
        assert len(receipt.windows) == 3
        assert not receipt.not_replayed
        assert [one.unequal for one in receipt.windows] == [(), (), ()]
        assert not receipt.differs


@pytest.mark.parametrize("kinds", [(), ("time-slicing", "mig"), ("kai", "dra")], ids=["whole", "replicas", "claims"])
def test_what_was_closed_is_computed_again_to_the_last_nano(kinds, tmp_path):
    fleet = random_shared_fleet(7, BEGIN, END, *kinds) if kinds else random_fleet(2, BEGIN, END)
    with Pipeline(tmp_path, fleet, begin_ms=BEGIN) as pipeline:
        pipeline.finish(END)
        assert_equal(pipeline)


@pytest.mark.parametrize("seed", [0, 2])
def test_and_after_samples_came_late_and_prices_changed(seed, tmp_path):
    fleet = random_fleet(seed, BEGIN, END)
    with Pipeline(tmp_path, fleet, begin_ms=BEGIN, way=Way.PROMETHEUS) as pipeline:
        pipeline.play(END + SETTLE_MS + STEP)
        whole = pipeline.store.columns
        pipeline.store.columns = {
            key: [point for point in points if not T <= point[0] < T + 6 * MINUTE_MS] for key, points in whole.items()
        }
        pipeline.close()
        pipeline.store.columns = whole
        assert pipeline.revisit()
        dearer = [
            replace(book, entries=tuple(replace(one, per_gpu_hour_nanos=3_333_333_333) for one in book.entries))
            for book in price_books(fleet)
        ]
        pipeline.books.value = tuple(dearer)
        assert {one.reason for one in pipeline.revisit()} == {"price-change"}
        assert_equal(pipeline)


@pytest.mark.parametrize("seed", [1, 2])
def test_and_where_samples_were_lost_after_the_closing(seed, tmp_path):
    fleet = random_fleet(seed, BEGIN, END)
    with Pipeline(tmp_path, fleet, begin_ms=BEGIN, way=Way.PROMETHEUS) as pipeline:
        pipeline.finish(END)
        pipeline.store.columns = {
            key: [point for point in points if point[0] >= T + 15 * MINUTE_MS]
            for key, points in pipeline.store.columns.items()
        }
        pipeline.books.value = tuple(
            replace(book, entries=tuple(replace(one, per_gpu_hour_nanos=1_111_111_111) for one in book.entries))
            for book in price_books(fleet)
        )
        pipeline.revisit()
        assert_equal(pipeline)


def test_a_crash_between_keeping_and_posting_leaves_nothing_behind_that_counts(tmp_path):
    with Pipeline(tmp_path, random_fleet(1, BEGIN, END), begin_ms=BEGIN) as pipeline:
        pipeline.play(END + SETTLE_MS + STEP)
        real = pipeline.ledger.post

        def refuse(_posting):
            raise LedgerUnavailable("no space left on device")

        pipeline.ledger.post = refuse
        with pytest.raises(LedgerUnavailable):
            pipeline.close()
        assert pipeline.rows(SPAN) == ()
        pipeline.ledger.post = real
        pipeline.reopen()
        pipeline.books.value = tuple(price_books(pipeline.fleet)[:0])
        pipeline.close()
        assert_equal(pipeline)


def test_inputs_that_cannot_be_kept_hold_up_the_posting_and_nothing_is_lost(tmp_path):
    with Pipeline(tmp_path, random_fleet(1, BEGIN, END), begin_ms=BEGIN) as pipeline:
        pipeline.play(END + SETTLE_MS + STEP)
        place = tmp_path / "ledger" / "inputs"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("in the way")
        with pytest.raises(LedgerUnavailable, match="inputs could not be written"):
            pipeline.close()
        assert pipeline.ledger.last_window(pipeline.cluster) is None
        place.unlink()
        pipeline.close()
        assert_equal(pipeline)
