"""A ProviderAccount as the domain knows it, and its status."""

from aicost.crd.convert.accounts import provider_account
from aicost.crd.models.account import ProviderAccountStatus
from aicost.crd.status.accounts import account_status, fetched_figures, kept_figures
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window, from_rfc3339
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.thirdparty.accounts import ProviderAccount, days_over, why_not
from aicost.domain.thirdparty.lines import AS_NAMED, Mapped
from support.crd_samples import BASE, FULL, resource

NOON = from_rfc3339("2026-11-20T12:00:00.250Z")


def _account(name="main", **change):
    return provider_account(resource("ProviderAccount", name, BASE["ProviderAccount"] | change)).value


def test_the_least_that_is_said_has_the_name_as_its_key_and_what_is_usual():
    assert _account() == ProviderAccount(
        "main", "anthropic", "main", ("llm-keys", "anthropic"), None, AS_NAMED, 35, 6 * HOUR_MS
    )


def test_all_that_can_be_said_is_read():
    read = provider_account(resource("ProviderAccount", "other", FULL["ProviderAccount"])).value
    assert (read.name, read.account, read.provider) == ("other", "openai-main", "openai")
    assert read.url == "http://cost-proxy.finops.svc:8080/v1"
    assert read.mapped == Mapped(
        {"project_id": Dimension.TEAM, "user_id": Dimension.CUSTOMER},
        {("team", "proj-01"): "search", ("namespace", "proj_01"): "team-a"},
        frozenset({"payer"}),
    )
    assert (read.least_percent, read.through) == (75, {"api_key_id": frozenset({"key_gw", "key_gw2"})})
    assert (read.days, read.interval_ms, read.suspended) == (60, HOUR_MS, True)
    assert _account(interval="2d").interval_ms == 2 * DAY_MS


def test_a_name_too_long_for_a_key_asks_for_one():
    read = provider_account(resource("ProviderAccount", "a" * 64, BASE["ProviderAccount"]))
    assert read.value is None
    assert "give spec.account" in str(read.problems[0])
    assert _account("a" * 64, account="short").account == "short"
    assert _account("a" * 63).account == "a" * 63


def test_a_spec_that_passed_no_server_is_refused_with_its_fix():
    read = provider_account({"metadata": {"name": "a"}})
    assert {problem.field for problem in read.problems} == {"spec.provider"}


def test_what_bills_nothing_needs_no_key_and_says_so():
    read = provider_account(resource("ProviderAccount", "gw", {"provider": "counters"})).value
    assert (read.secret, read.estimates, _account().estimates) == (None, True, False)


def test_only_days_that_are_over_are_asked_for():
    midnight = from_rfc3339("2026-11-20T00:00:00Z")
    assert days_over(2, NOON) == days_over(2, midnight) == Window(midnight - 2 * DAY_MS, midnight)
    assert days_over(1, midnight - 1).end_ms == midnight - DAY_MS


def test_no_account_posts_where_the_cluster_or_another_one_does():
    mine, other = _account("b", account="shared"), _account("a", account="shared")
    assert "is the key of this cluster" in why_not(mine, "shared", [mine])
    assert "ProviderAccount a too" in why_not(mine, "c", [mine, other])
    assert why_not(other, "c", [mine, other]) == ""
    assert why_not(mine, "c", [mine, _account("a")]) == ""


def test_a_status_has_each_currency_and_nothing_that_is_not_known():
    cost = {"USD": 12_500_000_000, "EUR": 3_000_000}
    figures = fetched_figures(NOON, NOON, "2026-11", cost, 2)
    whole = account_status("main", figures, 3, [])
    read = ProviderAccountStatus.model_validate(whole)
    assert read.month_to_date.cost == "€0.0030, $12.50"
    assert [(one.currency, one.cost_nanos) for one in read.month_to_date.amounts] == [
        ("EUR", 3_000_000), ("USD", 12_500_000_000)
    ]  # fmt: skip
    assert (read.last_fetch, read.days_restated, read.account) == ("2026-11-20T12:00:00Z", 2, "main")
    assert fetched_figures(NOON, None, "2026-11", {}, 0) == {"lastFetch": "2026-11-20T12:00:00Z", "daysRestated": 0}
    assert kept_figures({**whole, "other": 1}) == figures
    assert account_status("", {}, 1, []) == {"observedGeneration": 1, "conditions": []}
