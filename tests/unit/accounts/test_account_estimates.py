"""Gateways as accounts: estimates that a bill takes back, how much of a bill they saw, and whom they must not name."""

from dataclasses import replace

import pytest

from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window, from_rfc3339, to_rfc3339
from aicost.domain.serving.counted import WindowCounts, rows_of
from aicost.domain.serving.tenants import Asked, TenantCount
from aicost.entrypoints.controller.accounts.fetching import Fetcher
from aicost.entrypoints.controller.accounts.keys import SecretKeys
from support.account_town import KEY, MIDNIGHT, START
from support.controller import settings_with
from support.http_server import serving
from support.ledger_rows import CLUSTER
from support.litellm_api import Gateway, request_row

NANOS = 10**9
LAST = Window(MIDNIGHT - DAY_MS, MIDNIGHT)


def requests(spend, *days, **changes):
    return [
        request_row(f"{day}", to_rfc3339(MIDNIGHT - day * DAY_MS + HOUR_MS), spend=spend, **changes) for day in days
    ]


@pytest.fixture
def gateway(town):
    """A gateway that saw a dollar on each of three days, and a dollar today."""
    played = Gateway(requests(1.0, 1, 2, 3, 0, end_user="Acme Corp"))
    with serving(played) as served:
        town.apply("gw", provider="litellm", url=served.url, since="3d")
        yield played


def cost(town):
    return sum(row.cost_nanos for row in town.world.ledger.rows(Window(0, MIDNIGHT))) / NANOS


async def test_what_a_gateway_saw_counts_until_the_bill_comes_and_the_status_says_how_much_it_saw(town, gateway):
    assert await town.round() == ["gw"]
    assert cost(town) == 3
    assert town.condition("Captured", "gw")[:2] == ("Unknown", "NothingToCompare")
    town.apply("main", capture={"minPercent": 85})
    assert await town.round() == ["main"]
    assert cost(town) == pytest.approx(3 * 1.2345)
    capture = town.status()["capture"]
    assert (capture["billed"], capture["seen"], capture["percent"], capture["shadow"]) == (
        "$3.70", "$3.00", "81.0%", "$0.70",
    )  # fmt: skip
    assert (capture["billedNanos"], capture["seenNanos"], capture["currency"]) == (3_703_500_000, 3 * NANOS, "USD")
    assert town.condition("Captured")[:2] == ("False", "BelowMinimum")
    assert "81.0% of $3.70 billed, less than spec.capture.minPercent 85" in town.condition("Captured")[2]
    town.apply("main", generation=2, capture={"minPercent": 80})
    await town.round()
    assert town.condition("Captured")[:2] == ("True", "Captured")


async def test_keys_that_are_not_the_gateways_are_the_shadow(town, gateway):
    await town.round()
    town.apply("main", capture={"through": [{"tag": "workspace_id", "values": ["w1"]}]})
    await town.round()
    assert town.status()["capture"]["shadow"] == "$0.00"
    town.apply("main", generation=2, capture={"through": [{"tag": "workspace_id", "values": ["w2"]}]})
    await town.round()
    assert town.status()["capture"]["shadow"] == "$3.70"


async def test_today_is_provisional_until_a_moment_ago(town, gateway):
    await town.round()
    today = town.world.ledger.rows(Window(MIDNIGHT, START), provisional=True)
    assert [row.cost_nanos for row in today] == [NANOS]
    assert today[0].window == Window(MIDNIGHT, START - 5 * 60_000)
    assert cost(town) == 3


async def test_a_gateway_that_is_away_leaves_what_is_known_of_the_bill(town, gateway):
    await town.round()
    town.apply("main")
    await town.round()
    before = town.status()
    town.provider.faults = [(401, {})]
    assert "main" in await town.round(6 * HOUR_MS)
    assert town.ready()[:2] == ("False", "NotPermitted")
    assert town.status()["capture"] == before["capture"]
    assert town.condition("Captured")[:2] == ("False", "BelowMinimum")


async def test_a_gateway_tells_what_it_left_out(town, gateway):
    gateway.rows += requests(9.0, 2, custom_llm_provider="hosted_vllm", request_id="here")
    await town.round()
    assert "1 requests to models that are served here were left out" in town.ready("gw")[2]
    assert cost(town) == 3


def with_settings(town, **sections):
    app = replace(town.world.app, settings=settings_with(**sections))
    town.rounds._fetcher = Fetcher(app, SecretKeys(town.client, "system"), town._ask)


async def test_customers_are_named_nowhere_where_the_settings_want_ids(town, gateway, tmp_path):
    (tmp_path / "customers").write_text("0123456789abcdef0123456789abcdef")
    with_settings(town, privacy={"customerKeyFile": str(tmp_path / "customers")})
    await town.round()
    rows = [*town.world.ledger.rows(Window(0, START)), *town.world.ledger.rows(Window(0, START), provisional=True)]
    assert {row.holder.dimensions["customer"][:2] for row in rows} == {"c-"}
    assert "acme" not in repr(rows).lower()


async def test_days_that_the_ledger_does_not_keep_are_not_asked_for(town, gateway):
    with_settings(town, ledger={"retentionDays": 35})
    town.apply("gw", generation=2, provider="litellm", url=gateway_url(town), since="60d")
    await town.round()
    assert "Asked for 35 days" in town.ready("gw")[2]


def gateway_url(town):
    (body,) = (one for one in town.world.registry.of_kind("ProviderAccount") if one["metadata"]["name"] == "gw")
    return body["spec"]["url"]


async def test_counted_tokens_need_no_key_and_are_priced_by_a_list(town):
    town.now_ms = from_rfc3339("2026-03-03T12:00:00Z")
    day = from_rfc3339("2026-03-02T00:00:00Z")
    window = Window(day, day + HOUR_MS)
    asked = (TenantCount("litellm", "claude-sonnet-4-5", {}, Asked(computed=10**6)),)
    town.world.app.counts.keep(CLUSTER, window, 0, rows_of(WindowCounts(window, asked=asked)))
    body = {"provider": "counters", "secretRef": None, "since": "3d"}
    town.apply("counted", **body)
    await town.round()
    assert town.ready("counted")[:2] == ("True", "Fetched")
    (row,) = town.world.ledger.rows(Window(day, day + DAY_MS), cluster="counted")
    assert (row.cost_nanos, row.place.provider, row.list_price) == (3 * NANOS, "anthropic", True)
    assert KEY not in repr(town.status("counted"))
