"""Whatever the ledger holds, a budget has spent what a report of its scope and period says, to the nano."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.budgets.periods import Calendar, Rolling, Total, Unit, current_period
from aicost.domain.budgets.plans import BudgetPlan, BudgetRef
from aicost.domain.budgets.spend.scopes import scope_of
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window
from aicost.domain.ledger.rows import Bucket, Holder
from aicost.domain.reporting.query import ReportQuery
from aicost.usecases.budgets.evaluate import HISTORY
from aicost.usecases.budgets.spending import spend_of
from aicost.usecases.build_report import build_reports
from support.budget_books import Books, hours, runs
from support.ledger_rows import CLUSTER, make_holder, make_row

T0 = 1_793_491_200_000
"""2026-11-01T00:00:00Z."""
COUNT = 10
TEAMS = st.sampled_from(["vision", "speech", ""])


def row(team, held, cost, currency):
    holder = make_holder("team-a", f"{team}-0", **({"team": team} if team else {})) if held else Holder()
    return make_row(
        cost,
        holder=holder,
        currency=currency,
        bucket=Bucket.USED if held else Bucket.UNALLOCATED,
        device=f"{team}{held}",
    )


ROWS = st.lists(
    st.builds(row, TEAMS, st.booleans(), st.none() | st.integers(-(10**12), 10**12), st.sampled_from(["USD", "EUR"])),
    max_size=4,
    unique_by=lambda one: (one.place.device, one.currency),
)
ZONES = st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham"])
RULES = st.one_of(
    st.builds(Calendar, st.sampled_from(Unit), st.just(1), ZONES),
    st.builds(Rolling, st.integers(1, 3 * DAY_MS)),
    st.builds(
        lambda start, length: Total(T0 + start, None if length is None else T0 + start + length),
        st.integers(-HOUR_MS, COUNT * HOUR_MS),
        st.none() | st.integers(1, COUNT * HOUR_MS),
    ),
)
FILTERS = st.sampled_from([{}, {"team": ("vision",)}, {"team": ("untagged",)}, {"namespace": ("team-a",)}])


def reported(books, plan, span):
    filters = {key: tuple(sorted(values)) for key, values in scope_of(plan, {}).filters}
    query = ReportQuery(span, ("namespace",), filters)
    totals = {one.currency: one.total.cost_nanos for one in build_reports(books.ledger, query, cluster=CLUSTER)}
    return totals.get("USD", 0)


def filled(posted, late, still_open, minutes):
    """Windows of an hour, corrections of them, and a part of the window after them."""
    books = Books(epoch_ms=T0)
    for window, rows in zip(hours(T0, COUNT), posted, strict=True):
        books.post(rows, window)
    for at, rows in late:
        books.post(rows, hours(T0, COUNT)[at])
    part = Window(T0 + COUNT * HOUR_MS, T0 + COUNT * HOUR_MS + minutes * MINUTE_MS)
    books.open = tuple(replace(one, window=part) for one in still_open)
    books.computed_ms = part.end_ms
    books.ledger.replace_provisional(CLUSTER, part, books.open)
    return books


LEDGERS = st.builds(
    filled,
    st.lists(ROWS, min_size=COUNT, max_size=COUNT),
    st.lists(st.tuples(st.integers(0, COUNT - 1), ROWS), max_size=3),
    ROWS,
    st.integers(1, 59),
)


@given(LEDGERS, RULES, FILTERS)
@settings(max_examples=60, deadline=None)
def test_a_budget_has_spent_what_a_report_says(books, rule, filters):
    plan = BudgetPlan(BudgetRef("b", "", "u"), "USD", ((-(2**63), 1),), rule, filters=filters)
    now = books.computed_ms
    period = current_period(rule, now)
    found = spend_of(books.known(now), scope_of(plan, {}), "USD", period).spend
    span = period.spent_span(now)
    assert found.nanos == (reported(books, plan, span) if span.length_ms else 0)
    assert found.accrued_nanos == 0


@given(LEDGERS, FILTERS, st.lists(st.integers(0, COUNT * HOUR_MS), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_periods_that_follow_each_other_share_every_nano_and_count_none_twice(books, filters, cuts):
    plan = BudgetPlan(BudgetRef("b", "", "u"), "USD", ((-(2**63), 1),), Calendar(), filters=filters)
    now, known = books.computed_ms, books.known(books.computed_ms)
    bounds = [T0, *sorted({T0 + cut for cut in cuts if cut}), now]
    parts = []
    for start, end in pairwise(bounds):
        if start < end:
            period = current_period(Total(start, end), now)
            parts.append(spend_of(known, scope_of(plan, {}), "USD", period).spend.nanos)
    whole = spend_of(known, scope_of(plan, {}), "USD", current_period(Total(T0), now)).spend.nanos
    assert sum(parts) == whole


@given(LEDGERS, st.integers(1, 100), st.integers(0, 59))
@settings(max_examples=40, deadline=None)
def test_what_runs_is_counted_from_where_the_open_window_ends(books, dollars, minutes):
    books.pods = [runs("team-a", "vision-0", dollars=dollars, since_ms=T0)]
    plan = BudgetPlan(BudgetRef("b", "", "u"), "USD", ((-(2**63), 1),), Total(T0))
    now = books.computed_ms + minutes * MINUTE_MS
    found = spend_of(books.known(now), scope_of(plan, {}), "USD", current_period(plan.rule, now)).spend
    assert found.accrued_nanos == (dollars * 10**9 * minutes + 30) // 60
    assert found.counted_nanos == found.nanos + found.accrued_nanos


@given(
    st.lists(st.lists(st.integers(-50, 50), max_size=3), min_size=2, max_size=6),
    st.lists(st.integers(0, 20), min_size=1, max_size=4),
)
@settings(max_examples=40, deadline=None)
def test_the_history_is_what_the_ledger_says_of_its_periods_whenever_it_is_asked(days, restless):
    """Days of corrections, evaluated at odd hours: each period is remembered once, with what it has cost by now."""
    plan = BudgetPlan(BudgetRef("b", "", "u"), "USD", ((-(2**63), 10**9),), Calendar(Unit.DAY))
    books, memory = Books(epoch_ms=T0 - DAY_MS), None
    for number, costs in enumerate(days):
        day = T0 + number * DAY_MS
        for at, cost in enumerate([100, *costs]):
            window = hours(day, 1)[0] if at else hours(day + HOUR_MS, 1)[0]
            books.post([make_row(cost, holder=make_holder("team-a", "p-0", team="vision"))], window)
        for hour in sorted(restless):
            memory = books.evaluate(plan, day + (3 + hour % 20) * HOUR_MS + 1, memory).memory
        found = [(one.period.start_ms, one.spent_nanos) for one in memory.history]
        past = range(number - 1, max(-1, number - 1 - HISTORY), -1)
        assert found == [(T0 + one * DAY_MS, 100 + sum(days[one])) for one in past]
