"""Pods with an image of ours run as processes that see what their spec promises."""

import json
import secrets
import time
import urllib.error
import urllib.request

import pytest

from devcluster.nodes import FakeNode
from support.cluster import LiveCluster

pytestmark = pytest.mark.cluster

_SERVER = """
import http.server, json, os, pathlib, signal, socket, sys
seen = {
    "pid": os.getpid(), "proc": os.readlink("/proc/self"),
    "env": dict(os.environ), "uid": os.getuid(), "host": socket.gethostname(), "argv": sys.argv[1:],
    "files": {name: pathlib.Path(name).read_text() for name in sys.argv[1:]},
}
for name in ("/etc/written", "/var/lib/aicost/written", "/tmp/written"):
    try:
        pathlib.Path(name).write_text("x")
        seen[name] = "written"
    except OSError as problem:
        seen[name] = problem.strerror
well = True
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global well
        if self.path == "/break":
            well = False
        body = pathlib.Path(self.path[5:]).read_text() if self.path.startswith("/read") else json.dumps(seen)
        self.send_response(200 if well or self.path == "/seen" else 500)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *words):
        print(*words, file=sys.stderr, flush=True)
signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
http.server.ThreadingHTTPServer((os.environ["POD_IP"], 8080), Handler).serve_forever()
"""
_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture
def node(local_cluster: LiveCluster):
    name = f"node-{secrets.token_hex(3)}"
    local_cluster.nodes.create(FakeNode(name))
    yield name
    local_cluster.nodes.delete(name)


def _server(namespace: str, node: str) -> list[dict]:
    field = lambda path: {"fieldRef": {"fieldPath": path}}  # noqa: E731
    probe = {"httpGet": {"path": "/well", "port": "http"}, "periodSeconds": 1}
    container = {
        "name": "main",
        "image": "registry.example/team/aicost:1.2",
        "command": ["python", "-c", _SERVER],
        "args": [f"{_TOKEN}/namespace", "/etc/aicost/config.yaml", "/etc/$(SECRET)/$(SECRET)"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [
            {"name": "POD_IP", "valueFrom": field("status.podIP")},
            {"name": "NODE", "valueFrom": field("spec.nodeName")},
            {"name": "APP", "valueFrom": field("metadata.labels['app']")},
            {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "word"}}},
            {"name": "BOTH", "value": "$(NODE)-$(APP)-$$(APP)-$(UNKNOWN)"},
        ],
        "envFrom": [{"configMapRef": {"name": "config"}, "prefix": "C_"}],
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/aicost", "readOnly": True},
            {"name": "secret", "mountPath": "/etc/hidden/hidden", "subPath": "word"},
            {"name": "data", "mountPath": "/var/lib/aicost"},
        ],
        "startupProbe": {**probe, "failureThreshold": 30},
        "readinessProbe": probe,
        "livenessProbe": {**probe, "failureThreshold": 1},
        "securityContext": {"runAsUser": 4711, "readOnlyRootFilesystem": True},
    }
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    meta = {"name": "server", "namespace": namespace, "labels": {"app": "x"}}
    spec = {
        "nodeName": node,
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": "config"}},
            {"name": "secret", "secret": {"secretName": "hidden"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        ],
    }

    def thing(kind: str, name: str, **rest: object) -> dict:
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, **rest}

    return [
        thing("ConfigMap", "config", data={"config.yaml": "a: 1"}),
        thing("Secret", "hidden", stringData={"word": "hidden"}),
        thing("PersistentVolumeClaim", "data", spec=claim),
        {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec},
    ]


def _is_ready(pod: dict) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def _ask(pod: dict, path: str) -> str:
    with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8080{path}", timeout=5) as answer:
        return answer.read().decode()


@pytest.fixture
def server(local_cluster: LiveCluster, namespace: str, node: str) -> dict:
    local_cluster.apply(*_server(namespace, node))
    return local_cluster.until(f"/api/v1/namespaces/{namespace}/pods/server", _is_ready)


def test_a_pod_of_ours_sees_its_environment_files_user_processes_and_host_name(local_cluster, namespace, node, server):
    seen = json.loads(_ask(server, "/seen"))
    assert seen["env"]["BOTH"] == f"{node}-x-$(APP)-$(UNKNOWN)"
    assert seen["env"]["C_config.yaml"] == "a: 1"
    assert seen["files"] == {
        f"{_TOKEN}/namespace": namespace,
        "/etc/aicost/config.yaml": "a: 1",
        "/etc/hidden/hidden": "hidden",
    }
    assert (seen["uid"], seen["host"]) == (4711, "server")
    assert (seen["pid"], seen["proc"]) == (1, "1")
    assert seen["/etc/written"] == "Read-only file system"
    assert seen["/var/lib/aicost/written"] == "written"
    assert "SSH_AUTH_SOCK" not in seen["env"]
    claim = local_cluster.api.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/data")
    assert claim["status"]["phase"] == "Bound"


def test_a_changed_config_map_reaches_the_running_process(local_cluster, namespace, server):
    assert _ask(server, "/read/etc/aicost/config.yaml") == "a: 1"
    local_cluster.api.patch(f"/api/v1/namespaces/{namespace}/configmaps/config", {"data": {"config.yaml": "a: 2"}})
    deadline = time.monotonic() + 30
    while _ask(server, "/read/etc/aicost/config.yaml") != "a: 2":
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_failing_liveness_probe_restarts_the_container(local_cluster, namespace, server):
    with pytest.raises(urllib.error.HTTPError):
        _ask(server, "/break")
    path = f"/api/v1/namespaces/{namespace}/pods/server"
    pod = local_cluster.until(path, lambda it: it["status"]["containerStatuses"][0]["restartCount"] == 1)
    assert pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 143
    local_cluster.until(path, _is_ready)
    events = local_cluster.kubectl("get", "events", "-n", namespace, "-o", "jsonpath={.items[*].message}")
    assert "Liveness probe failed: HTTP probe failed with statuscode: 500" in events


def test_a_deleted_pod_takes_its_process_with_it(local_cluster, namespace, server):
    local_cluster.kubectl("delete", "pod", "-n", namespace, "server", "--timeout=30s")
    with pytest.raises(urllib.error.URLError):
        _ask(server, "/seen")


def _script(namespace: str, node: str, code: str, policy: str = "Never", **more: object) -> dict:
    container = {"name": "main", "image": "aicost", "command": ["python", "-c", code], **more}
    spec = {"nodeName": node, "restartPolicy": policy, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "script", "namespace": namespace}, "spec": spec}


def test_the_token_of_a_pod_speaks_for_its_service_account(local_cluster, namespace, node):
    code = f"""
import json, os, pathlib, ssl, urllib.request
folder = pathlib.Path("{_TOKEN}")
server = os.environ["KUBERNETES_SERVICE_HOST"] + ":" + os.environ["KUBERNETES_SERVICE_PORT"]
body = {{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}}
headers = {{"Authorization": "Bearer " + (folder / "token").read_text(), "Content-Type": "application/json"}}
request = urllib.request.Request(f"https://{{server}}/apis/authentication.k8s.io/v1/selfsubjectreviews",
    json.dumps(body).encode(), headers)
answer = urllib.request.urlopen(request, context=ssl.create_default_context(cafile=folder / "ca.crt"))
name = json.load(answer)["status"]["userInfo"]["username"]
raise SystemExit(0 if name == "system:serviceaccount:{namespace}:default" else name)
"""
    local_cluster.apply(_script(namespace, node, code))
    path = f"/api/v1/namespaces/{namespace}/pods/script"
    local_cluster.until(path, lambda it: it["status"]["phase"] == "Succeeded")


def test_a_crashing_container_backs_off_like_everywhere(local_cluster, namespace, node):
    local_cluster.apply(_script(namespace, node, "raise SystemExit(3)", policy="Always"))
    path = f"/api/v1/namespaces/{namespace}/pods/script"

    def backs_off(pod: dict) -> bool:
        (status,) = pod["status"].get("containerStatuses", [{}])
        return status.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff"

    pod = local_cluster.until(path, backs_off)
    assert pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 3
    assert pod["status"]["phase"] == "Running"


def test_a_missing_config_map_is_named_and_the_pod_starts_once_it_is_there(local_cluster, namespace, node):
    origin = {"configMapKeyRef": {"name": "late", "key": "word"}}
    code = "import os; raise SystemExit(0 if os.environ['WORD'] == 'here' else 1)"
    local_cluster.apply(_script(namespace, node, code, env=[{"name": "WORD", "valueFrom": origin}]))
    path = f"/api/v1/namespaces/{namespace}/pods/script"

    def waiting(pod: dict) -> dict:
        (status,) = pod["status"].get("containerStatuses", [{}])
        return status.get("state", {}).get("waiting", {})

    pod = local_cluster.until(path, lambda it: waiting(it).get("reason") == "CreateContainerConfigError")
    assert waiting(pod)["message"] == 'configmap "late" not found'
    meta = {"name": "late", "namespace": namespace}
    local_cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"word": "here"}})
    local_cluster.until(path, lambda it: it["status"]["phase"] == "Succeeded")


def test_init_containers_run_first_and_share_the_empty_volume(local_cluster, namespace, node):
    pod = _script(namespace, node, "print(open('/work/word').read()); assert open('/work/word').read() == 'x'")
    mount = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    first = {"name": "first", "image": "aicost", "command": ["sh", "-c", "printf x > /work/word"], **mount}
    pod["spec"] |= {"initContainers": [first], "volumes": [{"name": "work", "emptyDir": {}}]}
    pod["spec"]["containers"][0] |= mount
    local_cluster.apply(pod)
    path = f"/api/v1/namespaces/{namespace}/pods/script"
    ended = local_cluster.until(path, lambda it: it["status"]["phase"] in {"Succeeded", "Failed"})
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["status"]["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
