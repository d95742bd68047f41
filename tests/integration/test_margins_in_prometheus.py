"""Queries of one's own against a real Prometheus: who asked for how much, and what they bring."""

import json

import pytest

from aicost.adapters.bundle.bundle import open_bundle
from aicost.adapters.bundle.engines import BundleEngines
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS, Window, from_rfc3339
from aicost.entrypoints.cli.main import main
from fleet.series import Sample
from support.featured import WINDOW, featured_bundle
from support.history.remote_write import push
from support.history.stage import prometheus

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200)]

FIRST = Window(from_rfc3339("2026-03-02T09:00:00Z"), from_rfc3339("2026-03-02T10:00:00Z"))
AROUND = Window(FIRST.start_ms - HOUR_MS, FIRST.end_ms + HOUR_MS)


def test_who_asked_and_what_they_bring_by_queries(tmp_path, capsys):
    bundle, ledger = featured_bundle(tmp_path / "b"), str(tmp_path / "l")
    assert main(["replay", str(bundle), "--ledger", ledger]) == 0
    with open_bundle(str(bundle)) as opened:
        counters = [
            Sample(one.name, dict(one.labels), at_ms, value)
            for one in BundleEngines(opened).series(AROUND)
            for at_ms, value in zip(one.at_ms.tolist(), one.value.tolist(), strict=True)
        ]
    own = [
        Sample(name, {"customer": customer, **labels}, at_ms, (at_ms - FIRST.start_ms + HOUR_MS) / MINUTE_MS * each)
        for name, customer, labels, each in (
            ("app_tokens_total", "Acme", {"model": "llama"}, 30),
            ("app_tokens_total", "globex", {"model": "llama"}, 10),
            ("revenue_usd_total", "acme", {}, 0.10),
        )
        for at_ms in range(FIRST.start_ms - HOUR_MS, FIRST.end_ms + HOUR_MS, MINUTE_MS)
    ]
    with prometheus(tmp_path / "prometheus") as url:
        push(url, [*counters, *own])
        places = ["--ledger", ledger, "--prometheus", url, "--window", WINDOW, "-o", "json"]
        capsys.readouterr()
        query = "sum by (customer, model) (increase(app_tokens_total[$window]))"
        assert main(["units", *places, "--tenants", "customer", "--tenants-query", query]) == 0
        rows = {one["keys"]["controller"]: one for one in json.loads(capsys.readouterr().out)["rows"]}
        query = "sum by (customer) (increase(revenue_usd_total[$window]))"
        assert main(["margin", *places, "--value-query", query, "--value-currency", "USD"]) == 0
        margins = {one["name"]: one for one in json.loads(capsys.readouterr().out)["rows"]}
    told = rows["Pod/shared-0"]["tenants"]
    assert told["gateway"] == "query"
    assert {one["tenant"]: one["cost_nanos"] for one in told["shares"]} == {
        "acme": 27 * 10**8, "globex": 9 * 10**8, None: 0,
    }  # fmt: skip
    assert rows["Pod/llm-0"]["tenants"]["shares"] == []
    # 10 cents a minute for an hour; what gateways count stands beside the label
    assert margins["acme"]["value_nanos"] == pytest.approx(6 * 10**9, rel=0.02)
    assert margins["acme"]["cost_nanos"] == 54 * 10**8
