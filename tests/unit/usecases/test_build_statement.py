"""What a statement says of a month whose figures are known."""

import pytest

from aicost.domain.exact.windows import HOUR_MS, Window, to_rfc3339
from aicost.domain.ledger.rows import Bucket, Component
from aicost.domain.reporting.query import ReportQuery
from aicost.domain.statements.document import check_document
from aicost.ports.errors import InvalidRequest
from aicost.usecases.build_report import build_reports
from aicost.usecases.build_statement import Earlier, StatementRequest, build_statement
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import CLUSTER, hour, make_holder, make_posting, make_row
from support.statements import ISSUED_MS, OCTOBER, PRICE, correct, fill, month


def request(**options) -> StatementRequest:
    return StatementRequest(**{"window": "2026-10", "time_zone": "Europe/Berlin", **options})


def state(ledger=None, now_ms=ISSUED_MS, **options):
    given = {name: options.pop(name) for name in ("cluster", "earlier", "ledgers") if name in options}
    return build_statement(ledger or month(), request(**options), now_ms, **given)


def only(document):
    (part,) = document["parts"]
    (account,) = part["accounts"]
    return account


def lines(account):
    return {tuple(line["keys"]): line for section in account["sections"] for line in section["lines"]}


def test_a_month_begins_and_ends_at_midnight_of_the_zone_also_where_clocks_change() -> None:
    period = state(payer={"team": "vision"})["period"]
    assert (period["from"], period["to"]) == ("2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z")
    assert OCTOBER.length_ms == 745 * HOUR_MS
    assert period["complete"]
    assert not period["prorated"]


def test_lines_are_by_cost_centre_first_and_sum_to_subtotals() -> None:
    account = only(state(payer={"team": "vision"}))
    assert [section["value"] for section in account["sections"]] == ["cc-100", "cc-200"]
    for section in account["sections"]:
        assert section["cost_nanos"] == sum(line["cost_nanos"] for line in section["lines"])
    chat = lines(account)["cc-100", "search", "", "Deployment/chat", "llama-3.1-70b", "assistant"]
    assert chat["cost_nanos"] == 8 * PRICE - PRICE // 10
    assert chat["gpu_milliseconds"] == 8 * HOUR_MS
    assert chat["used_nanos"] + chat["idle_nanos"] == chat["cost_nanos"]


def test_a_statement_by_other_keys_has_the_same_total() -> None:
    usual, other = (only(state(payer={"team": "vision"}, by=by)) for by in ((), ("node", "model")))
    assert usual["total_nanos"] == other["total_nanos"]
    assert set(lines(other)) == {("node-1", "llama-3.1-70b"), ("node-1", "resnet-50")}


def test_without_a_rule_the_total_is_that_of_a_report_and_the_rest_stays_with_the_platform() -> None:
    ledger = month()
    document = state(ledger, payer={"team": "vision"})
    (report,) = build_reports(ledger, ReportQuery(OCTOBER, ("namespace",), {"team": ("vision",)}))
    assert only(document)["total_nanos"] == report.total.cost_nanos
    books = document["parts"][0]["reconciliation"]
    (whole,) = build_reports(ledger, ReportQuery(OCTOBER, ("namespace",)))
    assert books["ledger_nanos"] == whole.total.cost_nanos
    assert {(one["cluster"], one["bucket"]) for one in books["left"]} == {
        ("east", "unallocated"),
        ("east", "unhealthy"),
        ("west", "unallocated"),
    }
    assert books["left_nanos"] == whole.idle.cost_nanos


def test_shared_costs_go_by_own_cost_within_each_cluster() -> None:
    account = only(state(payer={"team": "vision"}, shared="cost"))
    by_place = {(line["cluster"], line["bucket"]): line for line in account["shared"]}
    assert set(by_place) == {
        ("east", "system"),
        ("east", "unallocated"),
        ("east", "unhealthy"),
        ("west", "system"),
        ("west", "unallocated"),
    }
    west = by_place["west", "unallocated"]
    assert west["basis"] == 4 * PRICE
    assert west["whole"] == 4 * (2 * PRICE + PRICE // 3)
    assert west["pool_nanos"] == 4 * (PRICE - PRICE // 3 - 1_000_001)
    assert west["cost_nanos"] == pytest.approx(west["pool_nanos"] * west["basis"] / west["whole"], abs=1)


def test_who_is_not_in_a_cluster_pays_nothing_for_it() -> None:
    ledger = MemoryLedger()
    for cluster, team in (("east", "vision"), ("west", "recs")):
        own = make_row(100, holder=make_holder(team=team), window=hour(0), cluster=cluster)
        free = make_row(50, bucket=Bucket.UNALLOCATED, window=hour(0), cluster=cluster)
        ledger.post(make_posting(own, free, window=hour(0), cluster=cluster))
    for rule in ("cost", "gpu-hours", "even"):
        account = only(
            state(ledger, hour(9).end_ms, payer={"team": "vision"}, window=str(hour(0)), shared=rule, time_zone="UTC")
        )
        assert [(line["cluster"], line["cost_nanos"]) for line in account["shared"]] == [("east", 50)]


def test_only_the_buckets_that_are_named_are_shared() -> None:
    document = state(payer={"team": "vision"}, shared="even", shared_buckets=("unhealthy",))
    account = only(document)
    assert {line["bucket"] for line in account["shared"]} == {"unhealthy"}
    assert "unallocated" in {one["bucket"] for one in document["parts"][0]["reconciliation"]["left"]}


def test_fixed_shares_leave_the_rest_with_the_platform_and_bind_teams_without_cost() -> None:
    shares = {"vision": "40%", "nobody": 0.25}
    document = state(per="team", shared="fixed", shares=shares)
    accounts = {account["payer"]["team"]: account for account in document["parts"][0]["accounts"]}
    books = document["parts"][0]["reconciliation"]
    pool = sum(line["pool_nanos"] for line in accounts["vision"]["shared"])
    assert accounts["vision"]["shared_nanos"] == pytest.approx(pool * 0.40, abs=5)
    assert accounts["nobody"]["total_nanos"] == accounts["nobody"]["shared_nanos"] == pytest.approx(pool / 4, abs=5)
    assert books["left_nanos"] == pytest.approx(pool * 0.35, abs=5)
    assert accounts["recs"]["shared"] == []


def test_system_cost_is_its_holders_own_unless_it_is_shared() -> None:
    own = only(state(payer={"namespace": "gpu-operator"}))
    assert own["own"]["system_nanos"] == own["total_nanos"] == 8 * 1_000_001 - 100_001
    shared = only(state(payer={"namespace": "gpu-operator"}, shared="cost"))
    assert shared["total_nanos"] == 0
    assert not shared["shared"]


def test_untagged_cost_is_a_payer_and_carries_its_part() -> None:
    account = only(state(payer={"team": "untagged"}, shared="cost"))
    assert account["own"]["cost_nanos"] == 8 * (PRICE // 3) - PRICE // 30
    assert account["shared_nanos"] > 0


def test_corrections_are_adjustments_by_their_reason() -> None:
    account = only(state(payer={"team": "recs"}))
    adjusted = {one["reason"]: one for one in account["adjustments"]}
    assert adjusted["price-change"]["cost_nanos"] == -PRICE // 10
    assert adjusted["retag finops/recs"]["cost_nanos"] == PRICE
    assert adjusted["retag finops/recs"]["gpu_milliseconds"] == HOUR_MS
    assert (adjusted["price-change"]["windows"], adjusted["price-change"]["from"]) == (1, "2026-09-30T22:00:00Z")
    assert account["issued_nanos"] == 8 * PRICE
    assert account["total_nanos"] == 9 * PRICE - PRICE // 10


def test_a_retag_takes_from_one_payer_what_it_gives_to_another() -> None:
    accounts = state(per="team")["parts"][0]["accounts"]
    found = [one for account in accounts for one in account["adjustments"] if one["reason"] == "retag finops/recs"]
    assert sorted(one["cost_nanos"] for one in found) == [-PRICE, PRICE]


def test_what_changed_since_an_earlier_statement() -> None:
    ledger = MemoryLedger()
    fill(ledger)
    before = ledger.snapshot()
    issued = only(state(before, payer={"team": "vision"}, shared="cost"))
    correct(ledger)
    account = only(state(ledger, payer={"team": "vision"}, shared="cost", earlier=Earlier(before, (11,))))
    assert account["issued_nanos"] == issued["total_nanos"]
    assert [one["reason"] for one in account["adjustments"]] == ["price-change", "retag finops/recs", "shared-costs"]
    assert account["issued_nanos"] + account["adjusted_nanos"] == account["total_nanos"]


def test_windows_that_were_closed_since_are_an_adjustment_of_their_own() -> None:
    ledger, before = month(), MemoryLedger()
    account = only(state(ledger, payer={"team": "vision"}, earlier=Earlier(before, (0,))))
    assert account["issued_nanos"] == 0
    assert "closed-later" in {one["reason"] for one in account["adjustments"]}


def test_a_month_that_is_not_over_or_not_closed_is_said_to_be_open() -> None:
    early = ISSUED_MS - 10 * 24 * HOUR_MS
    assert not state(payer={"team": "vision"}, now_ms=early)["period"]["complete"]
    ledger = MemoryLedger()
    assert not state(ledger, payer={"team": "vision"})["period"]["complete"]


def test_a_zone_with_half_an_hour_cuts_windows_and_says_so() -> None:
    ledger = MemoryLedger()
    start, end = OCTOBER.start_ms - 7 * HOUR_MS // 2, OCTOBER.end_ms - 9 * HOUR_MS // 2
    for moment in (start, end):
        window = Window(moment - HOUR_MS // 2, moment + HOUR_MS // 2)
        ledger.post(make_posting(make_row(101, holder=make_holder(team="vision"), window=window), window=window))
    document = state(ledger, payer={"team": "vision"}, time_zone="Asia/Kolkata")
    assert (document["period"]["from"], document["period"]["to"]) == (to_rfc3339(start), to_rfc3339(end))
    assert document["period"]["prorated"]
    assert only(document)["total_nanos"] == 51 + 50, "the second half of the first window, the first half of the last"
    assert document["posted"][0]["windows"] == 2


def test_currencies_are_never_added_and_unpriced_time_joins_the_only_one() -> None:
    ledger = MemoryLedger()
    holder = make_holder(team="vision")
    ledger.post(
        make_posting(
            make_row(100, holder=holder, window=hour(0)),
            make_row(7, holder=holder, window=hour(0), currency="EUR", device="GPU-2"),
        )
    )
    span = str(hour(0))
    parts = state(ledger, hour(9).end_ms, payer={"team": "vision"}, window=span, time_zone="UTC")["parts"]
    assert [(part["currency"], part["total_nanos"]) for part in parts] == [("USD", 100), ("EUR", 7)]
    unpriced = MemoryLedger()
    unpriced.post(
        make_posting(
            make_row(None, holder=holder, window=hour(0), currency=""),
            make_row(9, window=hour(0), holder=make_holder(team="recs"), device="GPU-2"),
        )
    )
    account = only(state(unpriced, hour(9).end_ms, payer={"team": "vision"}, window=span, time_zone="UTC"))
    assert account["own"]["cost_nanos"] is account["total_nanos"] is account["sections"][0]["cost_nanos"] is None
    assert account["own"]["unpriced_gpu_milliseconds"] == 600_000


def test_it_tells_how_many_windows_have_rows_of_those_that_could() -> None:
    ledger = MemoryLedger()
    for offset in (0, 1, 4):
        ledger.post(
            make_posting(make_row(5, holder=make_holder(team="vision"), window=hour(offset)), window=hour(offset))
        )
    whole = Window(hour(0).start_ms - HOUR_MS, hour(5).end_ms)
    options = {"payer": {"team": "vision"}, "time_zone": "UTC"}
    for span, windows, expected in (
        (whole, 3, 5),
        (hour(1), 1, 1),
        (Window(hour(0).start_ms + 1, hour(2).end_ms), 2, 3),
    ):
        (posted,) = state(ledger, hour(9).end_ms, window=str(span), **options)["posted"]
        assert (posted["windows"], posted["expected_windows"]) == (windows, expected)


def test_a_price_that_comes_late_is_an_adjustment_from_nothing_known() -> None:
    ledger = MemoryLedger()
    holder = make_holder(team="vision")
    ledger.post(make_posting(make_row(None, holder=holder, currency="")))
    gone = make_row(
        None, gpu_ms=-600_000, measured_ms=-600_000, holder=holder, currency="", revision=1, reason="price-change"
    )
    there = make_row(900, holder=holder, revision=1, reason="price-change")
    ledger.post(make_posting(gone, there, revision=1))
    account = only(state(ledger, hour(9).end_ms, payer={"team": "vision"}, window=str(hour(0)), time_zone="UTC"))
    assert (account["issued_nanos"], account["adjusted_nanos"], account["total_nanos"]) == (None, 900, 900)
    assert account["adjustments"][0]["gpu_milliseconds"] == 0
    assert account["own"]["unpriced_gpu_milliseconds"] == 0


def test_components_have_lines_and_figures_of_their_own() -> None:
    ledger = MemoryLedger()
    holder = make_holder(team="vision")
    common = {"holder": holder, "gpu_ms": 0, "measured_ms": 0, "error": None}
    ledger.post(
        make_posting(
            make_row(100, holder=holder),
            make_row(30, component=Component.CPU, quantity=7_200_000, **common),
            make_row(None, component=Component.STORAGE, quantity=5, **common),
        )
    )
    options = {"payer": {"team": "vision"}, "window": str(hour(0)), "time_zone": "UTC"}
    account = only(state(ledger, hour(9).end_ms, **options))
    (line,) = lines(account).values()
    assert {name: nanos for name, nanos in line["components"].items() if nanos} == {"cpu": 30, "gpu": 100}
    assert line["quantities"] == {"cpu": 7_200_000, "storage": 5}
    document = state(ledger, hour(9).end_ms, by=("component",), **options)
    costs = {keys: line["cost_nanos"] for keys, line in lines(only(document)).items()}
    assert costs == {("gpu",): 100, ("cpu",): 30, ("storage",): None}
    assert document["not_covered"] == ["memory", "storage", "network", "api"]


def test_the_open_window_counts_and_is_flagged() -> None:
    ledger = MemoryLedger()
    ledger.post(make_posting(make_row(100, holder=make_holder(team="vision"))))
    part = Window(hour(1).start_ms, hour(1).start_ms + 60_000)
    ledger.replace_provisional(CLUSTER, part, [make_row(5, holder=make_holder(team="vision"), window=part)])
    document = state(ledger, part.end_ms, payer={"team": "vision"}, window="24h", time_zone="UTC")
    account = only(document)
    assert (account["total_nanos"], account["own"]["provisional_nanos"]) == (105, 5)
    assert not document["period"]["complete"]
    assert document["posted"][0]["windows"] == 1


def test_the_same_figures_get_the_same_number_and_others_another() -> None:
    first = state(payer={"team": "vision"}, ledgers=[{"place": "a", "version": 3}])
    again = state(payer={"team": "vision"}, now_ms=ISSUED_MS + HOUR_MS, ledgers=[{"place": "b", "version": 9}])
    assert first["number"] == again["number"]
    assert first["number"].startswith("2026-10-vision-")
    assert check_document(first) == first
    other = state(payer={"team": "vision"}, shared="even")
    assert other["number"] != first["number"]


def test_a_document_that_was_changed_does_not_pass_its_checksum() -> None:
    document = state(payer={"team": "vision"})
    document["parts"][0]["accounts"][0]["total_nanos"] -= 1
    with pytest.raises(ValueError, match="was changed"):
        check_document(document)


def test_closed_books_tell_nothing_of_others() -> None:
    document = state(payer={"team": "vision"}, open_books=False)
    assert document["parts"][0]["reconciliation"] is None
    assert only(document)["total_nanos"] == only(state(payer={"team": "vision"}))["total_nanos"]
    text = repr(document)
    assert "recs" not in text.replace("retag finops/recs", "")
    assert state(payer={"team": "visio"}, open_books=False)["near"] == []


class Watched(MemoryLedger):
    """A ledger that tells which groups were asked for without naming a payer."""

    def sums(self, span, keys, filters, *, cluster=None):
        if keys and not filters:
            self.failing = f"{keys} of everybody"
        return super().sums(span, keys, filters, cluster=cluster)


@pytest.mark.parametrize("open_books", [True, False])
def test_with_closed_books_no_group_of_another_is_read(open_books) -> None:
    ledger = Watched()
    fill(ledger)
    state(ledger, payer={"team": "vision"}, open_books=open_books)
    assert bool(ledger.failing) is open_books


def test_a_payer_without_cost_is_told_who_is_spelt_like_it() -> None:
    document = state(payer={"team": "visoin"})
    assert document["near"] == ["vision"]
    assert only(document)["total_nanos"] == 0


def test_the_lines_beyond_the_limit_are_one_and_sum_up() -> None:
    whole, cut = (only(state(payer={"cluster": "east"}, by=("namespace",), limit=limit)) for limit in (None, 1))
    assert [line["merged_lines"] for line in lines(whole).values()] == [0, 0, 0, 0]
    assert [line["merged_lines"] for line in lines(cut).values()] == [0, 3]
    assert sum(line["cost_nanos"] for line in lines(cut).values()) == whole["total_nanos"] == cut["total_nanos"]


def test_one_cluster_alone() -> None:
    east, west, both = (only(state(payer={"team": "vision"}, cluster=name)) for name in ("east", "west", None))
    assert east["total_nanos"] + west["total_nanos"] == both["total_nanos"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": "2026-13"}, "window: '2026-13'"),
        ({"time_zone": "Mars/Olympus"}, "timeZone: 'Mars/Olympus'"),
        ({"per": "tema"}, "did you mean 'team'"),
        ({"payer": {"tema": "x"}}, "payer: 'tema' is no key"),
        ({"by": ("modle",)}, "did you mean 'model'"),
        ({"by": ("reason",)}, "by: 'reason' is no key"),
        ({"payer": {"team": ""}}, "team: '' is no name"),
        ({"payer": {"team": "x" * 300}}, "is no name"),
        ({"shared": "fair"}, "use none, cost, gpu-hours, even, fixed"),
        ({"shared_buckets": ("used",), "shared": "even"}, "shared-buckets: 'used' is not shared"),
        ({"shared": "fixed"}, "name a file with --shares"),
        ({"shares": {"a": 1}}, "leave --shares out"),
        ({"shared": "fixed", "shares": {"a": 0.7, "b": "40%"}}, "110 % in all"),
        ({"shared": "fixed", "shares": {"a": "much"}}, "'a' has 'much'"),
        ({"shared": "fixed", "shares": {"a": -0.1}}, "'a' has '-0.1'"),
        ({"shared": "fixed", "shares": {"a": float("nan")}}, "'a' has 'nan'"),
        ({"shared": "fixed", "shares": {"a": True}}, "'a' has 'True'"),
        ({"shared": "fixed", "shares": {"a": "1e-400000000"}}, "'a' has '1e-400000000'"),
        ({"shared": "fixed", "shares": {"a": "1/0"}}, "'a' has '1/0'"),
        ({"shared": "fixed", "shares": {"a": 1}, "payer": {"team": "x", "namespace": "n"}}, "name one payer"),
        ({"limit": 0}, "limit: 0"),
        ({"open_books": False, "payer": {"team": "x"}, "shared": "cost"}, "takes the right to see all namespaces"),
        ({"open_books": False}, "name one, such as your team"),
    ],
)
def test_a_request_that_makes_no_sense_names_the_field_and_the_fix(options, message) -> None:
    with pytest.raises(InvalidRequest) as refused:
        state(**options)
    assert message in str(refused.value)
