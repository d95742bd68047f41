"""The scenario of shared GPUs: its ways of sharing and its traps are there, and it conserves."""

import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fleet import cli, truth
from fleet.series import exporters
from fleet.sharing import scenario
from fleet.sharing.split import Mode
from fleet.sharing.terms import Plugin

BASE = 1_795_000_000_000
HOUR = 3_600_000


@pytest.fixture(scope="module")
def fleet():
    return scenario.fleet(BASE)


def test_each_node_is_shared_in_another_way(fleet):
    plugins = [node.sharing.plugin for node in fleet.nodes]
    slicing = [Plugin.TIME_SLICING, Plugin.TIME_SLICING]
    assert plugins == [*slicing, Plugin.DEVICE, Plugin.HAMI, Plugin.KAI, Plugin.DRA]
    assert [one.view.exporter.dialect for one in exporters(fleet)].count("aicost-agent") == 1


def test_every_exporter_answers_with_valid_text(fleet):
    for exporter in exporters(fleet):
        families = list(text_string_to_metric_families(exporter.answer(BASE + 600_000).text))
        assert sum(len(family.samples) for family in families) >= 2


@pytest.mark.parametrize("mode", Mode)
def test_an_hour_conserves_in_every_mode(fleet, mode):
    bill = truth.amounts(fleet, BASE, BASE + HOUR, rules=truth.Rules(mode))
    assert truth.totals(fleet, bill, "device") == truth.capacity(fleet, BASE, BASE + HOUR)
    pods = truth.totals(fleet, bill, "pod")
    assert "research/watch-0" not in pods
    assert len(pods) == len(fleet.pods)


def test_the_command_line_prints_its_truth_its_nodes_and_its_samples(capsys):
    span = ["--from-ms", str(BASE), "--to-ms", str(BASE + HOUR)]
    cli.main(["truth", "--scenario", "shared", *span, "--by", "bucket", "--split", "by-usage"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum(line["gpu_milliseconds"] for line in lines) == pytest.approx(10 * HOUR, abs=len(lines))
    cli.main(["nodes", "--scenario", "shared"])
    kinds = [item["kind"] for item in json.loads(capsys.readouterr().out)["items"]]
    assert kinds == ["Node"] * 6 + ["ResourceSlice"]
    cli.main(["openmetrics", "--scenario", "shared", "--from-ms", str(BASE), "--interval-ms", "600000"])
    text = capsys.readouterr().out
    assert "aicost_pod_gpu_seconds_total" in text
    assert "hami_container_device_utilization_ratio" in text
