"""Bills that are hostile or odd: cents and dollars, credits, zones, currencies, tags that want to be somebody."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.pricing.bills.reading import read_bill
from aicost.domain.exact.windows import DAY_MS, Window, from_rfc3339
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.query import ReportQuery
from aicost.domain.thirdparty.lines import AS_NAMED, Mapped, rows_of_bill
from aicost.ports.errors import InvalidRequest
from aicost.usecases.build_report import build_reports
from aicost.usecases.economics.spend.post_bill import PostBill
from aicost.usecases.economics.spend.with_accounts import with_accounts
from support.fakes.ledger import MemoryLedger

DAY = Window(from_rfc3339("2026-03-02T00:00:00Z"), from_rfc3339("2026-03-03T00:00:00Z"))
NANOS = 10**9
HEAD = (
    "ServiceCategory,ServiceName,ProviderName,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,EffectiveCost,"
    "BillingCurrency,ChargeDescription,Tags"
)


def focus(*rows):
    return "\n".join([HEAD, *rows]).encode()


def charge(cost, currency="USD", kind="Usage", when="2026-03-02 10:00:00,2026-03-02 11:00:00", tags="{}"):
    quoted = tags.replace('"', '""')
    return f'AI and Machine Learning,Amazon Bedrock,AWS,{kind},{when},{cost},{currency},Claude,"{quoted}"'


def anthropic(amount, currency="USD"):
    results = [{"amount": amount, "currency": currency, "model": "claude-sonnet-5"}]
    page = {"starting_at": "2026-03-02T00:00:00Z", "ending_at": "2026-03-03T00:00:00Z", "results": results}
    return json.dumps({"data": [page]}).encode()


def openai(amount, currency="usd"):
    text = (
        f'{{"start_time": {DAY.start_ms // 1000}, "end_time": {DAY.end_ms // 1000}, "results": '
        f'[{{"amount": {{"value": {amount}, "currency": "{currency}"}}, "line_item": "gpt-5, input"}}]}}'
    )
    return f'{{"data": [{text}]}}'.encode()


def posted(content, mapped=AS_NAMED):
    rows = rows_of_bill("acc", read_bill(content, "f").lines, mapped)
    return [row for day in rows.values() for row in day]


amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=6)


@given(amounts)
def test_the_same_number_is_a_hundred_times_more_in_dollars_than_in_cents(amount):
    (cents,), (dollars,) = read_bill(anthropic(str(amount)), "f").lines, read_bill(openai(amount), "f").lines
    assert cents.cost_attos * 100 == dollars.cost_attos == int(amount.scaleb(18))


@given(st.lists(st.tuples(amounts, st.sampled_from(["USD", "EUR", "JPY"]), st.sampled_from(["Usage", "Credit"]))))
def test_credits_count_with_their_sign_and_no_two_currencies_are_ever_in_one_sum(lines):
    rows = posted(focus(*(charge(cost, currency, kind) for cost, currency, kind in lines)))
    for currency in ("USD", "EUR", "JPY"):
        whole = sum((cost for cost, name, _ in lines if name == currency), Decimal(0))
        mine = sum(row.cost_nanos for row in rows if row.currency == currency)
        assert abs(mine - whole * NANOS) <= Decimal("0.5")


def test_two_currencies_of_one_account_are_two_reports():
    ledger = MemoryLedger()
    bill = read_bill(focus(charge("5", "EUR"), charge("7", "usd"), charge("-2", "EUR", "Credit")), "f").lines
    list(PostBill("aws", ledger, ledger)(bill))
    counted = with_accounts(ledger.snapshot(), "cluster-1")
    reports = build_reports(counted, ReportQuery(DAY, ("provider",)), cluster="cluster-1")
    assert {one.currency: one.total.cost_nanos for one in reports} == {"EUR": 3 * NANOS, "USD": 7 * NANOS}


@pytest.mark.parametrize(
    ("when", "day"),
    [
        ("2026-03-02T01:00:00+02:00,2026-03-02T02:00:00+02:00", "2026-03-01T00:00:00Z"),
        ("2026-03-01T23:00:00-05:00,2026-03-02T00:00:00-05:00", "2026-03-02T00:00:00Z"),
        ("2026-03-02 23:00:00,2026-03-03 00:00:00", "2026-03-02T00:00:00Z"),
    ],
)
def test_a_charge_belongs_to_its_day_in_utc_whatever_zone_it_is_written_in(when, day):
    (line,) = read_bill(focus(charge("1", when=when)), "f").lines
    start = from_rfc3339(day)
    assert line.day == Window(start, start + DAY_MS)


def test_a_charge_over_midnight_is_divided_at_midnight_in_utc():
    lines = read_bill(focus(charge("1", when="2026-03-03T00:45:00+01:00,2026-03-03T01:30:00+01:00")), "f").lines
    midnight = from_rfc3339("2026-03-03T00:00:00Z")
    days = [Window(midnight - DAY_MS, midnight), Window(midnight, midnight + DAY_MS)]
    assert [(one.day, one.cost_attos) for one in lines] == [
        (days[0], 333333333333333333),
        (days[1], 666666666666666667),
    ]


def test_a_charge_that_ends_before_it_begins_is_about_the_day_of_its_start():
    (line,) = read_bill(focus(charge("1", when="2026-03-03T10:00:00Z,2026-03-01T10:00:00Z")), "f").lines
    assert line.day.start_ms == from_rfc3339("2026-03-03T00:00:00Z")


@pytest.mark.parametrize(
    "amount", ["", "NaN", "-Infinity", "1e400", "12,5", "$5", "\u22125", "0x10", "1" * 40, "1e-19"]
)
def test_what_is_no_amount_is_refused_with_its_line(amount):
    with pytest.raises(InvalidRequest, match="line 2, column EffectiveCost"):
        read_bill(focus(charge(f'"{amount}"')), "f")


@pytest.mark.parametrize("currency", ["", "US$", "dollars", "U1D", "\u20ac"])
def test_what_is_no_currency_is_refused_with_its_line(currency):
    with pytest.raises(InvalidRequest, match="line 2, column BillingCurrency"):
        read_bill(focus(charge("1", currency)), "f")


@pytest.mark.parametrize("amount", ["true", "null", '"12"x', "{}", "[1]"])
def test_an_api_that_answers_with_something_else_than_an_amount_is_refused(amount):
    with pytest.raises(InvalidRequest):
        read_bill(openai(amount), "f")


@pytest.mark.parametrize("tag", ["namespace", "aicost.dev/namespace", "kubernetes_namespace"])
def test_no_tag_makes_a_namespace_pay_by_its_own_name(tag):
    tags = json.dumps({tag: "victim"})
    (row,) = posted(focus(charge("1", tags=tags)))
    assert row.holder.namespace == ""
    (row,) = posted(focus(charge("1", tags=tags)), Mapped(namespaces=frozenset({tag})))
    assert row.holder.namespace == "victim"


@pytest.mark.parametrize("name", ["../kube-system", "a b", "x" * 64, "-a", "", "\x1b[31mred", "a/b"])
def test_what_no_namespace_can_be_called_pays_nothing(name):
    tags = json.dumps({"payer": name})
    (row,) = posted(focus(charge("1", tags=tags)), Mapped(namespaces=frozenset({"payer"})))
    assert row.holder.namespace == ""
    assert row.cost_nanos == NANOS


def test_tags_that_are_no_mapping_are_none_and_the_money_counts():
    for tags in ("[1, 2]", "not json", '"x"', "[" * 5_000):
        (row,) = posted(focus(charge("1", tags=tags)))
        assert (row.cost_nanos, row.holder.dimensions) == (NANOS, {"model": "claude"})


def test_a_hundred_tags_and_ten_thousand_customers_are_rows_and_sum():
    rows = posted(
        focus(*(charge("0.001", tags=json.dumps({"customer": f"c{at}", "team": "a\x1b[0m"})) for at in range(10_000)))
    )
    assert len(rows) == 10_000
    assert sum(row.cost_nanos for row in rows) == 10 * NANOS
    assert all(value.isprintable() for row in rows for value in row.holder.dimensions.values())


def test_a_rule_stands_before_a_tags_own_name_and_a_value_is_renamed_whatever_its_spelling():
    mapped = Mapped({"workspace": Dimension.TEAM}, {("team", "wrk-01"): "search"})
    tags = json.dumps({"workspace": "WRK_01", "team": "forged", "user:project": "p1"})
    (row,) = posted(focus(charge("1", tags=tags)), mapped)
    assert row.holder.dimensions == {"team": "search", "project": "p1", "model": "claude"}
    assert row.holder.labels["team"] == "forged"
