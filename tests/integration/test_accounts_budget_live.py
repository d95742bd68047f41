"""What a provider bills moves budgets and stands in reports of the cluster, by the chart's own controller."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, to_rfc3339
from support.budget_town import OURS, QUICK, Town, open_town
from support.cluster import LiveCluster
from support.cost_api import Anthropic
from support.crd_samples import resource
from support.http_server import serving
from support.litellm_api import Gateway, request_row

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]

KEYS = {"anthropic": "sk-ant-admin", "litellm": "sk-master"}
BILL = {"amount": "100000.00", "currency": "USD", "model": "claude-sonnet-5", "workspace_id": "wrkspc_01"}
"""$1,000 of a day: the API counts in cents."""
SEEN = 600
"""Dollars that the gateway saw of each day."""
MAPPING = [{"tag": "workspace_id", "dimension": "team", "values": [{"value": "wrkspc_01", "name": "vision"}]}]
LADDER = [
    {"name": "tell", "gate": "Notify", "basis": "Actual", "atPercent": 50, "evaluations": 1},
    {"name": "freeze", "gate": "FreezeGrowth", "basis": "Actual", "atPercent": 70, "evaluations": 1},
    {"name": "no-more", "gate": "DenyNew", "basis": "Actual", "atPercent": 90, "evaluations": 1},
]
PERIOD = {"type": "Rolling", "length": "7d"}


class Billed:
    """A town with a provider and a gateway."""

    def __init__(self, town: Town, provider: str, gateway: str) -> None:
        self.town, self.provider, self.gateway = town, provider, gateway

    def account(self, name: str, provider: str, **spec: Any) -> str:
        """Connect a provider; the path of the account."""
        body = {"provider": provider, "since": "3d", "secretRef": {"name": "llm-keys", "key": provider}, **spec}
        self.town.cluster.apply(resource("ProviderAccount", name, body))
        return f"{OURS}/provideraccounts/{name}"


@pytest.fixture(scope="module")
def billed(cluster: LiveCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Billed]:
    if cluster.local is None:
        pytest.skip("needs the local kubelet; this is a cluster that somebody else made")
    midnight = now_ms() // DAY_MS * DAY_MS
    rows = [
        request_row(f"day-{day}", to_rfc3339(midnight - day * DAY_MS + HOUR_MS), spend=float(SEEN)) for day in (1, 2, 3)
    ]
    settings = (
        "budgets.intervalSeconds=1", "providerAccounts.enabled=true", "providerAccounts.secretNames={llm-keys}",
    )  # fmt: skip
    with (
        serving(Anthropic(results=(BILL,))) as provider,
        serving(Gateway(rows)) as gateway,
        open_town(cluster, tmp_path_factory.mktemp("fleet"), *settings) as town,
    ):
        data = {name: base64.b64encode(key.encode()).decode() for name, key in KEYS.items()}
        secrets = f"/api/v1/namespaces/{town.controller.release.namespace}/secrets"
        cluster.api.create(secrets, {"metadata": {"name": "llm-keys"}, "data": data})
        yield Billed(town, provider.url, gateway.url)


def gate(budget: dict[str, Any]) -> str:
    return str(budget.get("status", {}).get("gate", ""))


def test_a_gateways_estimate_moves_a_budget_the_bill_moves_it_on_and_a_report_has_it(billed: Billed) -> None:
    town = billed.town
    scope = {"dimensions": {"team": ["vision", "search"]}}
    careful = {
        **QUICK,
        "coverageOverride": {"minCoverage": "0.50", "reason": "a test without history", "approvedBy": "the tests"},
    }
    spec = {
        "limit": "3100", "currency": "USD", "mode": "Enforce", "maxGate": "DenyNew", "ladder": LADDER,
        "period": PERIOD, "scope": scope, "nudges": [], "enforcement": careful,
    }  # fmt: skip
    town.cluster.apply(resource("ClusterBudget", "models", spec))
    budget = f"{OURS}/clusterbudgets/models"
    town.until(budget, lambda it: "spent" in it.get("status", {}), 120)

    # 1. What the gateway saw of three days, at its list prices: $1,800 of $3,100.
    account = billed.account("gateway", "litellm", url=billed.gateway)
    town.until(account, lambda it: it.get("status", {}).get("dataThrough"), 120)
    found = town.until(budget, lambda it: gate(it) == "Notify", 60)
    assert found["status"]["spent"]["total"] == "$1,800.00"

    # 2. The bill of the same days: $3,000. It takes the estimate back.
    main = billed.account("main", "anthropic", url=billed.provider, mapping=MAPPING)
    found = town.until(main, lambda it: it.get("status", {}).get("capture"), 120)
    assert (found["status"]["capture"]["percent"], found["status"]["capture"]["shadow"]) == ("60.0%", "$1,200.00")
    captured = next(one for one in found["status"]["conditions"] if one["type"] == "Captured")
    assert (captured["status"], captured["reason"]) == ("False", "BelowMinimum")
    found = town.until(budget, lambda it: gate(it) == "DenyNew", 60)
    assert found["status"]["spent"]["total"] in {"$2,600.00", "$3,000.00"}  # a day after the other, and none twice
    town.until(budget, lambda it: it["status"]["spent"]["total"] == "$3,000.00", 60)

    # 3. The report of the cluster has it beside the GPUs.
    asked = {"window": "7d", "groupBy": ["component", "team"]}
    town.cluster.apply(resource("ClusterAICostReport", "spend", asked))
    path = f"{OURS}/clusteraicostreports/spend"
    report = town.until(path, lambda it: it.get("status", {}).get("rows"), 60)
    rows = {(row["keys"]["component"], row["keys"]["team"]): row for row in report["status"]["rows"]}
    assert rows["api", "vision"]["cost"] == "$3,000.00"
    shown = town.cluster.kubectl("get", "pacc")
    assert shown.splitlines()[0].split()[:5] == ["NAME", "PROVIDER", "ACCOUNT", "MTD-COST", "CAPTURED"]


def test_a_namespace_sees_and_pays_what_a_rule_gives_it(billed: Billed) -> None:
    town = billed.town
    budget = town.budget("own", limit="4000", period=PERIOD, ladder=LADDER[:1])
    town.until(budget, lambda it: "spent" in it.get("status", {}), 60)
    rule = {"tag": "workspace_id", "dimension": "namespace", "values": [{"value": "wrkspc_01", "name": town.namespace}]}
    billed.account("main", "anthropic", url=billed.provider, mapping=[rule])
    town.until(budget, lambda it: it["status"]["spent"]["total"] == "$3,000.00" and gate(it) == "Notify", 120)
