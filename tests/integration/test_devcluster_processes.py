"""Pods with an image of ours run as processes that see what their spec promises."""

import json
import secrets
import urllib.request

import pytest
from devcluster.nodes import FakeNode
from support.cluster import LiveCluster

pytestmark = pytest.mark.cluster

_SERVER = """
import http.server, json, os, pathlib, socket, sys
seen = {
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
    conditions = pod.get("status", {}).get("conditions", [])
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def _ask(pod: dict, path: str) -> str:
    with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8080{path}", timeout=5) as answer:
        return answer.read().decode()


@pytest.fixture
def server(local_cluster: LiveCluster, namespace: str, node: str) -> dict:
    local_cluster.apply(*_server(namespace, node))
    return local_cluster.until(f"/api/v1/namespaces/{namespace}/pods/server", _is_ready)


def test_a_pod_of_ours_sees_its_environment_files_user_and_host_name(local_cluster, namespace, node, server):
    seen = json.loads(_ask(server, "/seen"))
    assert seen["env"]["BOTH"] == f"{node}-x-$(APP)-$(UNKNOWN)"
    assert seen["env"]["C_config.yaml"] == "a: 1"
    assert seen["files"] == {
        f"{_TOKEN}/namespace": namespace,
        "/etc/aicost/config.yaml": "a: 1",
        "/etc/hidden/hidden": "hidden",
    }
    assert (seen["uid"], seen["host"]) == (4711, "server")
    assert seen["/etc/written"] == "Read-only file system"
    assert seen["/var/lib/aicost/written"] == "written"
    assert "SSH_AUTH_SOCK" not in seen["env"]
    claim = local_cluster.api.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/data")
    assert claim["status"]["phase"] == "Bound"
