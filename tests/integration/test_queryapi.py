"""The query API behind a real API server: real users, real kubectl, the chart's own roles and certificate."""

import base64
import contextlib
import http.client
import json
import re
import secrets
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import HOUR_MS
from devcluster.pki import Authority, Pki
from support.cluster import LiveCluster
from support.ledger_folder import DAY_HOURS, PRICE, fill

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).parents[2]
APISERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.query.aicost.dev"
WINDOW = "2026-03-02"
QUERY = f"window={WINDOW}"
GROUP = "/apis/query.aicost.dev/v1alpha1"


@dataclass(frozen=True)
class Served:
    """A query API that runs: two namespaces, and a person in each who may view nothing else."""

    cluster: LiveCluster
    ledger: Path
    tls: Path
    port: int
    host: str
    a: str
    b: str
    person_a: Path
    person_b: Path
    process: subprocess.Popen[str]

    def raw(self, person: Path | None, path: str) -> dict:
        who = () if person is None else ("--kubeconfig", str(person))
        return json.loads(self.cluster.kubectl(*who, "get", "--raw", path))

    def aicost(self, person: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "aicost", "report", "--kubeconfig", str(person), "--window", WINDOW]
        return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, timeout=60)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def served(cluster: LiveCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if cluster.local is None:
        pytest.skip("needs a Service that leads to this machine")
    folder = tmp_path_factory.mktemp("query")
    release = f"query-{secrets.token_hex(3)}"
    home, a, b = f"{release}-home", f"{release}-a", f"{release}-b"
    for name in (home, a, b):
        cluster.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        cluster.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda _: True)
    port = _free_port()
    manifests = _install(cluster, release, home, port)
    uid = cluster.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    ledger = folder / "ledger"
    fill(ledger, cluster=uid, names={"team-a": a, "team-b": b})
    this_hour = now_ms() - now_ms() % HOUR_MS
    fill(ledger, 1, uid, {"team-a": a, "team-b": b}, this_hour - HOUR_MS)
    fill(ledger, cluster="another-cluster", names={"team-a": a, "team-b": b})
    tls, settings = _settings(cluster, folder, home, release, port)
    account = cluster.service_account_kubeconfig(home, release)
    command = [sys.executable, "-m", "aicost", "query", "--config", str(settings), "--kubeconfig", str(account)]
    log = folder / "query.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, text=True)
    try:
        cluster.until(APISERVICE, _is_available, seconds=30)
        cluster.until(f"{GROUP}/namespaces/{a}/allocations?{QUERY}", lambda _: True, seconds=30)
        people = [_person(cluster, name) for name in (a, b)]
        host = f"{release}-query.{home}.svc"
        yield Served(cluster, ledger, tls, port, host, a, b, *people, process)
    finally:
        sys.stderr.write(log.read_text())
        cluster.kubectl("delete", "--ignore-not-found", "-f", "-", text=manifests)
        process.terminate()
        assert process.wait(30) == 0
        for name in (home, a, b):
            cluster.api.delete(f"/api/v1/namespaces/{name}")


def _install(cluster: LiveCluster, release: str, home: str, port: int) -> str:
    """The chart's Service, Secret, APIService and roles, without its Deployment."""
    shown = ["--show-only", "templates/query-api.yaml", "--show-only", "templates/rbac.yaml"]
    values = ["--set", "queryApi.externalName=localhost", "--set", f"queryApi.port={port}"]
    manifests = cluster.helm("template", release, str(ROOT / "charts/aicost"), "-n", home, *shown, *values)
    cluster.kubectl("apply", "-f", "-", text=manifests)
    return manifests


def _settings(cluster: LiveCluster, folder: Path, home: str, release: str, port: int) -> tuple[Path, Path]:
    tls = folder / "tls"
    tls.mkdir()
    data = cluster.api.get(f"/api/v1/namespaces/{home}/secrets/{release}-query-tls")["data"]
    for name, content in data.items():
        (tls / name).write_bytes(base64.b64decode(content))
    settings = folder / "settings.yaml"
    server = {"host": "127.0.0.1", "queryPort": port, "certificateDir": str(tls)}
    settings.write_text(json.dumps({"ledger": {"url": str(folder / "ledger")}, "server": server, "logFormat": "text"}))
    return tls, settings


def _is_available(it: dict) -> bool:
    return any(c["type"] == "Available" and c["status"] == "True" for c in it.get("status", {}).get("conditions") or ())


def _person(cluster: LiveCluster, namespace: str) -> Path:
    """Somebody who may view one namespace: the cluster's own role, into which the chart aggregates."""
    cluster.kubectl("create", "rolebinding", "viewer", "-n", namespace, "--clusterrole=view",
                    f"--serviceaccount={namespace}:default")  # fmt: skip
    kubeconfig = cluster.service_account_kubeconfig(namespace, "default")
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{namespace}:default",
            "resourceAttributes": {
                "namespace": namespace, "verb": "list", "group": "query.aicost.dev", "resource": "allocations",
            },
        },
    }  # fmt: skip
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    for _ in range(100):
        if cluster.api.create(path, review)["status"]["allowed"]:
            return kubeconfig
        time.sleep(0.1)
    pytest.fail("the chart's role does not reach the role `view`")


def test_kubectl_get_prints_what_a_namespace_costs_and_its_total(served):
    who = ("--kubeconfig", str(served.person_a))
    table = served.cluster.kubectl(*who, "get", "allocations", "-n", served.a).splitlines()
    assert table[0].split() == ["CONTROLLER", "COST", "SHARE", "GPU-HOURS", "UTIL", "IDLE"]
    assert sorted(line.split()[0] for line in table[1:-1]) == ["Deployment/chat", "Deployment/train"]
    assert table[-1].split()[0] == "total"
    assert table[1].split()[1].startswith("$")
    wide = served.cluster.kubectl(*who, "get", "alloc", "-n", served.a, "-o", "wide").splitlines()
    assert "ALLOC-IDLE" in wide[0]
    everywhere = served.cluster.kubectl("get", "allocations", "-A").splitlines()
    assert everywhere[0].split()[:3] == ["NAMESPACE", "CONTROLLER", "COST"]
    assert {line.split()[0] for line in everywhere[1:]} >= {served.a, served.b, "idle:", "total"}


def test_a_list_carries_integers(served):
    path = f"{GROUP}/namespaces/{served.a}/allocations?{QUERY}"
    listed = served.raw(served.person_a, path)
    assert {item["keys"]["controller"] for item in listed["items"]} == {"Deployment/chat", "Deployment/train"}
    assert listed["totals"][0]["costNanos"] == 2 * PRICE * DAY_HOURS


def test_kubectl_finds_the_resource_by_its_short_name_and_explains_it(served):
    found = served.cluster.kubectl("api-resources", "--api-group=query.aicost.dev", "--no-headers")
    version = "query.aicost.dev/v1alpha1"
    assert [line.split() for line in found.splitlines()] == [
        ["allocations", "alloc", version, "true", "Allocation"],
        ["idles", "idle", version, "true", "Idle"],
        ["inventories", "inv", version, "true", "Inventory"],
        ["labelcoverages", "lcov", version, "true", "LabelCoverage"],
        ["nodetelemetries", "ntel", version, "false", "NodeTelemetry"],
        ["offers", "offer", version, "true", "Offer"],
        ["outcomes", "outcome", version, "true", "Outcome"],
        ["receipts", "rcpt", version, "true", "Receipt"],
        ["spendseries", "series", version, "true", "SpendSeries"],
        ["statements", "stmt", version, "true", "Statement"],
        ["teams", version, "false", "Team"],
        ["unitcosts", "units", version, "true", "UnitCost"],
    ]
    assert "10^-9" in _explained(served.cluster, "allocations.costNanos")


def _explained(cluster: LiveCluster, field: str) -> str:
    """What kubectl says of a field, once the API server has fetched our OpenAPI document in its own time."""
    for _ in range(80):
        result = cluster._run("kubectl", ("explain", field), None)
        if result.returncode == 0:
            return result.stdout
        time.sleep(1)
    pytest.fail(f"kubectl explain {field}: {result.stderr}")


def test_a_person_sees_the_own_namespace_and_no_other(served):
    own = f"{GROUP}/namespaces/{served.a}/allocations?{QUERY}"
    assert served.raw(served.person_a, own)["kind"] == "AllocationList"
    for path in (f"{GROUP}/namespaces/{served.b}/allocations?{QUERY}", f"{GROUP}/allocations?{QUERY}"):
        refused = served.cluster.kubectl_fails("--kubeconfig", str(served.person_a), "get", "--raw", path)
        assert "forbidden" in refused.lower()
    assert served.raw(served.person_b, f"{GROUP}/namespaces/{served.b}/allocations?{QUERY}")["items"]


def test_no_filter_and_no_grouping_shows_more_than_the_own_namespace(served):
    path = f"{GROUP}/namespaces/{served.a}/allocations?{QUERY}&by=namespace,node&filter=namespace={served.b},team-c"
    answer = served.raw(served.person_a, f"{path}&idle=weighted")
    assert {item["keys"]["namespace"] for item in answer["items"]} == {served.a}
    assert answer["totals"][0]["costNanos"] == 2 * PRICE * DAY_HOURS
    assert answer["idle"][0]["costNanos"] == 0


def test_the_whole_cluster_has_the_whole_cost_and_no_other_clusters(served):
    answer = served.raw(None, f"{GROUP}/allocations?{QUERY}&by=cluster")
    assert answer["totals"][0]["costNanos"] == 4 * PRICE * DAY_HOURS
    assert {item["keys"]["cluster"] for item in answer["items"]} != {"another-cluster"}
    assert len(answer["items"]) == 1


@pytest.mark.parametrize("form", ["table", "wide", "csv", "json"])
def test_the_command_line_says_the_same_through_the_api_server_and_on_the_ledger(served, form):
    options = ("-n", served.a, "--by", "team,model", "--compare", "-o", form)
    asked = served.aicost(served.person_a, *options)
    assert asked.returncode == 0, asked.stderr
    uid = served.cluster.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    command = [sys.executable, "-m", "aicost", "report", "--ledger", str(served.ledger), "--window", WINDOW, *options]
    read = subprocess.run(
        [*command, "--filter", f"cluster={uid}"], capture_output=True, text=True, check=True, timeout=60
    )
    assert _without_asides(asked.stdout) == _without_asides(read.stdout)
    assert "119.52" in asked.stdout


def _without_asides(text: str) -> list[str]:
    """All but when the answer was made and the filter that leaves the other cluster out."""
    text = re.sub(r'\s*"cluster": \[[^]]*\],?', "", text)
    text = re.sub(r'("namespace": \[[^]]*\]),', r"\1", text)
    return [line for line in text.splitlines() if "generated_at" not in line and not line.startswith("where")]


def test_the_command_line_says_who_may_not_see_what(served):
    refused = served.aicost(served.person_a, "-A")
    assert refused.returncode == 1
    assert "403" in refused.stderr
    assert "-n NAMESPACE" in refused.stderr
    foreign = served.aicost(served.person_a, "-n", served.b)
    assert foreign.returncode == 1
    assert f"in namespace '{served.b}'" in foreign.stderr


def test_a_bad_question_reaches_people_as_a_message(served):
    path = f"{GROUP}/namespaces/{served.a}/allocations?window=soon"
    assert "'soon' is not understood" in served.cluster.kubectl_fails("get", "--raw", path)
    refused = served.cluster.kubectl_fails("get", "allocations", "-n", served.a, "-l", "team=vision")
    assert "use filter=KEY=VALUE" in refused


def _knock(served: Served, context: ssl.SSLContext, path: str) -> int:
    """Go past the API server, straight to the port, as somebody in the pod network could."""
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, context=context, timeout=10)
    forged = {"X-Remote-User": "system:admin", "X-Remote-Group": "system:masters"}
    with contextlib.closing(connection):
        connection.request("GET", path, headers=forged)
        return connection.getresponse().status


def test_forged_headers_without_the_front_proxys_certificate_get_nothing(served, tmp_path):
    path = f"{GROUP}/allocations?{QUERY}"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _knock(served, ssl.create_default_context(), path)
    forged = Authority(tmp_path, "front-proxy-ca").client("proxy", "front-proxy-client")
    context = ssl.create_default_context()
    context.load_cert_chain(forged.certificate, forged.key)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _knock(served, context, path)


def test_a_certificate_of_a_user_of_the_cluster_is_not_the_front_proxys(served):
    pki = Pki(served.cluster.local.state / "pki")
    context = ssl.create_default_context()
    context.load_cert_chain(pki.admin.certificate, pki.admin.key)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _knock(served, context, f"{GROUP}/allocations?{QUERY}")


def test_the_front_proxys_own_certificate_is_believed(served):
    pki = Pki(served.cluster.local.state / "pki")
    context = ssl.create_default_context()
    context.load_cert_chain(pki.proxy_client.certificate, pki.proxy_client.key)
    assert _knock(served, context, f"{GROUP}/allocations?{QUERY}") == 200


def test_kubectl_get_prints_the_coverage_and_the_inventory_of_a_namespace_to_who_may_view_it(served):
    who = ("--kubeconfig", str(served.person_a))
    coverage = served.cluster.kubectl(*who, "get", "labelcoverages", "-n", served.a).splitlines()
    assert coverage[0].split() == ["KEY", "COVERAGE", "COST", "UNCOVERED", "OBJECTS"]
    assert [line.split()[:2] for line in coverage[1:]] == [["all", "100.0%"], ["team", "100.0%"]]
    inventory = served.cluster.kubectl(*who, "get", "inv", "-n", served.a).splitlines()
    assert inventory[0].split()[:4] == ["OBJECT", "TYPE", "MODEL", "OWNER"]
    assert sorted(line.split()[0] for line in inventory[1:]) == ["Deployment/chat", "Deployment/train"]
    for resource in ("labelcoverages", "inventories"):
        for place in (("-n", served.b), ("-A",)):
            refused = served.cluster._run("kubectl", (*who, "get", resource, *place), None)
            assert refused.returncode != 0
            assert "Forbidden" in refused.stderr


def test_the_command_line_asks_for_coverage_with_the_rights_of_a_kubeconfig(served):
    command = [sys.executable, "-m", "aicost", "coverage", "--kubeconfig", str(served.person_a)]
    own, foreign = (
        subprocess.run([*command, "-n", name], capture_output=True, text=True, check=False, timeout=60)
        for name in (served.a, served.b)
    )
    assert own.returncode == 0, own.stderr
    assert f"namespace {served.a}" in own.stdout
    assert "the controller has not looked at them yet" in " ".join(own.stdout.split())
    assert foreign.returncode == 1
    assert "labelcoverages" in foreign.stderr
