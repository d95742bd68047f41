"""ProviderAccounts from the object to the ledger: a fake API server, a played provider, a clock that is turned."""

import base64
import logging

import pytest

from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window, from_rfc3339, to_rfc3339
from aicost.domain.ledger.rows import Component
from aicost.entrypoints.controller.accounts.keys import SecretKeys
from aicost.ports.errors import ClusterUnavailable
from support.account_town import KEY, MIDNIGHT, START
from support.controller import shown
from support.cost_api import RESULT
from support.fake_api.server import EVENTS, PROVIDERS, SECRETS


async def test_what_was_billed_is_in_the_ledger_and_in_the_status(town):
    town.apply(mapping=[{"tag": "workspace_id", "dimension": "team"}])
    assert await town.round() == ["main"]
    assert town.days() == [Window(MIDNIGHT - n * DAY_MS, MIDNIGHT - (n - 1) * DAY_MS) for n in (3, 2, 1)]
    rows = town.world.ledger.rows(Window(0, START), cluster="main")
    assert {(row.component, row.holder.dimensions["team"]) for row in rows} == {(Component.API, "w1")}
    status = town.status()
    assert status["account"] == "main"
    assert status["lastFetch"] == to_rfc3339(START)
    assert status["dataThrough"] == to_rfc3339(MIDNIGHT)
    assert status["monthToDate"]["month"] == "2026-11"
    assert status["monthToDate"]["amounts"] == [{"currency": "USD", "cost": "$3.70", "costNanos": 3 * 1_234_500_000}]
    assert status["daysRestated"] == 0
    assert town.ready() == ("True", "Fetched", "Asked for 3 days: 3 new in the ledger, 0 restated.")


async def test_the_month_is_that_of_utc_and_of_no_other_account(town):
    town.now_ms = from_rfc3339("2026-12-02T01:00:00Z")
    town.apply()
    town.apply("other")
    await town.round()
    assert town.status()["monthToDate"]["month"] == "2026-12"
    for name in ("main", "other"):
        assert town.status(name)["monthToDate"]["amounts"][0]["costNanos"] == 1_234_500_000


async def test_it_is_fetched_at_its_interval_and_by_the_next_leader_not_sooner(town):
    town.apply()
    await town.round()
    assert await town.round(6 * HOUR_MS - 1) == []
    town.restart()
    assert await town.round() == []
    assert await town.round(1) == ["main"]
    town.restart()
    town.now_ms = START - 5 * HOUR_MS
    assert await town.round() == ["main"], "a moment that is yet to come is of a clock that was wrong"


async def test_a_spec_that_changed_is_fetched_at_once(town):
    town.apply()
    await town.round()
    town.apply(generation=2, since="5d")
    assert await town.round(1) == ["main"]
    assert len(town.days()) == 5
    assert town.status()["observedGeneration"] == 2
    town.restart()
    town.apply(generation=3)
    assert await town.round(1) == ["main"], "also by a leader that did not see the change"


async def test_one_that_is_being_fetched_is_nobody_elses(town):
    town.apply()
    (body,) = town.rounds.due()
    assert town.rounds.due() == []
    await town.rounds.serve(body)
    town.now_ms += 6 * HOUR_MS
    assert len(town.rounds.due()) == 1


async def test_figures_that_the_provider_corrects_are_restated(town):
    town.apply()
    await town.round()
    town.provider.results = [RESULT | {"amount": "200"}]
    await town.round(6 * HOUR_MS)
    assert town.status()["daysRestated"] == 3
    assert town.status()["monthToDate"]["cost"] == "$6.00"
    await town.round(6 * HOUR_MS)
    assert town.status()["daysRestated"] == 0


async def test_a_key_that_is_not_there_is_named_and_found_when_it_comes(town):
    town.apply(secretRef={"name": "keys", "key": "other"})
    town.apply("second", secretRef={"name": "nowhere", "key": "k"})
    await town.round()
    assert town.ready()[:2] == ("False", "KeyMissing")
    assert "Secret system/keys, key other: there is no such key" in town.ready()[2]
    assert "Secret system/nowhere, key k" in town.ready("second")[2]
    assert town.provider.asked == []
    town.key(name="other")
    assert "main" in await town.round(MINUTE_MS)
    assert town.ready()[1] == "Fetched"


@pytest.mark.parametrize("value", ["", "  \n", "two\nlines", "schl\u00fcssel"])
async def test_a_secret_without_a_usable_key_is_said_so(town, value):
    town.key(value)
    town.apply()
    await town.round()
    assert town.ready()[:2] == ("False", "KeyMissing")
    assert "Secret system/keys, key anthropic" in town.ready()[2]


async def test_a_secret_that_holds_no_text_is_said_so(town):
    town.api.put(SECRETS, "keys", "system", data={"anthropic": base64.b64encode(b"\xff\xfe").decode()})
    town.apply()
    await town.round()
    assert town.ready() == ("False", "KeyMissing", "Secret system/keys, key anthropic: holds no text")


async def test_without_the_right_to_read_secrets_it_says_what_to_set(town):
    town.api.faults.forbid = {("get", "secrets")}
    town.apply()
    await town.round()
    assert town.ready()[:2] == ("False", "NotPermitted")
    assert "providerAccounts.enabled=true" in town.ready()[2]


@pytest.mark.parametrize(("status", "reason"), [(401, "NotPermitted"), (404, "Invalid"), (503, "ProviderUnavailable")])
async def test_a_provider_that_refuses_leaves_the_figures_and_is_asked_later_and_later(town, status, reason):
    town.apply()
    await town.round()
    before = town.status()
    town.provider.faults = [(status, {})] * 100
    assert await town.round(6 * HOUR_MS) == ["main"]
    assert town.ready()[:2] == ("False", reason)
    for name in ("lastFetch", "dataThrough", "monthToDate", "daysRestated"):
        assert town.status()[name] == before[name]
    waited = []
    for _ in range(7):
        minutes = 1
        while await town.round(MINUTE_MS) == []:
            minutes += 1
        waited.append(minutes)
    assert waited == [1, 2, 4, 8, 16, 30, 30]
    town.provider.faults = []
    assert await town.round(30 * MINUTE_MS) == ["main"]
    assert town.ready()[1] == "Fetched"


async def test_no_key_is_in_a_status_an_event_or_a_log(town, caplog):
    caplog.set_level(logging.DEBUG)
    town.provider.repeats = True
    town.provider.faults = [(400, {})]
    town.apply()
    await town.round()
    assert "[key]" in town.ready()[2]
    await town.round(MINUTE_MS)
    said = str(town.api.store.all(PROVIDERS)) + str(town.api.store.all(EVENTS))
    said += "".join(str(vars(one)) for one in caplog.records)
    assert "spend not fetched" in said
    assert "spend fetched" in said
    assert KEY not in said


async def test_what_is_suspended_or_wrong_is_not_fetched(town):
    town.apply(suspend=True)
    town.apply("cluster-1")
    town.apply("second", account="third")
    town.apply("third")
    town.apply("wrong", interval="5m")
    await town.round()
    assert town.ready()[:2] == ("False", "Suspended")
    assert town.ready("cluster-1")[:2] == ("False", "Invalid")
    assert town.ready("second")[1] == "Fetched"
    assert town.ready("third")[1] == "Invalid"
    assert "ProviderAccount second too" in town.ready("third")[2]
    assert "spec.interval: '5m'" in town.ready("wrong")[2]
    assert town.world.ledger.clusters() == ["third"]
    assert not [one for one in town.api.store.all(EVENTS) if one["reason"] == "Suspended"]


async def test_a_ledger_that_fails_is_none_of_the_providers_faults(town):
    town.world.ledger.failing = "disk full"
    town.apply()
    await town.round()
    assert town.ready()[:2] == ("False", "LedgerUnavailable")
    assert "disk full" in town.ready()[2]
    town.world.ledger.failing = ""
    await town.round(MINUTE_MS)
    assert town.ready()[1] == "Fetched"


async def test_a_bug_in_one_is_said_and_does_not_stop_the_others(town, caplog):
    town.apply()
    town.bug = ZeroDivisionError("x")
    await town.round()
    assert town.ready()[:2] == ("False", "InternalError")
    assert "failed by a bug" in caplog.text
    town.bug = None
    assert await town.round(MINUTE_MS) == ["main"]
    assert town.ready()[1] == "Fetched"
    assert shown(town.world.metrics)[("aicost_failures_total", "fetch-spend", "ZeroDivisionError")] == 1


async def test_an_api_server_that_is_away_changes_nothing(town, monkeypatch):
    town.apply()

    async def away(*_):
        raise ClusterUnavailable("away")

    monkeypatch.setattr(SecretKeys, "read", away)
    assert await town.round() == ["main"]
    assert town.status() == {}
    monkeypatch.undo()
    assert await town.round(MINUTE_MS) == ["main"]
    assert town.ready()[1] == "Fetched"
