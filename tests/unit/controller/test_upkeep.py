"""The leader's rounds look after the ledger once a day, and say aloud what retention dropped; customers have ids."""

import logging
from dataclasses import replace

import pytest

from aicost.domain.attribution.customers import CustomerIds
from aicost.domain.exact.windows import DAY_MS, HOUR_MS
from aicost.entrypoints.controller.rounds import Rounds
from aicost.ports.errors import LedgerConflict
from aicost.ports.upkeep import Compacted, Dropped
from aicost.usecases.upkeep.keep_ledger import KeepLedger
from support.builders import make_node, make_pod
from support.controller import NOW, make_world, settings_with, shown
from support.ledger_rows import CLUSTER, HOUR_0

GONE = Dropped(CLUSTER, "2025-10-01", "2025-10-03", 72, 500, {"USD": 12})


class Upkeep:
    """Notes what it is asked for."""

    def __init__(self):
        self.asked, self.failing = [], False

    def compact(self, before_ms):
        if self.failing:
            raise LedgerConflict("another writer was faster")
        self.asked.append(("compact", before_ms))
        return Compacted(("2026-11-23",), 25, 1, 0)

    def drop(self, cluster, before_ms):
        self.asked.append((f"drop {cluster}", before_ms))
        return GONE


class Publisher:
    async def keep_reports(self):
        pass

    async def publish(self):
        pass


async def note(_namespaces):
    pass


@pytest.fixture
def now(monkeypatch):
    """A clock that tests turn."""
    moment = [NOW]
    monkeypatch.setattr("aicost.entrypoints.controller.rounds.now_ms", lambda: moment[0])
    return moment


def rounds_of(world, app):
    return Rounds(app, world.registry, world.state, Publisher(), world.attempts, claimed=note)


async def test_once_a_day_days_of_before_yesterday_are_put_together_and_old_ones_dropped(tmp_path, now, caplog):
    world, upkeep = make_world(tmp_path), Upkeep()
    rounds = rounds_of(world, replace(world.app, keep=KeepLedger(CLUSTER, upkeep, 400)))
    today = NOW - NOW % DAY_MS
    with caplog.at_level(logging.WARNING, "aicost.rounds"):
        await rounds.once()
        await rounds.once()
    assert upkeep.asked == [(f"drop {CLUSTER}", today - 400 * DAY_MS), ("compact", today - DAY_MS)]
    (said,) = [one for one in caplog.records if one.message == "retention dropped rows for good"]
    assert said.levelno == logging.WARNING
    told = shown(world.metrics)
    assert told["aicost_ledger_rows_dropped_total",] == 500
    assert (told["aicost_ledger_files", "before"], told["aicost_ledger_files", "after"]) == (25, 1)
    now[0] += DAY_MS
    await rounds.once()
    assert len(upkeep.asked) == 4
    world.app.stores.close()


async def test_upkeep_that_fails_is_tried_again_and_holds_up_nothing(tmp_path, now):
    world, upkeep = make_world(tmp_path), Upkeep()
    upkeep.failing = True
    now[0] = HOUR_0.end_ms + 2 * HOUR_MS
    rounds = rounds_of(world, replace(world.app, keep=KeepLedger(CLUSTER, upkeep, 0)))
    await rounds.once()
    assert world.state.problems["upkeep"] == "another writer was faster"
    assert world.state.last_closed is not None
    upkeep.failing = False
    await rounds.once()
    assert "upkeep" not in world.state.problems
    assert [name for name, _ in upkeep.asked] == ["compact"]  # nothing is ever dropped without the setting
    world.app.stores.close()


async def test_what_was_dropped_is_said_even_if_the_files_cannot_be_put_together(tmp_path, now, caplog):
    world, upkeep = make_world(tmp_path), Upkeep()
    upkeep.failing = True
    with caplog.at_level(logging.WARNING, "aicost.rounds"):
        await rounds_of(world, replace(world.app, keep=KeepLedger(CLUSTER, upkeep, 400))).once()
    assert "retention dropped rows for good" in [one.message for one in caplog.records]
    world.app.stores.close()


async def test_a_customer_is_posted_under_an_id_and_by_no_name(tmp_path, now):
    (tmp_path / "key").write_text("0123456789abcdef")
    world = make_world(tmp_path, settings_with(privacy={"customerKeyFile": str(tmp_path / "key")}))
    inventory, begin = world.app.stores.inventory, HOUR_0.start_ms
    inventory.node_seen(make_node("n1").gpus(1).created(begin).facts(), begin)
    pod = make_pod("team-a", "chat-0").gpus(1).on("n1").bound(begin).facts()
    inventory.pod_seen(replace(pod, labels={"aicost.dev/customer": "Secret Corp"}), begin, live=True)
    now[0] = HOUR_0.end_ms + 2 * HOUR_MS
    await rounds_of(world, world.app).once()
    rows = world.ledger.rows(HOUR_0)
    held = [row for row in rows if row.holder.pod == "chat-0"]
    assert held
    wanted = CustomerIds(b"0123456789abcdef").id_of("secret-corp")
    assert {row.holder.dimensions["customer"] for row in held} == {wanted}
    assert "secret" not in repr(rows).lower()
    world.app.stores.close()
