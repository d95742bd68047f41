"""Outcomes on a real API server: who may post them and who not, by role and namespace, in both ways of asking."""

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aicost.adapters.ledger.outcomes.store import DeltaOutcomes
from aicost.adapters.ledger.place import LedgerPlace
from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS, Window, to_rfc3339
from devcluster.api import ApiError
from devcluster.pki import Authority
from support.cluster import LiveCluster
from support.people import Person, account, person
from support.queryapi import install

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]
GROUP = "/apis/query.aicost.dev/v1alpha1"
API_SERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.query.aicost.dev"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
NOW = time.time_ns() // 1_000_000
AT = to_rfc3339((NOW - HOUR_MS) // MINUTE_MS * MINUTE_MS)


@dataclass(frozen=True)
class Place:
    """A query API behind the API server and one beside it, with people of two namespaces."""

    cluster: LiveCluster
    release: str
    direct: str
    authority: Path
    ledger: Path
    uid: str
    a: str
    b: str
    anna: Person
    """May view namespace a."""
    ed: Person
    """May edit namespace b."""
    robot: Person
    """A ServiceAccount that may post outcomes of namespace a, and nothing else."""

    def post(self, who: Person, file: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "aicost", "outcomes", "post", str(file), "--kubeconfig", str(who.kubeconfig)]
        environment = {**os.environ, **environment}
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, check=False, timeout=120, env=environment
        )

    def beside(self, who: Person, file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Past the API server, straight to the port of the query API."""
        known = {"AICOST_SERVER": f"https://localhost:{self.direct}", "AICOST_SERVER_CA": str(self.authority)}
        return self.post(who, file, *arguments, **known)

    def kept(self, namespace: str) -> dict[str, int]:
        spans = [Window(NOW - DAY_MS, NOW + DAY_MS)]
        sums = DeltaOutcomes(LedgerPlace(str(self.ledger))).sums(self.uid, spans, namespace=namespace)
        return {one.reason or "success": one.requests for one in sums}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def place(cluster: LiveCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if cluster.local is None:
        pytest.skip("needs a Service that leads to this machine, and the authority that signs users")
    folder, release = tmp_path_factory.mktemp("outcomes"), f"told-{secrets.token_hex(3)}"
    home, a, b = f"{release}-home", f"{release}-a", f"{release}-b"
    for name in (home, a, b):
        cluster.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        cluster.until(f"/api/v1/namespaces/{name}/serviceaccounts/default", lambda _: True)
    port, direct = _free_port(), _free_port()
    manifests = _install(cluster, release, home, port)
    tls = _certificate(cluster, folder, home, release)
    kubeconfig = cluster.service_account_kubeconfig(home, release)
    own = Authority(folder / "authority", "query-ca")
    beside = folder / "beside"
    beside.mkdir()
    install(beside, own.server("query", ("localhost",)))
    processes = [
        _serve(folder, kubeconfig, tls, port, "front-proxy"),
        _serve(folder, kubeconfig, beside, direct, "users"),
    ]
    uid = cluster.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    try:
        cluster.until(API_SERVICE, _is_available, seconds=180)
        anna, ed, robot = person(cluster, "anna"), person(cluster, "ed"), account(cluster, a, "robot")
        _bind(cluster, anna, a, "view", "list")
        _bind(cluster, ed, b, "edit", "create")
        _bind(cluster, robot, a, f"{release}-outcomes", "create")
        yield Place(
            cluster, release, str(direct), own.certificate, folder / "ledger", uid, a, b, anna, ed, robot
        )  # fmt: skip
    finally:
        for log in sorted(folder.glob("*.log")):
            sys.stderr.write(log.read_text())
        cluster.kubectl("delete", "--ignore-not-found", "-f", "-", text=manifests)
        for process in processes:
            process.terminate()
        codes = [process.wait(30) for process in processes]
        for name in (home, a, b):
            cluster.api.delete(f"/api/v1/namespaces/{name}")
        assert codes == [0, 0]


def _install(cluster: LiveCluster, release: str, home: str, port: int) -> str:
    """The chart's Service, Secret, APIService and roles; and the right to review users, for where there is none."""
    shown = ["--show-only", "templates/query-api.yaml", "--show-only", "templates/rbac.yaml"]
    values = ["--set", "queryApi.externalName=localhost", "--set", f"queryApi.port={port}"]
    chart = str(ROOT / "charts/aicost")
    manifests = cluster.helm("template", release, chart, "-n", home, *shown, *values)
    cluster.kubectl("apply", "-f", "-", text=manifests)
    secret = cluster.api.get(f"/api/v1/namespaces/{home}/secrets/{release}-query-tls")["data"]
    apart = cluster.helm("template", release, chart, "-n", home, *shown, *values, "--set", "queryApi.apiService=false",
                         "--set", "queryApi.certificateSecretName=own", "--set-string",
                         f"queryApi.caBundle={base64.b64decode(secret['ca.crt']).decode()}")  # fmt: skip
    cluster.kubectl("apply", "-f", "-", text=apart)
    return f"{manifests}\n---\n{apart}"


def _certificate(cluster: LiveCluster, folder: Path, home: str, release: str) -> Path:
    """The server's certificate, for its name within the cluster."""
    tls = folder / "tls"
    tls.mkdir()
    data = cluster.api.get(f"/api/v1/namespaces/{home}/secrets/{release}-query-tls")["data"]
    for name, content in data.items():
        (tls / name).write_bytes(base64.b64decode(content))
    return tls


def _serve(folder: Path, kubeconfig: Path, tls: Path, port: int, callers: str) -> "subprocess.Popen[str]":
    settings = folder / f"{callers}.yaml"
    server = {"host": "127.0.0.1", "queryPort": port, "certificateDir": str(tls), "queryCallers": callers}
    ledger = {"url": str(folder / "ledger")}
    settings.write_text(json.dumps({"ledger": ledger, "server": server, "logFormat": "text"}))
    command = [sys.executable, "-m", "aicost", "query", "--config", str(settings), "--kubeconfig", str(kubeconfig)]
    with (folder / f"{callers}.log").open("w") as out:
        return subprocess.Popen(command, stdout=out, stderr=out, text=True)


def _is_available(it: dict) -> bool:
    return any(c["type"] == "Available" and c["status"] == "True" for c in it.get("status", {}).get("conditions") or ())


def _bind(cluster: LiveCluster, who: Person, namespace: str, role: str, verb: str) -> None:
    """A role of the cluster in one namespace, as its administrators give it; and until the API server knows of it."""
    parts = who.name.split(":")
    subject = f"--serviceaccount={parts[2]}:{parts[3]}" if len(parts) == 4 else f"--user={who.name}"
    cluster.kubectl(
        "create", "rolebinding", f"b-{secrets.token_hex(3)}", "-n", namespace, f"--clusterrole={role}", subject
    )
    asked = {"namespace": namespace, "verb": verb, "group": "query.aicost.dev", "resource": "outcomes"}
    for _ in range(300):
        if cluster.api.create(REVIEWS, {"spec": {"user": who.name, "resourceAttributes": asked}})["status"]["allowed"]:
            return
        time.sleep(0.1)
    pytest.fail(f"{who.name} did not come to have {asked}")


def told(tmp_path: Path, *reasons: str, name: str = "r") -> Path:
    """A file with a success for each empty reason, and a failure for each other."""
    lines = [
        {
            "id": f"{name}-{n}",
            "at": AT,
            "workload": "chat",
            "outcome": "failure" if reason else "success",
            "reason": reason,
        }
        for n, reason in enumerate(reasons)
    ]
    file = tmp_path / f"{name}.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    return file


def refused(who: Person, namespace: str, body: object = None, headers: str = "") -> ApiError:
    stated = [{"id": "x", "at": AT, "workload": "chat", "outcome": "success"}] if body is None else body
    with pytest.raises(ApiError) as caught:
        who.api.create(f"{GROUP}/namespaces/{namespace}/outcomes{headers}", stated)
    return caught.value


def test_a_program_posts_with_its_own_token_where_its_role_is_bound_and_nowhere_else(place, tmp_path):
    file = told(tmp_path, "", "", "thumbs-down")
    for _ in range(2):  # twice the same is once
        done = place.post(place.robot, file, "-n", place.a)
        assert (done.returncode, done.stdout.strip()) == (0, f"posted 3 statements: 3 to {place.a}"), done.stderr
    assert place.kept(place.a) == {"success": 2, "thumbs-down": 1}
    foreign = place.post(place.robot, file, "-n", place.b)
    assert foreign.returncode == 1
    assert "outcomes" in foreign.stderr
    assert "create rolebinding" in foreign.stderr
    assert place.kept(place.b) == {}
    with pytest.raises(ApiError) as caught:
        place.robot.api.get(f"{GROUP}/namespaces/{place.a}/outcomes")
    assert caught.value.status == 403


def test_who_may_view_sees_them_and_may_not_post_and_who_may_edit_may(place, tmp_path):
    place.post(place.robot, told(tmp_path, "hallucination", name="seen"), "-n", place.a)
    mine = place.anna.api.get(f"{GROUP}/namespaces/{place.a}/outcomes?window=7d")
    assert "hallucination" in {one.get("reason") for one in mine["items"]}
    assert refused(place.anna, place.a).status == 403
    done = place.post(place.ed, told(tmp_path, "", name="edited"), "-n", place.b)
    assert done.returncode == 0, done.stderr
    assert place.kept(place.b) == {"success": 1}
    assert refused(place.ed, place.a).status == 403
    shown = place.cluster.kubectl("get", "outcomes", "-n", place.a)
    assert shown.splitlines()[0].split() == ["WORKLOAD", "MODEL", "OUTCOME", "REASON", "REQUESTS", "SHARE"]
    assert "hallucination" in shown


def test_the_api_server_passes_on_what_makes_no_sense_with_its_item_and_field(place):
    bad = [{"id": "x", "at": AT, "workload": "chat", "outcome": "great"}]
    found = refused(place.ed, place.b, bad)
    assert found.status == 400
    assert "items[0].outcome: 'great': write success or failure" in str(found)
    found = refused(
        place.ed, place.b, [{"id": "x", "at": AT, "workload": "chat", "outcome": "success", "namespace": place.a}]
    )
    assert (found.status, f"it is sent to namespace {place.b}" in str(found)) == (400, True)


def test_without_an_api_service_the_same_rights_hold_and_no_header_names_anybody(place, tmp_path):
    file = told(tmp_path, "timeout", name="direct")
    done = place.beside(place.robot, file, "-n", place.a)
    assert done.returncode == 0, done.stderr
    assert place.kept(place.a)["timeout"] == 1
    assert place.beside(place.robot, file, "-n", place.b).returncode == 1
    assert place.beside(place.anna, file, "-n", place.a).returncode == 1
    body = json.dumps([{"id": "x", "at": AT, "workload": "chat", "outcome": "success"}])
    url = f"https://localhost:{place.direct}{GROUP}/namespaces/{place.a}/outcomes"
    for headers, status in (
        (["X-Remote-User: system:admin", "X-Remote-Group: system:masters"], "400"),
        (["Impersonate-User: system:admin"], "400"),
        (["Authorization: Bearer forged"], "401"),
        ([], "401"),
    ):
        given = [part for header in headers for part in ("-H", header)]
        command = ["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "--cacert", str(place.authority), *given]
        command += [
            "-H",
            "Content-Type: application/json",
            "-d",
            body,
            "--resolve",
            f"localhost:{place.direct}:127.0.0.1",
        ]
        answer = subprocess.run([*command, url], capture_output=True, text=True, check=False, timeout=30)
        assert answer.stdout == status, (headers, answer)
    assert "x" not in place.kept(place.a)
