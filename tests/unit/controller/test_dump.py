"""The state dump tells what the controller knows, and no secret."""

import json
from dataclasses import replace

from aicost.adapters.kube.watching.stats import InformerStats
from aicost.entrypoints.controller.dump import dump_state
from aicost.settings import parse_settings
from support.controller import NOW, made, make_world
from support.ledger_rows import HOUR_0

SECRETS = {
    "ledger": {
        "storageOptions": {"aws_region": "eu-1"},
        "storageOptionFiles": {"aws_secret_access_key": "/etc/hunter2"},
    },
    "telemetry": {"prometheus": {"url": "http://p:9090", "basicUser": "somebody", "basicPasswordFile": "/etc/hunter2"}},
}


class Watch:
    stats = (InformerStats("pods"), InformerStats("nodes"))


def dump(world):
    return dump_state(world.app, Watch(), world.registry, world.state, NOW)


def test_it_is_json_and_names_the_source_the_windows_and_our_objects(world):
    world.registry.put(made("AIWorkload", "chat"))
    world.state.last_closed = HOUR_0
    world.state.problems["close"] = "disk full"
    found = json.loads(json.dumps(dump(world)))
    assert found["source"]["name"] == "scrape"
    assert found["ledger"]["lastClosed"] == str(HOUR_0)
    assert found["ledger"]["openComputed"] is None
    assert found["objects"] == ["AIWorkload team-a/chat"]
    assert found["problems"] == {"close": "disk full"}
    assert [watch["resource"] for watch in found["watches"]] == ["pods", "nodes"]
    assert found["open"] is None


def test_a_computed_window_is_told_in_numbers(world):
    (computed,) = world.app.refresh_open(NOW)[-1:]
    world.state.statement, world.state.defects = computed.statement, computed.defects
    found = json.loads(json.dumps(dump(world)))
    assert found["open"]["unbalancedNanos"] == 0
    assert found["open"]["unpriced"] == []


def test_no_setting_that_may_hold_a_secret_is_in_it(tmp_path):
    world = make_world(tmp_path, parse_settings(SECRETS))
    try:
        world.state.source = replace(world.state.source, origin="the Prometheus of the settings at http://p:9090")
        text = json.dumps(dump(world))
        assert "hunter2" not in text
        assert "somebody" not in text
    finally:
        world.app.stores.close()
