"""Whatever is posted and whatever is recomputed: posted and difference together are the truth."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.ledger.difference import difference, identity
from aicost.domain.ledger.rows import Bucket
from aicost.domain.reporting.sums import sum_rows
from support.ledger_rows import make_holder, make_row

_COST = st.none() | st.integers(-(10**12), 10**12)
_TIME = st.integers(-(10**7), 10**7)
ROWS = st.lists(
    st.builds(
        make_row,
        cost=_COST,
        gpu_ms=_TIME,
        measured_ms=_TIME,
        quantity=_TIME,
        error=st.none() | st.integers(0, 10**6),
        bucket=st.sampled_from(Bucket),
        device=st.sampled_from(["GPU-1", "GPU-2"]),
        currency=st.sampled_from(["USD", "EUR"]),
        holder=st.sampled_from([make_holder(), make_holder(team="a"), make_holder("b")]),
    ),
    max_size=8,
)


def sums_by_identity(rows):
    found: Counter = Counter()
    for row in rows:
        key = identity(row)
        found[key, "cost"] += row.cost_nanos or 0
        found[key, "gpu"] += row.gpu_milliseconds
        found[key, "measured"] += row.measured_milliseconds
        found[key, "quantity"] += row.quantity
    return {key: value for key, value in found.items() if value}


@given(ROWS, ROWS)
def test_posted_and_difference_sum_to_the_recomputed_rows_for_every_identity(posted, recomputed):
    change = difference(posted, recomputed, 1, "again")
    assert sums_by_identity([*posted, *change]) == sums_by_identity(recomputed)


@given(ROWS, ROWS)
def test_a_second_application_yields_nothing(posted, recomputed):
    change = difference(posted, recomputed, 1, "again")
    assert difference([*posted, *change], recomputed, 2, "once more") == ()


@given(ROWS, ROWS, ROWS)
def test_revisions_in_a_row_end_at_the_last_truth(first, second, third):
    posted = list(first)
    for revision, truth in enumerate((second, third), 1):
        posted += difference(posted, truth, revision, "again")
    assert sums_by_identity(posted) == sums_by_identity(third)


@given(ROWS, ROWS, st.sampled_from([(), ("team",), ("namespace", "node")]))
def test_every_grouping_of_the_ledger_shows_the_truth(posted, recomputed, keys):
    def shown(rows):
        groups = {
            (group.keys, group.bucket, group.currency): (
                group.cost_nanos,
                group.gpu_milliseconds,
                group.unpriced_gpu_milliseconds,
                group.measured_milliseconds,
                group.quantity,
                group.tagged_nanos,
            )
            for group in sum_rows(rows, keys)
        }
        return {key: value for key, value in groups.items() if any(value)}

    assert shown([*posted, *difference(posted, recomputed, 1, "again")]) == shown(recomputed)


@given(ROWS, ROWS)
def test_a_difference_row_always_changes_something(posted, recomputed):
    for row in difference(posted, recomputed, 3, "again"):
        assert row.cost_nanos or row.gpu_milliseconds or row.measured_milliseconds or row.quantity
        assert (row.revision, row.reason) == (3, "again")
