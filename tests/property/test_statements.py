"""Statements of all payers and what no rule spreads are the ledger, and adjustments lead from what was to what is."""

from collections import Counter
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.exact.windows import HOUR_MS, Window
from aicost.domain.ledger.difference import difference
from aicost.domain.ledger.rows import HELD, Bucket, Component
from aicost.domain.reporting.query import ReportQuery
from aicost.domain.statements.spreading import Basis, Pool, spread
from aicost.domain.statements.values import SharedRule, Spread
from aicost.usecases.build_report import build_reports
from aicost.usecases.build_statement import Earlier, StatementRequest, build_statement
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import HOUR_0, hour, make_holder, make_posting, make_row

HOLDERS = [
    make_holder(),
    make_holder("team-a", "b-0", team="x", cost_center="cc-1"),
    make_holder("team-b", "c-0", team="y", cost_center="cc-1"),
    make_holder("team-b", "d-0", team="y", cost_center="cc-2", model="m"),
]
PAYERS = ("x", "y", "untagged")
CLUSTERS = ("east", "west")
HOURS = 3
NOW_MS = hour(HOURS + 5).end_ms
RULES = st.sampled_from(Spread)
SHARES = {"x": "1/3", "y": "0.5"}


@st.composite
def rows(draw, window: Window, cluster: str):
    bucket = draw(st.sampled_from(Bucket))
    return make_row(
        cost=draw(st.none() | st.integers(0, 10**10)),
        gpu_ms=draw(st.integers(0, HOUR_MS)),
        measured_ms=draw(st.integers(0, HOUR_MS)),
        bucket=bucket,
        window=window,
        cluster=cluster,
        holder=draw(st.sampled_from(HOLDERS)) if bucket in HELD else None,
        currency=draw(st.sampled_from(["USD", "USD", "EUR"])),
        component=draw(st.sampled_from(["gpu", "gpu", "cpu"]).map(Component)),
    )


@st.composite
def ledgers(draw):
    """Three closed hours of two clusters; the first hours of the one were corrected since. Before and after that."""
    ledger = MemoryLedger()
    for cluster in CLUSTERS:
        for index in range(HOURS):
            posted = draw(st.lists(rows(hour(index), cluster), max_size=4))
            ledger.post(make_posting(*posted, window=hour(index), cluster=cluster))
    before = ledger.snapshot()
    for index, reason in ((0, "late-data"), (1, "price-change")):
        truth = draw(st.lists(rows(hour(index), "east"), max_size=4))
        posted = [row for row in ledger.rows(hour(index), cluster="east") if row.window == hour(index)]
        change = difference(posted, truth, 1, reason)
        ledger.post(make_posting(*change, window=hour(index), revision=1, cluster="east"))
    return before, ledger


MOMENTS = st.integers(HOUR_0.start_ms, hour(HOURS).start_ms)
SPANS = st.tuples(MOMENTS, MOMENTS).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: Window(*sorted(pair)))


def stated(ledger, span, spread_by, payer=None, **options):
    """The parts of a statement, by currency; of each team where no payer is named."""
    request = StatementRequest(
        window=str(span),
        payer={} if payer is None else {"team": payer},
        per="team",
        shared=spread_by.value,
        shares=SHARES if spread_by is Spread.FIXED else None,
    )
    document = build_statement(ledger, request, NOW_MS, **options)
    return {part["currency"]: part for part in document["parts"]}


def ledger_totals(ledger, span):
    reports = build_reports(ledger, ReportQuery(span, ("namespace",)))
    return {report.currency: report.total.cost_nanos for report in reports}


def added_up(part):
    """What an account is made of must sum to its total: lines and shared costs; and what was, with what changed."""
    for account in part["accounts"]:
        lines = [line for section in account["sections"] for line in section["lines"]]
        own = account["own"]["cost_nanos"] or 0
        assert sum(line["cost_nanos"] or 0 for line in lines) == own
        for line in lines:
            assert sum(line["components"].values()) == (line["cost_nanos"] or 0)
            parts = ("used_nanos", "idle_nanos", "unmeasured_nanos", "system_nanos")
            assert sum(line[name] for name in parts) == (line["cost_nanos"] or 0)
        assert sum(line["gpu_milliseconds"] for line in lines) == account["own"]["gpu_milliseconds"]
        assert sum(line["cost_nanos"] for line in account["shared"]) == account["shared_nanos"]
        total = account["total_nanos"] or 0
        assert own + account["shared_nanos"] == total
        assert (account["issued_nanos"] or 0) + sum(one["cost_nanos"] for one in account["adjustments"]) == total
        for one in account["adjustments"]:
            assert sum(line["cost_nanos"] for line in one["lines"]) == one["cost_nanos"]


def total_of(part, payer):
    return next((a["total_nanos"] or 0 for a in part["accounts"] if a["payer"] == {"team": payer}), 0)


@settings(max_examples=120, deadline=None)
@given(ledgers(), SPANS, RULES)
def test_all_accounts_and_what_is_left_sum_to_the_ledger(pair, span, rule):
    _, ledger = pair
    totals = ledger_totals(ledger, span)
    parts = stated(ledger, span, rule)
    for currency, part in parts.items():
        added_up(part)
        books = part["reconciliation"]
        accounts = sum(account["total_nanos"] or 0 for account in part["accounts"])
        assert accounts + books["left_nanos"] == totals.get(currency, 0)
        assert books["others"] == 0
    assert sum(sum(a["total_nanos"] or 0 for a in part["accounts"]) for part in parts.values()) + sum(
        part["reconciliation"]["left_nanos"] for part in parts.values()
    ) == sum(totals.values())


@settings(max_examples=80, deadline=None)
@given(ledgers(), SPANS, RULES, st.sampled_from(PAYERS))
def test_the_statement_of_one_payer_says_what_the_statement_of_all_says_of_it(pair, span, rule, payer):
    _, ledger = pair
    everyone, alone = stated(ledger, span, rule), stated(ledger, span, rule, payer)
    assert everyone.keys() == alone.keys()
    for currency, part in alone.items():
        added_up(part)
        assert total_of(part, payer) == total_of(everyone[currency], payer)
        books = part["reconciliation"]
        ledger_nanos = books["ledger_nanos"] or 0
        assert books["stated_nanos"] + books["others_nanos"] + books["left_nanos"] == ledger_nanos


@settings(max_examples=60, deadline=None)
@given(ledgers(), SPANS, st.sampled_from(PAYERS))
def test_without_a_rule_the_total_is_that_of_a_report_of_the_payer(pair, span, payer):
    _, ledger = pair
    parts = stated(ledger, span, Spread.NONE, payer)
    reports = build_reports(ledger, ReportQuery(span, ("namespace",), {"team": (payer,)}))
    for report in reports:
        part = parts.get(report.currency) or next(iter(parts.values()))
        assert total_of(part, payer) == report.total.cost_nanos


@settings(max_examples=60, deadline=None)
@given(ledgers(), st.tuples(MOMENTS, MOMENTS, MOMENTS).map(sorted), st.sampled_from(PAYERS))
def test_own_costs_of_neighbouring_times_sum_up(pair, moments, payer):
    _, ledger = pair
    start, middle, end = moments
    if not start < middle < end:
        return
    found = Counter()
    for span, sign in ((Window(start, middle), 1), (Window(middle, end), 1), (Window(start, end), -1)):
        for currency, part in stated(ledger, span, Spread.NONE, payer).items():
            found[currency] += sign * total_of(part, payer)
    assert not any(found.values())


@settings(max_examples=80, deadline=None)
@given(ledgers(), SPANS, RULES, st.sampled_from(PAYERS))
def test_a_statement_issued_earlier_and_its_adjustments_are_the_statement_of_now(pair, span, rule, payer):
    before, ledger = pair
    issued = stated(before, span, rule, payer)
    now = stated(ledger, span, rule, payer, earlier=Earlier(before, (5,)))
    for currency, part in now.items():
        (account,) = part["accounts"]
        assert (account["issued_nanos"] or 0) == (total_of(issued[currency], payer) if currency in issued else 0)
        added_up(part)


@settings(max_examples=60, deadline=None)
@given(ledgers(), SPANS, RULES)
def test_the_first_postings_are_what_was_before_the_corrections(pair, span, rule):
    before, ledger = pair
    first = stated(before, span, rule)
    for currency, part in stated(ledger, span, rule).items():
        for account in part["accounts"]:
            was = total_of(first[currency], account["payer"]["team"]) if currency in first else 0
            assert (account["issued_nanos"] or 0) == was


POOLS = st.lists(
    st.builds(
        Pool,
        cluster=st.sampled_from(CLUSTERS),
        bucket=st.sampled_from(["unallocated", "system"]),
        nanos=st.integers(-(10**12), 10**15),
        gpu_milliseconds=st.integers(-(10**9), 10**12),
    ),
    max_size=4,
    unique_by=lambda pool: (pool.cluster, pool.bucket),
)
OWN = st.dictionaries(
    st.sampled_from(CLUSTERS),
    st.dictionaries(
        st.sampled_from(PAYERS).map(lambda payer: (payer,)),
        st.builds(Basis, st.integers(-(10**12), 10**15), st.integers(-(10**9), 10**12)),
    ),
)


@given(POOLS, OWN, st.sampled_from([rule for rule in Spread if rule is not Spread.NONE]), st.data())
def test_each_pool_is_spread_to_the_last_nano(pools, own, kind, data):
    parts = data.draw(st.lists(st.integers(0, 50), min_size=3, max_size=3)) if kind is Spread.FIXED else []
    shares = {payer: Fraction(part, 150) for payer, part in zip(PAYERS, parts, strict=False) if part}
    found = spread(SharedRule(kind, shares=shares), pools, own)
    for pool in pools:
        place = (pool.cluster, pool.bucket)
        carried = sum(
            line.nanos for lines in found.lines.values() for line in lines if (line.cluster, line.bucket) == place
        )
        left = sum(one.nanos for one in found.left if (one.cluster, one.bucket) == place)
        assert carried + left == pool.nanos
    for payer, lines in found.lines.items():
        for line in lines:
            assert 0 < line.basis <= line.whole
            if kind is not Spread.FIXED:
                assert payer in own[line.cluster], "nobody pays for a cluster that they do not use"
