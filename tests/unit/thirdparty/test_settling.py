"""Estimates and bills of one day: the bill wins, both stay visible, and nothing counts twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import DAY_MS, Window, from_rfc3339
from aicost.domain.ledger.rows import Method
from aicost.domain.thirdparty.lines import Basis, SpendLine, rows_of_bill
from aicost.domain.thirdparty.settling import TAKEN_BACK, billed, seen, settled
from aicost.ports.errors import InvalidRequest
from aicost.usecases.economics.spend.post_bill import PostBill
from support.fakes.ledger import MemoryLedger

DAY = Window(from_rfc3339("2026-03-02T00:00:00Z"), from_rfc3339("2026-03-03T00:00:00Z"))
NEXT = Window(DAY.end_ms, DAY.end_ms + DAY_MS)
DOLLAR = 10**18
NANO = 10**9


def bill(cost=10 * DOLLAR, **changes):
    return SpendLine(**({"day": DAY, "provider": "anthropic", "cost_attos": cost, "currency": "USD"} | changes))


def estimate(cost=8 * DOLLAR, **changes):
    return bill(cost, **({"basis": Basis.GATEWAY, "source": "litellm", "tags": {"team": "search"}} | changes))


@pytest.fixture
def ledger():
    return MemoryLedger()


def post(ledger, account, *lines):
    return list(PostBill(account, ledger, ledger)(lines))


def cost(ledger, day=DAY, **where):
    return sum(row.cost_nanos for row in ledger.rows(day, **where)) / NANO


def test_an_estimate_counts_until_the_bill_comes_and_stays_visible(ledger):
    post(ledger, "gateway", estimate())
    assert cost(ledger) == 8
    post(ledger, "anthropic", bill())
    assert cost(ledger) == 10
    rows = ledger.rows(DAY, cluster="gateway")
    assert [(row.revision, row.cost_nanos // NANO, row.flags, row.reason) for row in rows] == [
        (0, 8, (), ""),
        (1, -8, (TAKEN_BACK,), "bill came"),
    ]


def test_an_estimate_of_a_day_that_is_billed_already_is_posted_and_taken_back_in_one_commit(ledger):
    post(ledger, "anthropic", bill())
    (day,) = post(ledger, "gateway", estimate())
    assert day.revision == 0
    assert cost(ledger) == 10
    assert sum(row.cost_nanos for row in seen(ledger.rows(DAY))) == 8 * NANO


def test_a_bill_takes_back_its_own_provider_and_day_alone(ledger):
    post(ledger, "gateway", estimate(), estimate(3 * DOLLAR, provider="openai"), estimate(2 * DOLLAR, day=NEXT))
    post(ledger, "anthropic", bill())
    assert (cost(ledger), cost(ledger, NEXT)) == (13, 2)


def test_a_gateway_that_corrects_itself_after_the_bill_changes_no_sum(ledger):
    post(ledger, "gateway", estimate())
    post(ledger, "anthropic", bill())
    post(ledger, "gateway", estimate(9 * DOLLAR))
    assert cost(ledger) == 10
    assert sum(row.cost_nanos for row in seen(ledger.rows(DAY, cluster="gateway"))) == 9 * NANO
    assert post(ledger, "gateway", estimate(9 * DOLLAR))[0].revision is None


def test_a_bill_in_another_currency_wins_all_the_same_and_nothing_is_converted(ledger):
    post(ledger, "gateway", estimate())
    post(ledger, "anthropic", bill(9 * DOLLAR, currency="EUR"))
    sums = {}
    for row in ledger.rows(DAY):
        sums[row.currency] = sums.get(row.currency, 0) + row.cost_nanos
    assert sums == {"USD": 0, "EUR": 9 * NANO}


def test_a_bill_that_only_gives_credit_is_a_bill(ledger):
    post(ledger, "gateway", estimate())
    post(ledger, "anthropic", bill(-5 * DOLLAR))
    assert cost(ledger) == -5


def test_to_look_at_a_bill_takes_nothing_back(ledger):
    post(ledger, "gateway", estimate())
    list(PostBill("anthropic", ledger)([bill()]))
    assert cost(ledger) == 8


class Watched(MemoryLedger):
    """Notes what each day costs after each commit, as a budget would see it."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def post(self, posting):
        done = super().post(posting)
        self.seen.append(cost(self, posting.window))
        return done


def test_whoever_looks_between_two_commits_never_sees_a_day_twice():
    ledger = Watched()
    post(ledger, "gateway", estimate(), estimate(day=NEXT))
    post(ledger, "anthropic", bill(), bill(day=NEXT))
    assert ledger.seen == [8, 8, 0, 10, 0, 10]


def test_bills_and_estimates_never_share_an_account(ledger):
    post(ledger, "gateway", estimate())
    post(ledger, "anthropic", bill())
    with pytest.raises(InvalidRequest, match="'anthropic' has bills in the ledger: post estimates under another"):
        post(ledger, "anthropic", estimate())
    with pytest.raises(InvalidRequest, match="'gateway' has estimates in the ledger: post bills under another"):
        post(ledger, "gateway", bill(day=NEXT), bill())
    assert (cost(ledger), cost(ledger, NEXT)) == (10, 0)


amounts = st.integers(min_value=-(10**24), max_value=10**24)


@given(st.lists(st.tuples(amounts, st.sampled_from(["anthropic", "openai", "aws"]), st.sampled_from(["a", "b"]))))
def test_what_has_a_bill_sums_to_nothing_and_what_has_none_stays(given_lines):
    lines = [estimate(amount, provider=who, tags={"team": team}) for amount, who, team in given_lines]
    rows = rows_of_bill("gateway", lines).get(DAY, ())
    bills = billed(rows_of_bill("x", [bill(), bill(provider="openai")])[DAY])
    after = settled(rows, bills)
    for who, kept in (("anthropic", 0), ("openai", 0), ("aws", 1)):
        whole = sum(row.cost_nanos for row in rows if row.place.provider == who)
        assert sum(row.cost_nanos for row in after if row.place.provider == who) == kept * whole
    assert settled(after, bills) == after
    assert all(row.method is Method.ESTIMATED for row in after)
