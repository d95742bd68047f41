"""What a budget has spent: what a report of the same scope and span says, to the nano."""

from dataclasses import replace

import pytest

from aicost.domain.budgets.periods import Calendar, Period, Rolling, Total, Unit, current_period
from aicost.domain.budgets.plans import BudgetPlan, BudgetRef
from aicost.domain.budgets.spend.scopes import scope_of
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window
from aicost.domain.identity.claims import LabelSelector
from aicost.domain.ledger.rows import Bucket, Component
from aicost.domain.reporting.query import ReportQuery
from aicost.usecases.budgets.spending import OpenSpend, spend_of
from aicost.usecases.build_report import build_reports
from support.budget_books import DOLLAR, Books, hours, runs
from support.controller import BudgetWorld, made, make_world
from support.ledger_rows import CLUSTER, HOUR_0, make_holder, make_row

T0 = 1_793_491_200_000
"""2026-11-01T00:00:00Z."""


def plan(rule=None, currency="USD", **more):
    ref = BudgetRef("all", more.pop("namespace", ""), "uid-1")
    return BudgetPlan(ref, currency, ((-(2**63), 1000 * DOLLAR),), rule or Calendar(), **more)


def found(books, budget, now_ms):
    period = current_period(budget.rule, now_ms)
    return spend_of(books.known(now_ms), scope_of(budget, books.namespaces), budget.currency, period)


def reported(books, budget, now_ms, currency="USD"):
    """What a report says of the same filters and span."""
    period = current_period(budget.rule, now_ms)
    span = Window(period.start_ms, now_ms if period.end_ms is None else min(now_ms, period.end_ms))
    filters = {key: tuple(sorted(values)) for key, values in scope_of(budget, books.namespaces).filters}
    books.ledger.replace_provisional(CLUSTER, _whole(books), books.open)
    query = ReportQuery(span, ("namespace",), filters)
    totals = {one.currency: one.total.cost_nanos for one in build_reports(books.ledger, query, cluster=CLUSTER)}
    return totals.get(currency, 0)


def _whole(books):
    if not books.open:
        return Window(0, 1)
    return Window(min(row.window.start_ms for row in books.open), max(row.window.end_ms for row in books.open))


def rows(at, window):
    """A window with everything in it: two teams, nobody's time, another component, a label, no label at all."""
    cost = 7 * DOLLAR + at * 13
    train = make_holder("team-a", "train-0", {"app": "train"}, team="vision", stage="sandbox")
    chat = make_holder("team-b", "chat-0", {"app": "chat"}, team="speech", stage="production")
    plain = make_holder("team-b", "plain-0")
    made = [
        make_row(cost, holder=train, device="GPU-1"),
        make_row(cost + 1, holder=chat, device="GPU-2"),
        make_row(cost + 2, holder=plain, device="GPU-3", bucket=Bucket.ALLOCATED_IDLE),
        make_row(cost + 3, bucket=Bucket.UNALLOCATED, device="GPU-4"),
        make_row(cost + 4, holder=chat, component=Component.API, device="GPU-2"),
        make_row(None, holder=chat, device="GPU-5"),
    ]
    return tuple(replace(row, window=window) for row in made)


def filled(count=30, start_ms=T0 - 6 * HOUR_MS, *, open_minutes=20, pods=()):
    """So many closed hours and an open one."""
    books = Books(pods=pods, epoch_ms=start_ms)
    windows = hours(start_ms, count + 1)
    for at, window in enumerate(windows[:-1]):
        books.post(rows(at, window), window)
    last = windows[-1]
    part = Window(last.start_ms, last.start_ms + open_minutes * MINUTE_MS)
    books.open = tuple(replace(row, window=part) for row in rows(99, part))
    books.computed_ms = part.end_ms
    return books, part.end_ms


SCOPES = {
    "everything": {},
    "a team": {"filters": {"team": ("vision",)}},
    "teams and nobody": {"filters": {"team": ("vision", "untagged")}},
    "untagged": {"filters": {"stage": ("untagged",)}},
    "a label": {"filters": {"label:app": ("train",)}},
    "a namespace and a stage": {"filters": {"namespace": ("team-b",), "stage": ("production",)}},
    "a cluster": {"filters": {"cluster": (CLUSTER,)}},
    "another cluster": {"filters": {"cluster": ("elsewhere",)}},
    "namespaces by label": {"namespaces": LabelSelector({"unit": "b"})},
    "no namespace": {"namespaces": LabelSelector({"unit": "none"})},
}
RULES = {
    "a month": Calendar(),
    "a month in Kathmandu, which cuts a window": Calendar(time_zone="Asia/Kathmandu"),
    "a day in New York": Calendar(Unit.DAY, time_zone="America/New_York"),
    "the last day": Rolling(DAY_MS),
    "a span that begins in a window": Total(T0 + 1_234_567),
    "a span that is over": Total(T0 - 3 * HOUR_MS - 7, T0 + 9 * HOUR_MS + 11 * MINUTE_MS + 3),
}


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("scope", SCOPES, ids=str)
def test_a_budget_has_spent_what_a_report_says_of_its_scope_and_period(scope, rule):
    books, now = filled()
    books.namespaces = {"team-a": {"unit": "a"}, "team-b": {"unit": "b"}}
    budget = plan(RULES[rule], **SCOPES[scope])
    assert found(books, budget, now).spend.nanos == reported(books, budget, now)


@pytest.mark.parametrize("component", list(Component))
def test_components_that_do_not_count_are_left_out_and_nothing_else(component):
    books, now = filled()
    whole = found(books, plan(), now).spend.nanos
    part = found(books, plan(components=(component.value,)), now).spend.nanos
    others = tuple(one.value for one in Component if one is not component)
    assert part + found(books, plan(components=others), now).spend.nanos == whole
    assert (part > 0) == (component in {Component.GPU, Component.API})


def test_what_nobody_held_counts_for_the_cluster_and_for_nobody_s_budget():
    books, now = filled()
    everything = found(books, plan(), now).spend.nanos
    held = found(books, plan(filters={"namespace": ("team-a", "team-b")}), now).spend.nanos
    idle = [row for row in books.ledger.rows(Window(T0, now)) if row.bucket is Bucket.UNALLOCATED]
    open_idle = [row for row in books.open if row.bucket is Bucket.UNALLOCATED]
    assert everything - held == sum(row.cost_nanos for row in (*idle, *open_idle))


def test_each_part_of_the_spend_is_told_apart():
    pod = runs("team-a", dollars=6, team="vision")
    books, computed = filled(pods=[pod])
    now = computed + 10 * MINUTE_MS
    one = found(books, plan(filters={"team": ("vision",)}), now)
    assert one.spend.provisional_nanos == next(row.cost_nanos for row in books.open)
    assert one.spend.accrued_nanos == DOLLAR, "ten minutes at six dollars an hour, since the open window was computed"
    assert one.spend.counted_nanos == one.spend.nanos + DOLLAR
    assert one.spend.committed_nanos == 6 * DOLLAR


def test_nothing_counts_twice_when_a_window_was_just_closed():
    """At each moment around the close the spend is the same money, wherever it lies."""
    pod = runs("team-a", dollars=60, team="vision")
    budget = plan(filters={"team": ("vision",)})
    books = Books(pods=[pod], epoch_ms=T0)
    (window,) = hours(T0, 1)
    row = make_row(60 * DOLLAR, holder=make_holder("team-a", "train-0", team="vision"))
    part = Window(T0, T0 + 59 * MINUTE_MS)
    books.open, books.computed_ms = (replace(row, window=part, cost_nanos=59 * DOLLAR),), part.end_ms
    assert found(books, budget, window.end_ms).spend.counted_nanos == 60 * DOLLAR
    books.open, books.computed_ms = (), window.end_ms
    books.post([row], window)
    after = found(books, budget, window.end_ms + MINUTE_MS)
    assert (after.spend.nanos, after.spend.accrued_nanos) == (60 * DOLLAR, DOLLAR)


def test_a_pod_that_ended_accrues_until_its_end_and_is_committed_no_more():
    books, computed = filled()
    books.pods = [runs("team-a", dollars=60, until_ms=computed + 2 * MINUTE_MS, team="vision")]
    one = found(books, plan(filters={"team": ("vision",)}), computed + 10 * MINUTE_MS)
    assert (one.spend.accrued_nanos, one.spend.committed_nanos, one.committed) == (2 * DOLLAR, 0, ())


def test_a_pod_accrues_nothing_before_the_period_began():
    books = Books(pods=[runs("team-a", dollars=60)], epoch_ms=T0 - DAY_MS, computed_ms=T0 - 10 * MINUTE_MS)
    one = found(books, plan(), T0 + MINUTE_MS)
    assert one.spend.counted_nanos == DOLLAR


def test_a_pod_with_a_price_in_another_currency_adds_nothing_and_is_named():
    books, computed = filled()
    books.pods = [runs("team-a", dollars=60, currency="EUR", team="vision")]
    one = found(books, plan(filters={"team": ("vision",)}), computed + 10 * MINUTE_MS)
    assert (one.spend.accrued_nanos, one.spend.committed_nanos) == (0, 0)
    assert one.period.foreign == {"EUR"}


def test_a_pod_without_a_price_accrues_nothing_and_makes_the_price_coverage_thin():
    books = Books(pods=[runs("team-a", "a", dollars=None), runs("team-a", "b", dollars=4, gpus=3)], epoch_ms=T0)
    one = found(books, plan(), T0 + MINUTE_MS)
    assert one.price == pytest.approx(3 / 4)
    assert one.spend.committed_nanos == 4 * DOLLAR


def test_a_total_that_is_over_keeps_what_the_last_window_holds_until_it_is_closed():
    """Its end lies in a window that is still open: a spend that falls would close gates for nothing."""
    end = T0 + 30 * MINUTE_MS
    books = Books(pods=[runs("team-a", dollars=60)], epoch_ms=T0)
    budget = plan(Total(T0, end))
    row = replace(make_row(20 * DOLLAR), window=Window(T0, T0 + 20 * MINUTE_MS))
    books.open, books.computed_ms = (row,), row.window.end_ms
    assert found(books, budget, end - 1).spend.counted_nanos == pytest.approx(30 * DOLLAR, abs=DOLLAR // 1000)
    assert found(books, budget, end + MINUTE_MS).spend.counted_nanos == 30 * DOLLAR
    books.open = (replace(row, window=Window(T0, T0 + 40 * MINUTE_MS), cost_nanos=40 * DOLLAR),)
    books.computed_ms = T0 + 40 * MINUTE_MS
    assert found(books, budget, T0 + 41 * MINUTE_MS).spend.counted_nanos == 30 * DOLLAR


def test_a_total_that_has_not_begun_has_spent_nothing():
    books, now = filled(pods=[runs("team-a", dollars=60)])
    one = found(books, plan(Total(now + DAY_MS)), now + MINUTE_MS)
    assert (one.spend.counted_nanos, one.spend.nanos) == (0, 0)


def test_a_late_difference_is_in_the_spend_at_once():
    books, now = filled()
    budget = plan(filters={"team": ("vision",)})
    before = found(books, budget, now).spend.nanos
    late = make_row(-DOLLAR, holder=make_holder("team-a", "train-0", team="vision"), reason="late")
    books.post([late], hours(T0 + 5 * HOUR_MS, 1)[0])
    assert found(books, budget, now).spend.nanos == before - DOLLAR == reported(books, budget, now)


def test_the_last_hours_are_of_the_windows_that_are_known_and_of_those_alone():
    books, now = filled(count=30)
    one = found(books, plan(filters={"team": ("vision",)}), now)
    spans = dict(one.spend.lately)
    assert set(spans) == {HOUR_MS, 6 * HOUR_MS}, "three days are not known"
    open_cost = books.open[0].cost_nanos
    closed = [
        row.cost_nanos for row in books.ledger.rows(Window(0, now)) if row.holder.dimensions.get("team") == "vision"
    ]
    assert spans[HOUR_MS] == pytest.approx(open_cost + closed[-1] * 2 // 3, abs=2)
    assert spans[6 * HOUR_MS] == pytest.approx(open_cost + sum(closed[-5:]) + closed[-6] * 2 // 3, abs=2)


def test_without_a_ledger_there_is_nothing_and_nothing_is_made_up():
    one = found(Books(epoch_ms=T0), plan(), T0 + HOUR_MS)
    assert (one.spend.nanos, one.spend.recent_nanos, one.telemetry, one.price, one.labels) == (0, 0, None, None, None)
    assert one.spend.lately == ((HOUR_MS, 0),)


def test_a_scope_that_asks_for_a_key_that_was_not_kept_apart_is_refused_not_guessed():
    books, now = filled()
    with pytest.raises(KeyError, match="not grouped by feature"):
        found(books, plan(filters={"feature": ("x",)}), now)


def test_cost_by_workload_is_of_the_period_and_names_what_is_claimed():
    claimed = replace(make_holder("team-a", "chat-0"), workload="chat")
    books = Books(epoch_ms=T0)
    for at, window in enumerate(hours(T0 - HOUR_MS, 3)):
        books.post([make_row((at + 1) * DOLLAR, holder=claimed), make_row(5, device="GPU-9")], window)
    one = found(books, plan(), T0 + 2 * HOUR_MS)
    assert dict(one.by_workload) == {("team-a", "chat"): 5 * DOLLAR}


def test_a_period_of_the_domain_and_one_of_a_report_are_cut_alike():
    """The part before a bound and the part after it are the whole window."""
    books = Books(epoch_ms=T0)
    (window,) = hours(T0, 1)
    books.post([make_row(1_000_003)], window)
    cut = T0 + 1_234_567
    known = books.known(T0 + 2 * HOUR_MS)
    parts = [
        spend_of(known, scope_of(plan(), {}), "USD", one).spend.nanos for one in (Period(T0, cut), Period(cut, None))
    ]
    assert sum(parts) == 1_000_003


@pytest.fixture
def world(tmp_path):
    made_world = make_world(tmp_path)
    yield made_world
    made_world.app.stores.close()


def test_an_open_window_that_was_closed_since_it_was_computed_counts_once(world):
    """The window is posted by one round, and the open one is computed anew by the next."""
    budgets = BudgetWorld(world)
    holder = make_holder("team-a", "chat-0")
    part = Window(HOUR_0.start_ms, HOUR_0.end_ms - MINUTE_MS)
    still_open = replace(make_row(59 * DOLLAR, holder=holder), window=part)
    world.state.open = OpenSpend((still_open,), part.end_ms)
    world.registry.put(made("Budget", "b", {"limit": "100", "currency": "USD"}))

    def counted(now_ms):
        (one,) = budgets.round(now_ms).evaluated
        return one.evaluation.spend.standing.spend.counted_nanos

    assert counted(HOUR_0.end_ms - 1) == 59 * DOLLAR
    world.post(make_row(60 * DOLLAR, holder=holder))
    assert counted(HOUR_0.end_ms + MINUTE_MS) == 60 * DOLLAR
    world.state.open = OpenSpend((), HOUR_0.end_ms)
    assert counted(HOUR_0.end_ms + 2 * MINUTE_MS) == 60 * DOLLAR
