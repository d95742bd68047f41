"""What AIWorkloads declare beside a real Prometheus: `aicost units` says what the counts say that were kept."""

import json

import pytest
import yaml

from aicost.adapters.bundle.bundle import open_bundle
from aicost.adapters.bundle.engines import BundleEngines
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window, from_rfc3339
from aicost.entrypoints.cli.main import main
from fleet.series import Sample
from support.declared import declared_bundle, workload
from support.history.remote_write import push
from support.history.stage import prometheus
from support.served import WINDOW

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]

EARLY = "2026-03-02T08:00:00Z"
HOUR = Window(from_rfc3339("2026-03-02T09:00:00Z"), from_rfc3339("2026-03-02T10:00:00Z"))
FRONTED = {"engine": "vllm", "gateway": "litellm", "modelAliases": ["Smart"]}
QUERY = {"successes": 'sum(increase(answers_total{grade="good"}[$window]))', "failures": 'answers_total{grade="bad"}'}


def test_the_same_declaration_says_the_same_of_kept_counts_and_of_a_prometheus(tmp_path, capsys):
    body = workload(FRONTED, {"from": "gateway"})
    bundle, ledger = declared_bundle(tmp_path / "b", (EARLY, "ADDED", body)), str(tmp_path / "l")
    assert main(["replay", str(bundle), "--ledger", ledger]) == 0
    around = Window(HOUR.start_ms - HOUR_MS, HOUR.end_ms + HOUR_MS)
    with open_bundle(str(bundle)) as opened:
        counters = [
            Sample(one.name, dict(one.labels), at_ms, value)
            for one in BundleEngines(opened).series(around)
            for at_ms, value in zip(one.at_ms.tolist(), one.value.tolist(), strict=True)
        ]
    own = [
        Sample(
            "answers_total", {"namespace": "search", "grade": grade}, at_ms, each * (at_ms - around.start_ms) / 1_000
        )
        for grade, each in (("good", 3), ("bad", 1))
        for at_ms in range(around.start_ms, around.end_ms, MINUTE_MS)
    ]
    objects = tmp_path / "objects.yaml"

    def told(*words):
        capsys.readouterr()
        assert main(["units", "--ledger", ledger, "--window", WINDOW, *words, "-o", "json"]) == 0
        return json.loads(capsys.readouterr().out)

    with prometheus(tmp_path / "prometheus") as url:
        push(url, [*counters, *own])
        objects.write_text(yaml.safe_dump(body))
        live = ("--prometheus", url, "--objects", str(objects))
        for words in ((), ("--tenants", "team", "--amplification"), ("--outcomes",)):
            assert told(*live, *words) == told(*words)
        assert told(*live)["rows"][0]["success_by"] == "gateway"
        assert told("--prometheus", url)["rows"][0]["engines"] == ["sglang", "vllm"]
        objects.write_text(yaml.safe_dump(workload(FRONTED, {"from": "query", "query": QUERY})))
        (row,) = told(*live)["rows"]
        assert (row["success_by"], row["waste"]) == ("query", "25.0%")
