"""`aicost budget simulate` through a real API server: the query API gives the past, with the rights of who asks."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aicost.domain.exact.windows import DAY_MS, to_rfc3339
from integration.test_queryapi import GROUP, QUERY, WINDOW, Served, served  # noqa: F401 -- the fixture
from support.crd_samples import resource
from support.definitions import applied_definitions
from support.ledger_folder import DAY_HOURS, PRICE, START_MS

pytestmark = pytest.mark.cluster

OURS = "/apis/aicost.dev/v1alpha1"
SPEC: dict[str, Any] = {
    "limit": "60",
    "currency": "USD",
    "maxGate": "Suspend",
    "period": {"unit": "Day"},
    "ladder": [
        {"name": "half", "gate": "Notify", "basis": "Actual", "atPercent": 50},
        {"name": "full", "gate": "Suspend", "basis": "Actual", "atPercent": 100},
    ],
}


class Place:
    """A query API that serves a day of two namespaces, and budgets over it."""

    def __init__(self, of: Served, folder: Path) -> None:
        self.served, self.cluster, self.folder = of, of.cluster, folder
        self.uid = of.cluster.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]

    def manifest(self, kind: str = "Budget", namespace: str | None = None, **spec: Any) -> str:
        path = self.folder / f"{kind}.json"
        path.write_text(json.dumps(resource(kind, "day", {**SPEC, **spec}, namespace)))
        return str(path)

    def run(self, *arguments: str, who: Path | None = None) -> subprocess.CompletedProcess[str]:
        place = () if "--ledger" in arguments else ("--kubeconfig", str(who or self.cluster.kubeconfig))
        command = [sys.executable, "-m", "aicost", "budget", "simulate", *arguments, "--window", WINDOW, *place]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def document(self, *arguments: str, who: Path | None = None) -> dict[str, Any]:
        done = self.run(*arguments, "-o", "json", who=who)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        found.pop("source")
        return found


@pytest.fixture(scope="module")
def place(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:  # noqa: F811 -- the fixture
    with applied_definitions(served.cluster):
        yield Place(served, tmp_path_factory.mktemp("budgets"))


def test_who_may_view_a_namespace_may_try_a_budget_on_its_past(place: Place) -> None:
    file = place.manifest(namespace=place.served.a)
    found = place.document("-f", file, who=place.served.person_a)
    assert found["recorded_nanos"] == 2 * PRICE * DAY_HOURS
    assert found["recorded_nanos"] - found["spent_nanos"] == sum(one["saved_nanos"] for one in found["stopped"])
    moves = [(one["move"], one["gate"]) for one in found["moves"]]
    assert moves[:3] == [("Opened", "Notify"), ("Announced", "Notify"), ("Opened", "Suspend")]
    assert {one["namespace"] for one in found["stopped"]} == {place.served.a}
    assert {one["controller"] for one in found["stopped"]} == {"Deployment/chat", "Deployment/train"}


def test_the_cluster_and_a_copy_of_its_ledger_say_the_same(place: Place) -> None:
    file = place.manifest(namespace=place.served.a)
    asked = place.document("-f", file, who=place.served.person_a)
    read = place.document("-f", file, "--ledger", str(place.served.ledger), "--ledger-cluster", place.uid)
    assert asked == read


def test_a_budget_that_is_there_is_read_with_the_users_own_rights(place: Place) -> None:
    path = f"{OURS}/namespaces/{place.served.a}/budgets"
    place.cluster.api.create(path, resource("Budget", "day", SPEC, place.served.a))
    try:
        shown = place.run("day", "-n", place.served.a)
        assert shown.returncode == 0, shown.stderr
        assert f"Budget {place.served.a}/day · $60.00 · simulated" in shown.stdout
        assert "it is in mode Observe" not in shown.stdout
        assert "▲ Notify" in shown.stdout
        tried = place.document("day", "-n", place.served.a, "--limit", "1000")
        assert tried["moves"] == []
        gone = place.run("night", "-n", place.served.a)
        assert (gone.returncode, "no Budget 'night' in namespace" in gone.stderr) == (2, True)
    finally:
        place.cluster.api.delete(f"{path}/day")


def test_nobody_sees_the_past_of_a_namespace_that_they_may_not_view(place: Place) -> None:
    foreign = place.run("-f", place.manifest(namespace=place.served.b), who=place.served.person_a)
    assert (foreign.returncode, foreign.stdout) == (1, "")
    assert f"spendseries in namespace '{place.served.b}'" in foreign.stderr
    wide = place.run("-f", place.manifest("ClusterBudget"), who=place.served.person_a)
    assert (wide.returncode, wide.stdout) == (1, "")
    assert "takes the right to list it in all" in wide.stderr


def test_a_cluster_budget_counts_the_whole_cluster_with_what_nobody_held(place: Place) -> None:
    found = place.document("-f", place.manifest("ClusterBudget", limit="150"))
    assert found["recorded_nanos"] == 4 * PRICE * DAY_HOURS
    one = place.document("-f", place.manifest("ClusterBudget", limit="150", scope={"namespaces": [place.served.b]}))
    assert one["recorded_nanos"] == (PRICE + PRICE // 7) * DAY_HOURS


def test_kubectl_shows_the_series_of_the_own_namespace_and_of_no_other(place: Place) -> None:
    who = ("--kubeconfig", str(place.served.person_a))
    table = place.cluster.kubectl(*who, "get", "spendseries", "-n", place.served.a).splitlines()
    assert table[0].split() == ["CONTROLLER", "COST", "GPU-HOURS", "WINDOWS", "TREND"]
    assert sorted(line.split()[0] for line in table[1:]) == ["Deployment/chat", "Deployment/train"]
    for where in (("-n", place.served.b), ("-A",)):
        refused = place.cluster._run("kubectl", (*who, "get", "series", *where), None)
        assert (refused.returncode != 0, "Forbidden" in refused.stderr) == (True, True)
    path = f"{GROUP}/namespaces/{place.served.a}/spendseries?{QUERY}&filter=namespace={place.served.b}&by=controller"
    listed = json.loads(place.cluster.kubectl(*who, "get", "--raw", path))
    assert {item["keys"]["namespace"] for item in listed["items"]} == {place.served.a}
    hours = {to_rfc3339(START_MS + at * 3_600_000) for at in range(DAY_HOURS)}
    assert all(set(item["costByWindow"]) == hours for item in listed["items"])
    assert sum(item["costNanos"] for item in listed["items"]) == 2 * PRICE * DAY_HOURS


def test_it_is_a_plugin_of_kubectl(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    file = place.manifest(namespace=place.served.a)
    shown = place.cluster.kubectl("aicost", "budget", "simulate", "-f", file, "--window", WINDOW)
    assert f"Budget {place.served.a}/day" in shown
    assert f"kubectl aicost budget simulate -f {file} --window {WINDOW} --mode Observe" in shown
    assert DAY_MS == DAY_HOURS * 3_600_000
