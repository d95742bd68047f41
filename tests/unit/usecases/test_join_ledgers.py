"""Several ledgers as one: the same answers as from one ledger that holds all of it."""

import pytest

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.reporting.query import ReportQuery
from aicost.ports.errors import InvalidRequest
from aicost.usecases.build_report import build_reports
from aicost.usecases.join_ledgers import join
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, HOUR_0, hour, make_posting, make_row
from support.statements import HOURS, OCTOBER, fill

CUT = Window(OCTOBER.start_ms + HOUR_MS // 3, OCTOBER.end_ms - HOUR_MS // 7)


def ledger_of(*clusters):
    ledger = MemoryLedger()
    fill(ledger, clusters)
    return ledger


@pytest.fixture
def both():
    return join({"a": ledger_of("east"), "b": ledger_of("west")})


def test_a_single_ledger_is_as_it_is() -> None:
    ledger = MemoryLedger()
    assert join({"a": ledger}) is ledger


@pytest.mark.parametrize("keys", [("cluster",), ("team", "model"), ("namespace",), ("node", "component")])
@pytest.mark.parametrize("span", [OCTOBER, CUT])
def test_reports_are_those_of_one_ledger(both, keys, span) -> None:
    query = ReportQuery(span, keys, compare=True, adjusted=True)
    assert build_reports(both, query) == build_reports(ledger_of("east", "west"), query)
    assert build_reports(both, query, cluster="west") == build_reports(ledger_of("west"), query)


def test_each_group_comes_once(both) -> None:
    groups = [(one.keys, one.bucket, one.component) for one in both.sums(OCTOBER, ("team",), {})]
    assert len(groups) == len(set(groups))
    assert groups == sorted(groups)


def test_what_is_known_of_a_cluster_comes_from_its_ledger(both) -> None:
    assert list(both.clusters()) == ["east", "west"]
    assert both.first_window("west") == Window(OCTOBER.start_ms - HOUR_MS, OCTOBER.start_ms)
    assert both.last_window("east") == Window(OCTOBER.end_ms, OCTOBER.end_ms + HOUR_MS)
    assert list(both.windows(OCTOBER, cluster="west")) == list(HOURS)
    assert both.revision("east", HOURS[0]) == 0
    assert len(both.rows(HOURS[0], cluster="east")) == 8
    assert len(both.rows(HOURS[0])) == 14
    assert both.series(OCTOBER, ("team",), cluster="west").starts_ms.tolist() == [one.start_ms for one in HOURS]


def test_a_cluster_that_none_knows_has_nothing(both) -> None:
    assert both.first_window("north") is both.last_window("north") is both.revision("north", HOURS[0]) is None
    assert not both.windows(OCTOBER, cluster="north")
    assert not both.rows(OCTOBER, cluster="north")
    assert not both.edges(CUT, {}, cluster="north")
    assert not both.sums(OCTOBER, (), {}, cluster="north")


def test_the_same_cluster_in_two_ledgers_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        join({"./a": ledger_of("east"), "./b": ledger_of("east", "west")})
    for said in ("'east'", "./a", "./b", "count twice", "leave one of them out"):
        assert said in str(refused.value)


def test_a_cluster_that_is_only_provisional_counts_as_well() -> None:
    open_one = MemoryLedger()
    open_one.replace_provisional(CLUSTER, HOUR_0, [make_row(5)])
    both = join({"a": open_one, "b": ledger_of("west")})
    assert list(both.clusters()) == [CLUSTER, "west"]
    assert [row.cost_nanos for row in both.rows(HOUR_0, provisional=True)] == [5]
    other = MemoryLedger()
    other.post(make_posting(make_row(1, window=hour(3)), window=hour(3)))
    with pytest.raises(InvalidRequest):
        join({"a": open_one, "b": other})
