"""Bills of providers and clouds: read exactly, posted once, restated by differences."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.pricing.bills.reading import read_bill
from aicost.domain.exact.windows import DAY_MS, Window, from_rfc3339
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.ledger.rows import Component
from aicost.domain.thirdparty.lines import ATTOS_PER_NANO, Mapped, SpendLine, rows_of_bill
from aicost.ports.errors import InvalidRequest
from aicost.usecases.economics.spend.post_bill import RESTATED, PostBill
from support.fakes.ledger import MemoryLedger

DAY = Window(from_rfc3339("2026-03-02T00:00:00Z"), from_rfc3339("2026-03-03T00:00:00Z"))
DOLLAR = 10**18


def line(cost=DOLLAR, **changes):
    return SpendLine(**({"day": DAY, "provider": "openai", "cost_attos": cost, "currency": "USD"} | changes))


def anthropic(*results, start="2026-03-02T00:00:00Z", end="2026-03-03T00:00:00Z"):
    return json.dumps({"data": [{"starting_at": start, "ending_at": end, "results": list(results)}]}).encode()


def openai(**result):
    bucket = {"start_time": DAY.start_ms // 1_000, "end_time": DAY.end_ms // 1_000, "results": [result]}
    return json.dumps({"object": "page", "data": [{"object": "bucket", **bucket}]}).encode()


def focus(*rows):
    columns = "ServiceCategory,ServiceName,ProviderName,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,EffectiveCost,"
    head = f"{columns}BillingCurrency,ChargeDescription,ConsumedQuantity,Tags"
    return "\n".join([head, *rows]).encode()


def focus_row(service="Amazon Bedrock", category="AI and Machine Learning", cost="1.25", tags="{}", **changes):
    when = changes.get("when", "2026-03-02 10:00:00,2026-03-02 11:00:00")
    said = changes.get("said", "Claude Sonnet 4.5 input tokens")
    kind = changes.get("kind", "Usage")
    return f'{category},{service},AWS,{kind},{when},{cost},USD,{said},1000,"{tags.replace(chr(34), chr(34) * 2)}"'


def test_anthropic_counts_in_cents():
    (one,) = read_bill(anthropic({"amount": "123.45", "currency": "USD", "model": "claude-sonnet-5"}), "f").lines
    assert (one.cost_attos, one.model, one.day) == (1_234_500_000_000_000_000, "claude-sonnet-5", DAY)


def test_openai_counts_in_dollars_and_no_digit_is_made_up():
    content = openai(amount={"value": 0.06, "currency": "usd"}, line_item="gpt-5.6, input_tokens", quantity=15_000)
    (one,) = read_bill(content, "f").lines
    assert (one.cost_attos, one.currency, one.model) == (60_000_000_000_000_000, "USD", "gpt-5.6")
    assert one.quantity == 15_000


def test_pages_may_stand_in_a_list_or_on_lines():
    page = anthropic({"amount": "100"})
    assert len(read_bill(b"[" + page + b"," + page + b"]", "f").lines) == 2
    assert len(read_bill(page + b"\n" + page, "f").lines) == 2


def test_of_a_cloud_the_ai_lines_count_and_no_machine_is_billed_twice():
    bill = read_bill(
        focus(
            focus_row(tags='{"team": "Growth"}'),
            focus_row("Amazon Elastic Compute Cloud", "Compute", said="p5.48xlarge instance hour"),
            focus_row(kind="Tax"),
            focus_row("Anthropic Claude (marketplace)", "Other"),
        ),
        "f",
    )
    assert (bill.kind, len(bill.lines), bill.others) == ("focus", 2, 2)
    one = bill.lines[0]
    assert (one.provider, one.model, one.tags["team"], one.day) == ("aws", "Claude-Sonnet-4.5", "Growth", DAY)


def test_a_commitment_that_was_paid_for_a_month_is_nothing_itself():
    """Its effective cost is in the lines of what it was used for."""
    paid = focus_row(cost="0", when="2026-03-01 00:00:00,2026-04-01 00:00:00")
    assert [one.cost_attos for one in read_bill(focus(paid, focus_row(cost="5.25")), "f").lines] == [0, 525 * 10**16]


def test_what_is_charged_for_several_days_is_spread_over_them_by_time_to_the_last_part():
    fee = focus_row(cost="1.000000000000000001", when="2026-03-01 12:00:00,2026-03-03 12:00:00")
    lines = read_bill(focus(fee), "f").lines
    starts = [from_rfc3339(f"2026-03-0{day}T00:00:00Z") for day in (1, 2, 3)]
    assert [one.day for one in lines] == [Window(start, start + DAY_MS) for start in starts]
    assert [one.cost_attos for one in lines] == [25 * 10**16, 5 * 10**17 + 1, 25 * 10**16]
    assert [one.quantity for one in lines] == [250, 500, 250]


def test_a_credit_for_a_month_takes_from_each_of_its_days():
    credit = focus_row(cost="-31", when="2026-03-01 00:00:00,2026-04-01 00:00:00")
    lines = read_bill(focus(credit), "f").lines
    assert [one.cost_attos for one in lines] == [-(10**18)] * 31


def test_a_bill_may_be_packed():
    plain = focus(focus_row())
    assert read_bill(gzip.compress(plain), "f").lines == read_bill(plain, "f").lines


def test_a_table_of_ones_own_needs_a_day_and_an_amount():
    bill = read_bill(b"date,cost,model,team\n2026-03-02,1.5,gpt-5,vision\n", "f", provider="openai", currency="EUR")
    (one,) = bill.lines
    assert (one.provider, one.currency, one.model, one.tags) == ("openai", "EUR", "gpt-5", {"team": "vision"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n", "columns a, b: a bill has a day and an amount"),
        (b"date,cost\n2026-03-02,much\n", "line 2, column cost: 'much'"),
        (b"date,cost\nyesterday,1\n", "yesterday"),
        (b"date,cost\n2026-03-02,1e400\n", "write an amount"),
        (b"date,cost\n2026-03-02,NaN\n", "write an amount"),
        (b"date,cost\n2026-03-02,0.0000000000000000001\n", "18 digits"),
        (b"date,cost,currency\n2026-03-02,1,DOLLARS\n", "ISO 4217"),
        (b'{"data": 3}', "no bill is in it"),
        (b'{"data": [{"results": [{}], "starting_at": "x", "ending_at": "y"}]}', "no bucket of a cost API"),
        (b"[1, 2]", "no bill is in it"),
        (b'{"type": "error", "error": {"type": "rate_limit_error"}}', "no bill is in it (no field 'data')"),
        (
            anthropic({"uncached_input_tokens": 1500, "model": "m"}),
            "no field 'amount': this is no bucket of a cost API",
        ),
        (anthropic({"amount": "1", "currency": "USD"}, end="2026-03-04T00:00:00Z"), "ask for buckets of one day"),
        (b"\xff\xfe", "not UTF-8"),
        (gzip.compress(b"date,cost\n2026-03-02,1\n", mtime=0)[:-9], "cannot be unpacked"),
        (b"\x1f\x8b and more", "cannot be unpacked"),
        (focus(focus_row(when="2026-03-01 00:00:00,2028-04-01 00:00:00")), "more than 400 days"),
    ],
)
def test_what_is_no_bill_is_refused_with_the_place_and_the_fix(content, said):
    with pytest.raises(InvalidRequest, match=r"^bill\.csv: ") as problem:
        read_bill(content, "bill.csv")
    assert said in str(problem.value)


def test_tags_become_dimensions_by_name_or_as_they_are_mapped():
    tagged = line(tags={"workspace_id": "Growth Team", "Cost Center": "CC 100", "noise": "x"}, model="GPT-5")
    (row,) = rows_of_bill("acc", [tagged], Mapped({"workspace_id": Dimension.TEAM}))[DAY]
    assert row.holder.dimensions == {"cost-center": "cc-100", "model": "gpt-5", "team": "growth-team"}
    assert row.holder.provenance["team"] == "bill tag workspace_id"
    assert row.holder.labels == tagged.tags
    assert (row.component, row.place.cluster, row.gpu_milliseconds) == (Component.API, "acc", 0)


def test_lines_of_one_thing_are_one_row():
    rows = rows_of_bill("acc", [line(item="a"), line(item="a"), line(item="b")])[DAY]
    assert sorted((row.signal, row.cost_nanos) for row in rows) == [("a", 2 * 10**9), ("b", 10**9)]


def test_a_bill_is_posted_once_and_restated_by_differences():
    ledger = MemoryLedger()

    def post(*lines):
        (day,) = PostBill("acc", ledger, ledger)(lines)
        return day

    assert post(line(item="a"), line(item="b")).revision == 0
    assert post(line(item="b"), line(item="a")).revision is None
    restated = post(line(item="a"), line(3 * DOLLAR, item="b"))
    assert restated.revision == 1
    assert [(row.signal, row.cost_nanos, row.reason) for row in restated.rows] == [("b", 2 * 10**9, RESTATED)]
    assert sum(row.cost_nanos for row in ledger.rows(DAY, cluster="acc")) == 4 * 10**9


def test_to_look_posts_nothing():
    ledger = MemoryLedger()
    (day,) = PostBill("acc", ledger)([line()])
    assert day.revision == 0
    assert ledger.revision("acc", DAY) is None


lines = st.lists(
    st.builds(
        SpendLine,
        day=st.sampled_from([DAY, Window(DAY.end_ms, DAY.end_ms + DAY_MS)]),
        provider=st.sampled_from(["openai", "anthropic"]),
        cost_attos=st.integers(-(10**22), 10**22),
        currency=st.sampled_from(["USD", "EUR"]),
        item=st.sampled_from(["a", "b"]),
        model=st.text(max_size=3),
        tags=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    ),
    max_size=12,
)


@given(lines, st.randoms(use_true_random=False))
def test_a_days_rows_sum_to_its_lines_rounded_once_in_whatever_order(given_lines, random):
    rows = rows_of_bill("acc", given_lines)
    shuffled = list(given_lines)
    random.shuffle(shuffled)
    assert rows_of_bill("acc", shuffled) == rows
    for day, mine in rows.items():
        for currency in {row.currency for row in mine}:
            exact = sum(one.cost_attos for one in given_lines if (one.day, one.currency) == (day, currency))
            total = sum(row.cost_nanos for row in mine if row.currency == currency)
            assert abs(2 * (total * ATTOS_PER_NANO - exact)) <= ATTOS_PER_NANO
