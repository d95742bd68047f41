"""Everyone sees their own: people with certificates and tokens on a real API server, with and without an APIService."""

import base64
import json
import os
import secrets
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aicost.adapters.trusts import TrustFile
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, Window
from aicost.domain.trust.reasons import TrustReason
from aicost.domain.trust.standing import settle
from aicost.domain.trust.values import Judged, found
from devcluster.api import ApiError
from support.builders import make_node, make_pod
from support.cluster import LiveCluster
from support.ledger_folder import DAY_HOURS, PRICE, START_MS, fill
from support.people import RBAC, Person, account, person
from support.receipts import Kept, busy, inputs

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).parents[2]
GROUP = "/apis/query.aicost.dev/v1alpha1"
API_SERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.query.aicost.dev"
WINDOW = "2026-03-02"
QUERY = f"window={WINDOW}"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
SHARED = Window(START_MS + 10 * DAY_MS, START_MS + 10 * DAY_MS + HOUR_MS)
"""An hour in which both namespaces held one device, with its inputs kept."""
MINE = 2 * PRICE * DAY_HOURS
"""What team vision costs, all of it in namespace a."""


@dataclass(frozen=True)
class Town:
    """A query API behind the API server, another one beside it, and the people of two namespaces and a team."""

    cluster: LiveCluster
    home: str
    release: str
    direct: str
    ledger: Path
    tls: Path
    a: str
    b: str
    anna: Person
    bob: Person
    lea: Person
    robot: Person

    def aicost(self, who: Person, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        verb, *rest = arguments
        command = [sys.executable, "-m", "aicost", verb, "--kubeconfig", str(who.kubeconfig), *rest]
        environment = {**os.environ, **environment}
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)

    def direct_of(self, who: Person, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Past the API server, by a port that a stand-in for `kubectl port-forward` gives."""
        folder = self.tls.parent / "bin"
        folder.mkdir(exist_ok=True)
        kubectl = folder / "kubectl"
        port = self.direct.rpartition(":")[2]
        kubectl.write_text(f'#!/bin/sh\necho "$@" > {folder}/asked\n'
                           f"echo 'Forwarding from 127.0.0.1:{port} -> 8443'\nexec sleep 60\n")  # fmt: skip
        kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
        return self.aicost(
            who, *arguments, PATH=f"{folder}{os.pathsep}{os.environ['PATH']}",
            AICOST_SERVER=f"port-forward:{self.home}/{self.release}-query",
        )  # fmt: skip


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def town(cluster: LiveCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    if cluster.local is None:
        pytest.skip("needs a Service that leads to this machine, and the authority that signs users")
    folder, release = tmp_path_factory.mktemp("people"), f"town-{secrets.token_hex(3)}"
    home, a, b = f"{release}-home", f"{release}-a", f"{release}-b"
    for name in (home, a, b):
        cluster.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        cluster.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda _: True)
    port, direct_port = _free_port(), _free_port()
    manifests = _install(cluster, release, home, port)
    uid = cluster.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    ledger = folder / "ledger"
    fill(ledger, cluster=uid, names={"team-a": a, "team-b": b})
    _share_a_device(ledger, uid, a, b)
    tls = _certificate(cluster, folder, home, release)
    kubeconfig = cluster.service_account_kubeconfig(home, release)
    processes = [
        _serve(folder, kubeconfig, ledger, tls, port, "front-proxy"),
        _serve(folder, kubeconfig, ledger, tls, direct_port, "users"),
    ]
    try:
        cluster.until(API_SERVICE, _is_available, seconds=60)
        anna, bob, lea = (person(cluster, name) for name in ("anna", "bob", "lea"))
        robot = account(cluster, a, "robot")
        for who, namespace in ((anna, a), (bob, b), (robot, a)):
            _bind_view(cluster, who, namespace)
        _grant_team(cluster, lea, release)
        yield Town(cluster, home, release, f"127.0.0.1:{direct_port}", ledger, tls, a, b, anna, bob, lea, robot)
    finally:
        for log in sorted(folder.glob("*.log")):
            sys.stderr.write(log.read_text())
        cluster.kubectl("delete", "--ignore-not-found", "-f", "-", text=manifests)
        for process in processes:
            process.terminate()
        codes = [process.wait(30) for process in processes]
        for name in (home, a, b):
            cluster.api.delete(f"/api/v1/namespaces/{name}")
        cluster.kubectl("delete", "clusterrole,clusterrolebinding", "--ignore-not-found", f"{release}-team")
        assert codes == [0, 0]


def _share_a_device(ledger: Path, uid: str, a: str, b: str) -> None:
    """An hour in which two namespaces held one device, posted with its inputs as the controller posts."""
    since = SHARED.start_ms - HOUR_MS
    node = make_node("shared-1").gpus(1).instance("p5.48xlarge").created(since).allocatable(2)
    node = node.label("nvidia.com/gpu.replicas", "2").label("nvidia.com/gpu.sharing-strategy", "time-slicing")
    pods = [
        make_pod(namespace, name).gpus(1).created(since).bound(since).on("shared-1").running()
        .owned_by("Deployment", name.rsplit("-", 1)[0], team=team).record()
        for namespace, name, team in ((a, "train-0", "vision"), (b, "rival-0", "search"))
    ]  # fmt: skip
    series = busy("GPU-S", "shared-1", None, window=SHARED, holders=((a, "train-0"), (b, "rival-0")))
    Kept(ledger).post(inputs(pods, [node.record()], [series], window=SHARED, cluster=uid))


def _install(cluster: LiveCluster, release: str, home: str, port: int) -> str:
    """The chart's Service, Secret, APIService and roles; and beside them what it makes where there is no APIService."""
    shown = ["--show-only", "templates/query-api.yaml", "--show-only", "templates/rbac.yaml"]
    values = ["--set", "queryApi.externalName=localhost", "--set", f"queryApi.port={port}"]
    chart = str(ROOT / "charts/aicost")
    manifests = cluster.helm("template", release, chart, "-n", home, *shown, *values)
    cluster.kubectl("apply", "-f", "-", text=manifests)
    clients = ["--set", "queryApi.clients[0].kind=Group", "--set", "queryApi.clients[0].name=system:authenticated"]
    apart = cluster.helm("template", release, chart, "-n", home, *shown, *values, *clients, "--set",
                         "queryApi.apiService=false", "--set", "queryApi.certificateSecretName=own", "--set-string",
                         f"queryApi.caBundle={_authority(cluster, home, release)}")  # fmt: skip
    cluster.kubectl("apply", "-f", "-", text=apart)
    return f"{manifests}\n---\n{apart}"


def _authority(cluster: LiveCluster, home: str, release: str) -> str:
    data = cluster.api.get(f"/api/v1/namespaces/{home}/secrets/{release}-query-tls")["data"]
    return base64.b64decode(data["ca.crt"]).decode()


def _certificate(cluster: LiveCluster, folder: Path, home: str, release: str) -> Path:
    tls = folder / "tls"
    tls.mkdir()
    data = cluster.api.get(f"/api/v1/namespaces/{home}/secrets/{release}-query-tls")["data"]
    for name, content in data.items():
        (tls / name).write_bytes(base64.b64decode(content))
    return tls


def _serve(folder: Path, kubeconfig: Path, ledger: Path, tls: Path, port: int, callers: str) -> "subprocess.Popen[str]":
    settings = folder / f"{callers}.yaml"
    server = {"host": "127.0.0.1", "queryPort": port, "certificateDir": str(tls), "queryCallers": callers}
    settings.write_text(json.dumps({"ledger": {"url": str(ledger)}, "server": server, "logFormat": "text"}))
    command = [sys.executable, "-m", "aicost", "query", "--config", str(settings), "--kubeconfig", str(kubeconfig)]
    with (folder / f"{callers}.log").open("w") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, text=True)


def _is_available(it: dict) -> bool:
    return any(c["type"] == "Available" and c["status"] == "True" for c in it.get("status", {}).get("conditions") or ())


def _bind_view(cluster: LiveCluster, who: Person, namespace: str) -> None:
    """The cluster's own role `view`, into which the chart aggregates."""
    cluster.kubectl("create", "rolebinding", f"view-{secrets.token_hex(3)}", "-n", namespace, "--clusterrole=view",
                    f"--user={who.name}")  # fmt: skip
    asked = {"namespace": namespace, "verb": "list", "group": "query.aicost.dev", "resource": "statements"}
    _until_allowed(cluster, who, asked)


def _grant_team(cluster: LiveCluster, who: Person, release: str) -> None:
    """The project's own example, for a person of this test."""
    text = (ROOT / "examples/rbac/team.yaml").read_text()
    text = text.replace("aicost-team-vision", f"{release}-team").replace("kind: Group", "kind: User")
    cluster.kubectl("apply", "-f", "-", text=text.replace("vision-leads", who.name))
    asked = {"verb": "get", "group": "query.aicost.dev", "resource": "teams", "subresource": "allocations"}
    _until_allowed(cluster, who, {**asked, "name": "vision"})


def _until_allowed(cluster: LiveCluster, who: Person, attributes: dict[str, str]) -> None:
    review = {"spec": {"user": who.name, "resourceAttributes": attributes}}
    for _ in range(300):
        if cluster.api.create(REVIEWS, review)["status"]["allowed"]:
            return
        time.sleep(0.1)
    pytest.fail(f"{who.name} did not come to have {attributes} by {RBAC}")


def refused(who: Person, path: str) -> str:
    with pytest.raises(ApiError) as caught:
        who.api.get(f"{GROUP}/{path}")
    assert caught.value.status in {400, 403, 404}, caught.value
    return str(caught.value)


def total(answer: dict) -> int:
    return answer["totals"][0]["costNanos"]


def test_two_people_see_their_own_namespace_and_nothing_of_the_other(town):
    for who, own, other in ((town.anna, town.a, town.b), (town.bob, town.b, town.a)):
        answer = who.api.get(f"{GROUP}/namespaces/{own}/allocations?{QUERY}&by=namespace,node,pod")
        assert {item["keys"]["namespace"] for item in answer["items"]} == {own}
        assert other not in json.dumps(answer)
        for resource in (
            "allocations",
            "idles",
            "inventories",
            "labelcoverages",
            "receipts",
            "spendseries",
            "statements",
        ):
            for path in (f"namespaces/{other}/{resource}", resource):
                assert "is forbidden" in refused(who, path)


def test_what_nobody_held_is_for_those_who_may_see_all(town):
    whole = town.cluster.api.get(f"{GROUP}/allocations?{QUERY}")
    assert whole["idle"][0]["costNanos"] > 0
    for who, own in ((town.anna, town.a), (town.bob, town.b)):
        mine = who.api.get(f"{GROUP}/namespaces/{own}/allocations?{QUERY}&idle=weighted")
        assert mine["idle"][0].get("costNanos", 0) == 0
    assert town.lea.api.get(f"{GROUP}/teams/vision/allocations?{QUERY}&idle=even")["idle"][0]["costNanos"] == 0


def test_a_grant_of_a_team_spans_namespaces_and_reaches_nothing_else(town):
    answer = town.lea.api.get(f"{GROUP}/teams/vision/allocations?{QUERY}&by=namespace")
    assert (total(answer), {item["keys"]["namespace"] for item in answer["items"]}) == (MINE, {town.a})
    forged = f"teams/vision/allocations?{QUERY}&by=team,namespace&filter=team=search&filter=namespace={town.b}"
    assert town.b not in json.dumps(town.lea.api.get(f"{GROUP}/{forged}").get("items"))
    others = ("teams/search/allocations", "teams/Vision/allocations", "teams/untagged/allocations", "teams")
    for path in (*others, "teams/search/statements", "allocations", f"namespaces/{town.a}/allocations"):
        assert "is forbidden" in refused(town.lea, path)
    assert "is forbidden" in refused(town.anna, "teams/vision/allocations")


@pytest.mark.parametrize(
    "path",
    [
        "namespaces/{a}/../{b}/allocations",
        "namespaces/{a}%2F..%2F{b}/allocations",
        "namespaces/{a}/%2e%2e/{b}/allocations",
        "namespaces/{a}%00{b}/allocations",
        "namespaces/{a}/allocations/..%2F..%2F{b}%2Fallocations",
        "namespaces/{a}/allocations/../../{b}/allocations",
        "namespaces//allocations",
        "teams/vision/../search/allocations",
        "teams/vision%2F..%2Fsearch/allocations",
        "teams/vision/allocations/../../search/allocations",
    ],
)
def test_no_spelling_of_a_path_leads_out_of_what_one_may_see(town, path):
    for who in (town.anna, town.lea):
        command = ("--kubeconfig", str(who.kubeconfig), "get", "--raw",
                   f"{GROUP}/{path.format(a=town.a, b=town.b)}?{QUERY}")  # fmt: skip
        result = town.cluster._run("kubectl", command, None)
        assert result.returncode != 0, result.stdout
        assert "search-0" not in result.stderr


def test_no_parameter_leads_out_of_what_one_may_see(town):
    for trick in (
        f"filter=namespace={town.b}",
        f"filter=namespace={town.a},{town.b}&by=namespace",
        "by=team&filter=team=search",
    ):
        answer = town.anna.api.get(f"{GROUP}/namespaces/{town.a}/allocations?{QUERY}&{trick}")
        assert town.b not in json.dumps(answer["items"])
        assert "search" not in json.dumps(answer["items"])
    assert "no parameter" in refused(town.anna, f"namespaces/{town.a}/allocations?{QUERY}&namespace={town.b}")
    assert "is about namespace" in refused(town.anna, f"namespaces/{town.a}/receipts?{QUERY}&pod={town.b}/search-0")


def test_a_refusal_is_the_same_whether_or_not_there_is_such_a_thing(town):
    there, nowhere = (refused(town.anna, f"namespaces/{name}/allocations") for name in (town.b, "no-such-namespace"))
    assert there.replace(town.b, "NAME") == nowhere.replace("no-such-namespace", "NAME")
    known, unknown = (refused(town.lea, f"teams/{name}/allocations") for name in ("search", "nobody"))
    assert known.replace("search", "NAME") == unknown.replace("nobody", "NAME")


@pytest.mark.parametrize("header", ["X-Remote-User: system:admin", "X-Remote-Group: system:masters"])
def test_headers_that_a_user_sends_through_the_api_server_are_taken_away(town, header):
    access = town.cluster.access
    command = ["curl", "-sS", "--cacert", str(access.authority), "--cert", str(town.anna.api.access.user.certificate),
               "--key", str(town.anna.api.access.user.key), "-H", header, "-w", "\n%{http_code}"]  # fmt: skip
    for path, code in ((f"namespaces/{town.a}/allocations", "200"), ("allocations", "403"),
                       (f"namespaces/{town.b}/allocations", "403")):  # fmt: skip
        url = f"{access.server}{GROUP}/{path}?{QUERY}"
        said = subprocess.run([*command, url], capture_output=True, text=True, check=True, timeout=30).stdout
        assert said.rsplit("\n", 1)[1] == code, said


def test_the_command_line_reports_with_the_rights_that_one_has(town):
    own = town.aicost(town.anna, "report", "-n", town.a, "--window", WINDOW, "-o", "json")
    assert own.returncode == 0, own.stderr
    assert json.loads(own.stdout)["reports"][0]["total"]["cost_nanos"] == MINE
    team = town.aicost(town.lea, "report", "--team", "vision", "--window", WINDOW, "-o", "json")
    assert json.loads(team.stdout)["reports"][0]["total"]["cost_nanos"] == MINE
    foreign = town.aicost(town.lea, "report", "--team", "search", "--window", WINDOW)
    assert foreign.returncode == 1
    assert "resourceNames [search]" in foreign.stderr


def test_idle_money_is_of_ones_own(town):
    window = ("--window", f"{SHARED}".replace("/", ".."))
    mine = town.aicost(town.anna, "idle", "-n", town.a, *window, "-o", "json")
    assert mine.returncode == 0, mine.stderr
    rows = json.loads(mine.stdout)["rows"]
    assert {one["namespace"] for one in rows} <= {town.a}
    assert town.b not in mine.stdout
    foreign = town.aicost(town.anna, "idle", "-n", town.b, *window)
    assert (foreign.returncode, "idles" in foreign.stderr) == (1, True)
    everyone = town.cluster.api.get(f"{GROUP}/idles?window={WINDOW}")
    assert {item["reason"] for item in everyone["items"]} == {"allocated-idle", "unallocated"}
    table = town.cluster.kubectl("get", "idles", "-A", "--field-selector", f"window={WINDOW}").splitlines()
    assert table[0].split()[:3] == ["NAMESPACE", "REASON", "OWNER"]


def test_statements_are_of_ones_own(town):
    team = town.aicost(town.lea, "statement", "--team", "vision", "--window", WINDOW, "-o", "json")
    assert team.returncode == 0, team.stderr
    (part,) = json.loads(team.stdout)["parts"]
    assert (part["total_nanos"], part["reconciliation"]) == (MINE, None)
    namespace = town.aicost(town.anna, "statement", "-n", town.a, "--window", WINDOW, "-o", "json")
    assert json.loads(namespace.stdout)["parts"][0]["total_nanos"] == MINE
    foreign = town.aicost(town.bob, "statement", "--team", "vision", "--window", WINDOW)
    assert foreign.returncode == 1
    assert "403" in foreign.stderr


def test_kubectl_prints_a_team_and_a_statement(town):
    lea, anna = (("--kubeconfig", str(who.kubeconfig)) for who in (town.lea, town.anna))
    table = town.cluster.kubectl(*lea, "get", "team", "vision").splitlines()
    assert table[0].split()[:2] == ["NAMESPACE", "COST"]
    receipts = ("get", "rcpt", "-n", town.a, "--field-selector", f"pod=chat-0,window={WINDOW}")
    lines = town.cluster.kubectl(*anna, *receipts).splitlines()
    assert lines[0].split() == ["WINDOW", "COST", "REVISION", "REPLAYED"]
    assert len(lines) == 1 + DAY_HOURS
    rows = town.cluster.kubectl(*anna, "get", "stmt", "-n", town.a).splitlines()
    assert rows[0].split()[-2:] == ["COST", "GPU-HOURS"]


def test_a_receipt_of_a_shared_device_is_computed_again_and_names_nobody_else(town):
    mine = town.aicost(town.anna, "explain", f"{town.a}/train-0", "--window", str(SHARED), "-o", "json")
    assert mine.returncode == 0, mine.stderr
    document = json.loads(mine.stdout)
    assert document["replayed"] == "equal"
    assert town.b not in mine.stdout
    assert "rival" not in mine.stdout
    (device,) = document["windows"][0]["detail"]["devices"]
    assert {one["holder"] for one in device["divisions"]} == {f"{town.a}/train-0", "others"}
    assert sum(one["cost_nanos"] for one in device["divisions"]) == device["cost_nanos"] > 0
    screen = town.aicost(town.anna, "explain", f"{town.a}/train-0", "--window", str(SHARED))
    assert "replayed: equal" in screen.stdout
    assert "others" in screen.stdout
    team = town.aicost(town.lea, "explain", f"{town.a}/train-0", "--window", str(SHARED), "--team", "vision")
    assert "replayed: equal" in team.stdout, team.stderr
    assert "rival" not in team.stdout
    foreign = town.aicost(town.lea, "explain", f"{town.b}/rival-0", "--window", str(SHARED), "--team", "vision")
    assert foreign.returncode == 2
    assert "that team vision owes" in foreign.stderr
    assert town.aicost(town.anna, "explain", f"{town.b}/rival-0", "--window", str(SHARED)).returncode == 1
    whole = town.cluster.api.get(f"{GROUP}/receipts?window={SHARED}&node=shared-1&format=report")
    assert {one["pod"] for one in whole["holders"]} == {"train-0", "rival-0"}


def test_a_receipt_says_that_no_inputs_were_kept_for_it(town):
    told = town.anna.api.get(f"{GROUP}/namespaces/{town.a}/receipts?{QUERY}&pod=chat-0")
    assert told["replayed"] == "not replayed"
    assert len(told["items"]) == DAY_HOURS
    assert town.b not in json.dumps(told)


JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: train}
spec:
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {dedicated: research}
      containers: [{name: main, image: train, resources: {limits: {nvidia.com/gpu: 8}}}]
"""


def test_an_estimate_takes_no_right_to_read_nodes_and_price_books(town, tmp_path):
    name = f"gpu-{secrets.token_hex(3)}"
    town.cluster.kubectl("apply", "-f", str(ROOT / "crds/aicost.dev_pricebooks.yaml"))
    town.cluster.until("/apis/aicost.dev/v1alpha1/pricebooks", lambda _: True)
    labels = {"node.kubernetes.io/instance-type": "p5.48xlarge", "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
              "nvidia.com/gpu.count": "8", "dedicated": "research", "tenant": town.b}  # fmt: skip
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
    prices = [{"name": "p5", "match": {"instanceType": "p5.48xlarge"}, "perGpuHour": "2.49"}]
    spec = {"currency": "USD", "entries": prices}
    book = {"apiVersion": "aicost.dev/v1alpha1", "kind": "PriceBook", "metadata": {"name": name}, "spec": spec}
    manifest = tmp_path / "job.yaml"
    manifest.write_text(JOB)
    try:
        town.cluster.apply(node, book)
        patch = {"status": {"capacity": {"nvidia.com/gpu": "8"}, "allocatable": {"nvidia.com/gpu": "8"}}}
        town.cluster.kubectl("patch", "node", name, "--subresource=status", "--type=merge", "-p", json.dumps(patch))
        told = town.aicost(town.anna, "estimate", "-f", str(manifest), "-n", town.a)
        offered = json.dumps(town.anna.api.get(f"{GROUP}/namespaces/{town.a}/offers?format=report"))
    finally:
        town.cluster.kubectl("delete", "node", "--ignore-not-found", name)
        town.cluster.kubectl("delete", "pricebook", "--ignore-not-found", name)
    assert told.returncode == 0, told.stderr
    assert "$19.92" in told.stdout
    assert "nodes are not taken into account" not in told.stderr
    assert "pricebooks" not in told.stderr
    assert name not in offered
    assert town.b not in offered
    refused(town.anna, f"namespaces/{town.b}/offers")


def test_without_an_api_service_tokens_and_certificates_have_the_same_rights(town):
    for who in (town.anna, town.robot):
        own = town.direct_of(who, "report", "-n", town.a, "--window", WINDOW, "-o", "json")
        assert own.returncode == 0, own.stderr
        assert json.loads(own.stdout)["reports"][0]["total"]["cost_nanos"] == MINE
        foreign = town.direct_of(who, "report", "-n", town.b, "--window", WINDOW)
        assert foreign.returncode == 1
        assert "is forbidden" in foreign.stderr
        assert town.direct_of(who, "report", "-A", "--window", WINDOW).returncode == 1
    asked = (town.tls.parent / "bin/asked").read_text()
    assert f"--namespace {town.home} --address 127.0.0.1 service/{town.release}-query" in asked
    team = town.direct_of(town.lea, "report", "--team", "vision", "--window", WINDOW, "-o", "json")
    assert json.loads(team.stdout)["reports"][0]["total"]["cost_nanos"] == MINE
    assert town.direct_of(town.lea, "report", "--team", "search", "--window", WINDOW).returncode == 1


def test_without_an_api_service_nobody_is_believed_by_headers(town):
    url = f"https://{town.direct}{GROUP}/namespaces/{town.a}/allocations?{QUERY}"
    command = ["curl", "-sSk", "-w", "\n%{http_code}", url]
    for headers, code in (([], "401"), (["-H", "X-Remote-User: system:admin"], "400"),
                          (["-H", "Authorization: Bearer nonsense"], "401"),
                          (["-H", "Impersonate-User: system:admin"], "400")):  # fmt: skip
        said = subprocess.run([*command, *headers], capture_output=True, text=True, check=True, timeout=30).stdout
        assert said.rsplit("\n", 1)[1] == code, said


def test_telemetry_of_nodes_is_for_those_who_may_see_the_whole_cluster(town):
    blind = found(TrustReason.NO_HOST_PID, f"the exporter runs without hostPID: {town.a}/train-0")
    uid = town.cluster.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    looked = settle({}, [Judged("shared-1", START_MS, 1, 1, (blind,)), Judged("shared-2", START_MS, 8, 8)], START_MS)
    TrustFile(town.ledger).put(looked, uid)
    for who in (town.anna, town.lea):
        assert "is forbidden" in refused(who, "nodetelemetries")
        refused_by_cli = town.aicost(who, "telemetry")
        assert (refused_by_cli.returncode, "shared-1" in refused_by_cli.stdout) == (1, False)
    ops = person(town.cluster, "ops")
    binding = f"{town.release}-ops"
    town.cluster.kubectl("create", "clusterrolebinding", binding, "--clusterrole=view", f"--user={ops.name}")
    try:
        asked = {"verb": "list", "group": "query.aicost.dev", "resource": "nodetelemetries"}
        _until_allowed(town.cluster, ops, asked)
        conditions = [item["conditions"][0] for item in ops.api.get(f"{GROUP}/nodetelemetries")["items"]]
        assert [(one["status"], one["reason"]) for one in conditions] == [("False", "NoHostPID"), ("True", "Trusted")]
        table = town.cluster.kubectl("--kubeconfig", str(ops.kubeconfig), "get", "ntel").splitlines()
        assert table[0].split()[:4] == ["NAME", "TRUSTED", "REASON", "GPUS"]
        assert table[1].split()[:4] == ["shared-1", "False", "NoHostPID", "1/1"]
        one = ("get", "nodetelemetries", "--field-selector", "node=shared-2", "-o", "name")
        named = town.cluster.kubectl("--kubeconfig", str(ops.kubeconfig), *one)
        assert named.strip() == "nodetelemetry.query.aicost.dev/shared-2"
        cli = town.aicost(ops, "telemetry", "--strict")
        assert (cli.returncode, "1 of 2 nodes" in cli.stdout) == (1, True), cli.stderr
        assert "Set hostPID: true" in cli.stdout
        direct = town.direct_of(ops, "telemetry", "-o", "json")
        assert [one["trusted"] for one in json.loads(direct.stdout)["nodes"]] == ["False", "True"], direct.stderr
        assert town.direct_of(town.anna, "telemetry").returncode == 1
    finally:
        town.cluster.kubectl("delete", "clusterrolebinding", binding)
