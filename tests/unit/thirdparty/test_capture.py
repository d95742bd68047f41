"""Capture rate and shadow spend: ratios of sums, on days that have both sides, never over two currencies."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.exact.windows import DAY_MS, Window, from_rfc3339
from aicost.domain.thirdparty.capture import capture
from aicost.domain.thirdparty.lines import AS_NAMED, Basis, SpendLine, rows_of_bill
from aicost.domain.thirdparty.settling import settled

DAY = Window(from_rfc3339("2026-03-02T00:00:00Z"), from_rfc3339("2026-03-03T00:00:00Z"))
NEXT = Window(DAY.end_ms, DAY.end_ms + DAY_MS)
DOLLAR, NANOS = 10**18, 10**9


def bill(cost, provider="anthropic", **changes):
    return SpendLine(**({"day": DAY, "provider": provider, "cost_attos": cost * DOLLAR, "currency": "USD"} | changes))


def view(cost, provider="anthropic", **changes):
    return bill(cost, provider, basis=Basis.GATEWAY, source="litellm", **changes)


def rows(*lines):
    return [row for day in rows_of_bill("x", lines, AS_NAMED).values() for row in day]


def found(*lines, **asked):
    return capture(rows(*lines), **asked)


def told(line):
    return line.provider, line.billed_nanos // NANOS, line.seen_nanos // NANOS, line.shadow_nanos // NANOS


def test_the_rate_is_what_was_seen_over_what_was_billed():
    one = found(bill(100), view(80), bill(10, "openai"), view(10, "openai"))
    assert [told(line) for line in one.lines] == [("anthropic", 100, 80, 20), ("openai", 10, 10, 0)]
    assert [line.rate for line in one.lines] == [Fraction(4, 5), 1]
    (total,) = one.totals
    assert (total.rate, total.shadow_nanos) == (Fraction(90, 110), 20 * NANOS)


def test_a_day_without_its_bill_waits_and_a_day_without_any_gateway_is_not_judged():
    one = found(view(80), bill(50, day=NEXT))
    assert (one.lines, one.totals, dict(one.unbilled), one.blind) == ((), (), {"anthropic": 1}, 1)


def test_a_provider_that_no_gateway_ever_saw_is_all_shadow():
    one = found(bill(100), view(80), bill(30, "mistral"))
    assert told(one.lines[1]) == ("mistral", 30, 0, 30)
    assert one.lines[1].rate == 0


def test_an_estimate_that_was_taken_back_was_seen_all_the_same():
    estimates = settled(rows(view(80)), {(DAY, "anthropic")})
    assert sum(row.cost_nanos for row in estimates) == 0
    (line,) = capture([*estimates, *rows(bill(100))]).lines
    assert line.seen_nanos == 80 * NANOS


def test_keys_that_go_past_the_gateway_are_found_by_the_tags_of_the_bill():
    gateway, rogue = {"workspace_id": "w-gw"}, {"workspace_id": "w-x"}
    lines = (bill(70, tags=gateway), bill(30, tags=rogue), view(80))
    one = found(*lines, keys=("label:workspace_id",), through={"workspace_id": frozenset({"w-gw"})})
    assert {line.keys: line.shadow_nanos // NANOS for line in one.lines} == {("w-gw",): 0, ("w-x",): 30, ("",): 0}
    assert one.totals[0].shadow_nanos == 30 * NANOS
    assert found(*lines).totals[0].shadow_nanos == 20 * NANOS


def test_teams_that_both_sides_name_are_compared_with_each_other():
    one = found(
        bill(60, tags={"team": "search"}), view(50, tags={"team": "search"}), bill(40, tags={"team": "chat"}),
        keys=("team",),
    )  # fmt: skip
    assert [(line.keys, line.rate) for line in one.lines] == [(("search",), Fraction(5, 6)), (("chat",), 0)]


def test_discounts_may_make_the_rate_more_than_one_and_nothing_is_shadow_then():
    (line,) = found(bill(70), view(80)).lines
    assert (line.rate, line.shadow_nanos) == (Fraction(8, 7), 0)


def test_credit_alone_has_no_rate_and_two_currencies_are_two_lines():
    assert found(bill(-5), view(1)).lines[0].rate is None
    one = found(bill(9, currency="EUR"), view(10))
    assert [(line.currency, line.billed_nanos // NANOS, line.rate) for line in one.lines] == [
        ("EUR", 9, 0),
        ("USD", 0, None),
    ]


def test_days_are_told_apart_the_latest_first():
    one = found(bill(1), view(1), bill(2, day=NEXT), view(1, day=NEXT), daily=True)
    assert [(line.day, line.rate) for line in one.lines] == [(NEXT, Fraction(1, 2)), (DAY, 1)]


sides = st.lists(
    st.tuples(
        st.booleans(), st.integers(-50, 50), st.sampled_from(["anthropic", "openai"]), st.sampled_from(["a", "b"])
    )
)


@given(sides)
def test_lines_sum_to_the_totals_whatever_they_are_told_apart_by(given_lines):
    lines = [(bill if billed else view)(cost, who, tags={"team": team}) for billed, cost, who, team in given_lines]
    for keys in ((), ("team",)):
        one = found(*lines, keys=keys)
        (total,) = one.totals or (None,)
        assert sum(line.billed_nanos for line in one.lines) == (total.billed_nanos if total else 0)
        assert sum(line.seen_nanos for line in one.lines) == (total.seen_nanos if total else 0)
