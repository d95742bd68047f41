"""One contract for every ledger: the one in memory and the one on Delta Lake."""

from dataclasses import replace

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import Bucket, Component, Holder, Row
from aicost.domain.reporting.query import GROUP_KEYS, IdlePolicy, ReportQuery
from aicost.ports.errors import LedgerConflict, TermOver
from aicost.usecases.build_report import build_reports
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_holder, make_posting, make_row

HOSTILE = (
    "it's",
    '"; DROP TABLE ledger; --',
    "\\",
    "\\'",
    "é\u2028\U0001f600",
    "%_$1 {x} :y",
    "a\nb\tc",
    "null",
    "'" * 63,
    "\u202e right to left",
    "nul\x00byte",
)
ALL_DAY = Window(HOUR_0.start_ms - 24 * HOUR_MS, HOUR_0.end_ms + 24 * HOUR_MS)


@pytest.fixture(params=["memory", "delta"])
def ledger(request, tmp_path):
    return MemoryLedger() if request.param == "memory" else DeltaLedger(str(tmp_path / "ledger"))


def total(ledger) -> int:
    return sum(group.cost_nanos for group in ledger.sums(ALL_DAY, (), {}))


def as_set(rows):
    return sorted(map(repr, rows))


def test_an_empty_ledger_answers_nothing(ledger):
    assert (ledger.last_window(CLUSTER), ledger.first_window(CLUSTER)) == (None, None)
    assert ledger.revision(CLUSTER, HOUR_0) is None
    assert list(ledger.rows(ALL_DAY)) == list(ledger.rows(ALL_DAY, provisional=True)) == []
    assert list(ledger.edges(ALL_DAY, {})) == list(ledger.windows(ALL_DAY, cluster=CLUSTER)) == []
    assert list(ledger.sums(ALL_DAY, ("team",), {})) == list(ledger.clusters()) == []


def test_the_windows_of_a_cluster_are_told_once_each_and_in_their_order(ledger):
    for offset in (0, 1, 2):
        ledger.post(make_posting(make_row(window=hour(offset)), make_row(window=hour(offset)), window=hour(offset)))
    ledger.post(make_posting(make_row(5, revision=1), revision=1))
    ledger.post(make_posting(window=hour(3)))
    ledger.post(make_posting(make_row(cluster="c-2", window=hour(5)), cluster="c-2", window=hour(5)))
    assert list(ledger.windows(ALL_DAY, cluster=CLUSTER)) == [hour(0), hour(1), hour(2)]
    part = Window(hour(1).start_ms + 1, hour(2).start_ms + 1)
    assert list(ledger.windows(part, cluster=CLUSTER)) == [hour(1), hour(2)]
    assert list(ledger.windows(ALL_DAY, cluster="nobody")) == []


def test_what_is_posted_comes_back_as_it_was(ledger):
    rows = [
        make_row(price="list/h100 (list)", list_price=True, flags=("gap", "late")),
        make_row(cost=None, error=None, currency="", bucket=Bucket.ALLOCATED_UNMEASURED, measured_ms=0),
        make_row(cost=0, gpu_ms=0, component=Component.CPU, bucket=Bucket.UNALLOCATED, quantity=2**40),
    ]
    assert ledger.post(make_posting(*rows))
    assert as_set(ledger.rows(HOUR_0)) == as_set(rows)


def test_the_same_posting_again_is_refused_without_fuss(ledger):
    posting = make_posting(make_row(cost=7), make_row(cost=8, device="GPU-2"))
    assert ledger.post(posting) is True
    assert ledger.post(posting) is False
    assert ledger.post(replace(posting, rows=posting.rows[::-1])) is False
    assert total(ledger) == 15


def test_other_rows_for_a_posted_revision_are_a_conflict(ledger):
    ledger.post(make_posting(make_row(cost=7)))
    with pytest.raises(LedgerConflict, match="other rows"):
        ledger.post(make_posting(make_row(cost=8)))
    assert total(ledger) == 7


def test_a_window_without_rows_is_posted_too(ledger):
    assert ledger.post(make_posting())
    assert ledger.post(make_posting()) is False
    assert ledger.last_window(CLUSTER) == ledger.first_window(CLUSTER) == HOUR_0
    assert ledger.revision(CLUSTER, HOUR_0) == 0
    with pytest.raises(LedgerConflict):
        ledger.post(make_posting(make_row()))


def test_first_and_last_window_follow_postings_in_any_order(ledger):
    for offset in (2, 0, 5, 3):
        ledger.post(make_posting(window=hour(offset)))
    assert (ledger.first_window(CLUSTER), ledger.last_window(CLUSTER)) == (hour(0), hour(5))
    assert ledger.revision(CLUSTER, hour(1)) is None


def test_windows_of_two_lengths_follow_each_other(ledger):
    quarter = Window(HOUR_0.end_ms, HOUR_0.end_ms + HOUR_MS // 4)
    ledger.post(make_posting(make_row()))
    ledger.post(make_posting(make_row(window=quarter), window=quarter))
    assert (ledger.first_window(CLUSTER), ledger.last_window(CLUSTER)) == (HOUR_0, quarter)


def test_a_window_that_shares_time_with_a_posted_one_is_a_conflict(ledger):
    ledger.post(make_posting(make_row()))
    inner = Window(HOUR_0.start_ms, HOUR_0.start_ms + HOUR_MS // 4)
    with pytest.raises(LedgerConflict, match="shares time"):
        ledger.post(make_posting(make_row(window=inner), window=inner))
    assert total(ledger) == 1_000


def test_a_revision_that_is_not_the_next_is_a_conflict(ledger):
    with pytest.raises(LedgerConflict, match="next one is 0"):
        ledger.post(make_posting(make_row(revision=1), revision=1))
    ledger.post(make_posting(make_row()))
    with pytest.raises(LedgerConflict, match="next one is 1"):
        ledger.post(make_posting(make_row(revision=2), revision=2))


def test_difference_rows_make_the_sums_true(ledger):
    ledger.post(make_posting(make_row(cost=None, gpu_ms=500, quantity=9)))
    truth = [make_row(cost=90, gpu_ms=450, quantity=7), make_row(cost=10, gpu_ms=50, bucket=Bucket.ALLOCATED_IDLE)]
    change = difference(ledger.rows(HOUR_0), truth, 1, "a price came late")
    assert ledger.post(make_posting(*change, revision=1))
    assert ledger.post(make_posting(*change, revision=1)) is False
    assert (ledger.revision(CLUSTER, HOUR_0), total(ledger)) == (1, 100)
    sums = ledger.sums(ALL_DAY, (), {})
    assert sum(group.gpu_milliseconds for group in sums) == 500
    assert sum(group.quantity for group in sums) == 7
    assert sum(group.unpriced_gpu_milliseconds for group in sums) == 0


def test_rows_of_another_posting_are_refused(ledger):
    for row in (make_row(window=hour(1)), make_row(cluster="other"), make_row(revision=3)):
        with pytest.raises(ValueError, match="cannot be posted"):
            ledger.post(make_posting(row))
    assert ledger.last_window(CLUSTER) is None


def test_clusters_do_not_see_each_other(ledger):
    ledger.post(make_posting(make_row(cost=1)))
    ledger.post(make_posting(make_row(cost=2, cluster="b/last"), cluster="b/last"))
    assert list(ledger.clusters()) == ["b/last", CLUSTER]
    assert sum(group.cost_nanos for group in ledger.sums(ALL_DAY, (), {}, cluster="b/last")) == 2
    assert [row.cost_nanos for row in ledger.rows(ALL_DAY, cluster=CLUSTER)] == [1]
    assert total(ledger) == 3


def test_sums_take_whole_windows_only_and_rows_all_that_overlap(ledger):
    for offset in range(3):
        ledger.post(make_posting(make_row(cost=10**offset, window=hour(offset)), window=hour(offset)))
    span = Window(hour(0).start_ms + 1, hour(2).end_ms)
    assert sum(group.cost_nanos for group in ledger.sums(span, (), {})) == 110
    assert sorted(row.cost_nanos for row in ledger.rows(span)) == [1, 10, 100]
    assert sorted(row.cost_nanos for row in ledger.rows(Window(hour(1).end_ms - 1, hour(1).end_ms))) == [10]
    nothing = Window(span.start_ms, span.start_ms)
    assert list(ledger.rows(nothing)) == list(ledger.sums(nothing, ("team",), {})) == []
    assert [row.cost_nanos for row in ledger.edges(nothing, {}, cluster=CLUSTER)] == [1]
    assert list(ledger.edges(nothing, {}, cluster="another")) == []


def test_sums_over_days_take_each_window_of_the_span_once(ledger):
    for offset in range(0, 80, 7):
        ledger.post(make_posting(make_row(cost=1 << offset // 7, window=hour(offset)), window=hour(offset)))
    for first, last in ((0, 77), (7, 70), (3, 50), (14, 21), (14, 15)):
        span = Window(hour(first).start_ms, hour(last).end_ms)
        expected = sum(1 << offset // 7 for offset in range(0, 80, 7) if first <= offset <= last)
        assert sum(group.cost_nanos for group in ledger.sums(span, (), {})) == expected


def test_edges_are_the_windows_that_a_bound_lies_inside_of(ledger):
    for offset in range(4):
        ledger.post(make_posting(make_row(cost=10**offset, window=hour(offset)), window=hour(offset)))

    def found(start: int, end: int, **filters):
        return sorted(row.cost_nanos for row in ledger.edges(Window(start, end), filters))

    assert found(hour(0).start_ms, hour(3).end_ms) == []
    assert found(hour(0).start_ms + 1, hour(3).end_ms) == [1]
    assert found(hour(1).start_ms, hour(3).end_ms - 1) == [1_000]
    assert found(hour(1).start_ms - 1, hour(2).start_ms + 1) == [1, 100]
    assert found(hour(1).start_ms + 5, hour(1).end_ms - 5) == [10]
    assert found(hour(1).start_ms + 5, hour(1).end_ms - 5, namespace=("nobody",)) == []
    assert found(hour(1).start_ms + 5, hour(1).end_ms - 5, namespace=("team-a",)) == [10]


def sample() -> list[Row]:
    chat = make_holder("team-b", "chat-1", {"app.kubernetes.io/name": "it's"}, team="nlp", cost_center="42")
    return [
        make_row(cost=1),
        make_row(cost=2, holder=chat, error=None),
        make_row(cost=None, gpu_ms=7, holder=chat, currency="", error=3),
        make_row(cost=4, holder=chat, bucket=Bucket.ALLOCATED_IDLE, currency="EUR", list_price=True),
        make_row(cost=8, bucket=Bucket.UNALLOCATED, node="node-2"),
        make_row(cost=16, gpu_ms=0, bucket=Bucket.USED, component=Component.CPU),
        make_row(cost=-1, gpu_ms=-2, error=-9),
    ]


@pytest.mark.parametrize(
    "keys",
    [
        (),
        *((key,) for key in GROUP_KEYS),
        ("team", "label:app.kubernetes.io/name", "node"),
        ("source:team", "team"),
        *(("namespace", key) for key in GROUP_KEYS if key != "namespace"),
    ],
)
def test_sums_are_those_of_the_rows_by_every_key(ledger, keys):
    ledger.post(make_posting(*sample()))
    reference = MemoryLedger()
    reference.post(make_posting(*sample()))
    assert list(ledger.sums(HOUR_0, keys, {})) == list(reference.sums(HOUR_0, keys, {}))


@pytest.mark.parametrize(
    ("filters", "cost"),
    [
        ({"team": ("nlp",)}, 6),
        ({"team": ("untagged",)}, 24),
        ({"team": ("nlp", "untagged"), "node": ("node-2",)}, 8),
        ({"controller": ("Deployment/chat",)}, 6),
        ({"label:app.kubernetes.io/name": ("it's",)}, 6),
        ({"namespace": ()}, 0),
        ({"namespace": ("",)}, 8),
        ({"cost-center": ("' OR '1'='1",)}, 0),
    ],
)
def test_filters_keep_the_rows_that_match_every_key(ledger, filters, cost):
    ledger.post(make_posting(*sample()))
    assert sum(group.cost_nanos for group in ledger.sums(HOUR_0, ("namespace",), filters)) == cost


def test_series_are_the_sums_window_by_window(ledger):
    rows = [
        make_row(5, window=hour(0), gpu_ms=10),
        make_row(7, window=hour(1), bucket=Bucket.ALLOCATED_IDLE, gpu_ms=20),
        make_row(9, window=hour(2), holder=make_holder("team-b"), gpu_ms=30),
        make_row(11, window=hour(2), bucket=Bucket.UNALLOCATED, gpu_ms=40),
        make_row(13, window=hour(2), currency="EUR"),
        make_row(None, window=hour(2), currency="", error=None),
    ]
    for offset in (0, 1, 2):
        own = [row for row in rows if row.window == hour(offset)]
        ledger.post(make_posting(*own, window=hour(offset)))
    ledger.post(make_posting(make_row(-2, window=hour(0), revision=1, gpu_ms=0), window=hour(0), revision=1))
    found = ledger.series(ALL_DAY, ("namespace",), cluster=CLUSTER)
    assert list(found.starts_ms) == [hour(one).start_ms for one in (0, 1, 2)]
    assert list(found.ends_ms) == [hour(one).end_ms for one in (0, 1, 2)]
    told = {
        (values[0], currency, held): tuple(cost)
        for values, currency, held, cost in zip(
            found.groups.values, found.currencies, found.groups.held, found.cost.tolist(), strict=True
        )
    }
    assert told == {
        ("team-a", "USD", True): (3, 7, 0),
        ("team-b", "USD", True): (0, 0, 9),
        ("", "USD", False): (0, 0, 11),
        ("team-a", "EUR", True): (0, 0, 13),
        ("team-a", "", True): (0, 0, 0),
    }
    assert found.idle_ms.sum() == 20
    assert found.busy_ms.sum() == 10 + 30 + 600_000 * 2


def test_series_know_windows_that_lie_inside_alone_and_one_cluster(ledger):
    for offset in (0, 1, 2):
        ledger.post(make_posting(make_row(window=hour(offset)), window=hour(offset)))
    inner = Window(hour(0).start_ms + 1, hour(2).end_ms - 1)
    assert list(ledger.series(inner, (), cluster=CLUSTER).starts_ms) == [hour(1).start_ms]
    assert ledger.series(ALL_DAY, ("team",), cluster="nobody").span is None


def test_the_version_grows_with_each_posting(ledger):
    assert ledger.version() is None
    ledger.post(make_posting(make_row()))
    first = ledger.version()
    ledger.post(make_posting(make_row(window=hour(1)), window=hour(1)))
    assert first is not None
    assert ledger.version() > first


def test_hostile_values_survive_and_can_be_asked_for(ledger):
    rows = [
        make_row(
            cost=1 + index,
            holder=Holder(
                value,
                value,
                value,
                "Job",
                value,
                value,
                {"team": value},
                {"team": value},
                {value: value},
                {value: value},
            ),
        )
        for index, value in enumerate(HOSTILE)
    ]
    ledger.post(make_posting(*rows))
    assert as_set(ledger.rows(HOUR_0)) == as_set(rows)
    for index, value in enumerate(HOSTILE):
        for key in ("namespace", "team", f"label:{value}"):
            sums = ledger.sums(HOUR_0, (key,), {key: (value,)})
            assert [(group.keys, group.cost_nanos) for group in sums] == [((value,), 1 + index)]


def test_a_hostile_cluster_name_is_a_name(ledger):
    name = "../../etc/ü 'x'%2F"
    ledger.replace_provisional(name, HOUR_0, [make_row(cluster=name)])
    assert [row.place.cluster for row in ledger.rows(HOUR_0, cluster=name, provisional=True)] == [name]
    ledger.post(make_posting(make_row(cluster=name), cluster=name))
    assert ledger.last_window(name) == HOUR_0
    assert list(ledger.clusters()) == [name]


def test_sums_beyond_64_bits_are_exact(ledger):
    largest = 2**63 - 1
    ledger.post(make_posting(*(make_row(cost=largest, device=f"GPU-{index}") for index in range(5))))
    assert total(ledger) == 5 * largest


def test_provisional_rows_are_replaced_and_no_sum_sees_them(ledger):
    part = Window(HOUR_0.start_ms, HOUR_0.start_ms + 60_000)
    ledger.replace_provisional(CLUSTER, part, [make_row(cost=5, window=part), make_row(cost=6, window=part)])
    ledger.replace_provisional("other", part, [make_row(cost=9, window=part, cluster="other")])
    ledger.replace_provisional(CLUSTER, part, [make_row(cost=7, window=part)])
    assert sorted(row.cost_nanos for row in ledger.rows(ALL_DAY, provisional=True)) == [7, 9]
    assert [row.cost_nanos for row in ledger.rows(ALL_DAY, provisional=True, cluster=CLUSTER)] == [7]
    assert list(ledger.rows(hour(1), provisional=True)) == []
    assert (total(ledger), list(ledger.rows(ALL_DAY)), ledger.last_window(CLUSTER)) == (0, [], None)
    ledger.replace_provisional(CLUSTER, part, [])
    assert list(ledger.rows(ALL_DAY, provisional=True, cluster=CLUSTER)) == []


def test_provisional_rows_of_a_posted_window_are_left_out(ledger):
    ledger.replace_provisional(CLUSTER, HOUR_0, [make_row(cost=5)])
    ledger.post(make_posting(make_row(cost=6)))
    assert list(ledger.rows(ALL_DAY, provisional=True)) == []
    assert total(ledger) == 6


def test_provisional_rows_outside_their_window_are_refused(ledger):
    with pytest.raises(ValueError, match="outside"):
        ledger.replace_provisional(CLUSTER, HOUR_0, [make_row(window=hour(1))])


def test_a_snapshot_does_not_change_while_the_ledger_grows(ledger):
    ledger.replace_provisional(CLUSTER, hour(1), [make_row(cost=5, window=hour(1))])
    ledger.post(make_posting(make_row(cost=6)))
    before = ledger.snapshot()
    ledger.post(make_posting(make_row(cost=7, window=hour(1)), window=hour(1)))
    ledger.replace_provisional(CLUSTER, hour(2), [])
    assert (total(before), [row.cost_nanos for row in before.rows(ALL_DAY, provisional=True)]) == (6, [5])
    assert before.last_window(CLUSTER) == HOUR_0
    assert (total(ledger), list(ledger.rows(ALL_DAY, provisional=True))) == (13, [])


@pytest.mark.parametrize("idle", IdlePolicy)
def test_a_report_is_the_same_from_every_ledger(ledger, idle):
    reference = MemoryLedger()
    for one in (ledger, reference):
        one.post(make_posting(*sample()))
        one.post(make_posting(*(replace(row, window=hour(1)) for row in sample()), window=hour(1)))
        one.replace_provisional(CLUSTER, hour(2), [make_row(cost=9, window=hour(2))])
    span = Window(HOUR_0.start_ms + 1_234_567, hour(2).end_ms - 7_654_321)
    query = ReportQuery(span, ("team", "label:app.kubernetes.io/name"), idle=idle, compare=True)
    assert build_reports(ledger.snapshot(), query) == build_reports(reference.snapshot(), query)


def test_terms_grow_cluster_by_cluster_and_post_nothing(ledger):
    assert [ledger.begin_term(CLUSTER) for _ in range(3)] == [1, 2, 3]
    assert ledger.begin_term("c-2") == 1
    assert list(ledger.clusters()) == list(ledger.rows(ALL_DAY)) == []
    assert (ledger.last_window(CLUSTER), ledger.revision(CLUSTER, HOUR_0)) == (None, None)


def test_a_leader_of_an_earlier_term_posts_nothing_any_more(ledger):
    old = ledger.begin_term(CLUSTER)
    assert ledger.post(replace(make_posting(make_row(5)), term=old))
    new = ledger.begin_term(CLUSTER)
    late = replace(make_posting(make_row(7, window=hour(1)), window=hour(1)), term=old)
    with pytest.raises(TermOver):
        ledger.post(late)
    assert total(ledger) == 5
    assert ledger.post(replace(late, term=new))
    assert total(ledger) == 12
    assert ledger.post(replace(late, term=old)) is False  # what is there already is no news, whoever says it


def test_terms_of_one_cluster_are_no_matter_of_another(ledger):
    mine = ledger.begin_term(CLUSTER)
    for _ in range(3):
        ledger.begin_term("c-2")
    assert ledger.post(replace(make_posting(make_row(5)), term=mine))


def test_what_a_person_posts_needs_no_term(ledger):
    term = ledger.begin_term(CLUSTER)
    assert ledger.post(make_posting(make_row(5)))
    assert ledger.post(replace(make_posting(make_row(6, window=hour(1)), window=hour(1)), term=term))


def test_rows_are_grouped_by_their_posting_and_its_reason(ledger):
    ledger.post(make_posting(make_row(5)))
    ledger.post(make_posting(make_row(-2, revision=1, reason="it's late"), revision=1))
    span = f"{HOUR_0.start_ms}/{HOUR_0.end_ms}"
    found = {group.keys: group.cost_nanos for group in ledger.sums(ALL_DAY, ("posting", "reason"), {})}
    assert found == {(f"{span}/0", ""): 5, (f"{span}/1", "it's late"): -2}
