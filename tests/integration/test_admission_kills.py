"""Whatever becomes of the webhook, objects are made in time, and it shows that nobody judges them.

Time is judged by the API server itself: a request that it cannot finish within `timeout` is answered with an error.
"""

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.serving.certificates import Keyring, kept_or_renewed
from aicost.domain.exact.windows import DAY_MS
from aicost.entrypoints.controller.labels.webhook import WebhookProbe
from aicost.entrypoints.controller.registry import Registry
from aicost.entrypoints.controller.state import State
from aicost.telemetry.metrics import Metrics
from devcluster.api import ApiError
from devcluster.binaries import Programs
from devcluster.cluster import Cluster
from devcluster.host import processes
from support.admission.manifests import pod
from support.cluster import LiveCluster
from support.controller import shown
from support.webhook import RunningWebhook, running_webhook

pytestmark = pytest.mark.cluster

LIMIT = "5s"
"""What the API server is given for the whole request, both webhooks included."""
POLICY = {"mode": "Deny", "keys": [{"key": "team", "required": "Always", "allowed": {"values": ["vision"]}}]}
KEYS = {"ca.crt": "authority", "ca.key": "authority_key", "tls.crt": "certificate", "tls.key": "key"}


@pytest.fixture(scope="module")
def cluster(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCluster]:
    """A cluster of our own, since its API server is killed."""
    folder = tmp_path_factory.mktemp("cluster")
    with Cluster(folder / "state", programs) as own:
        yield LiveCluster(own.kubeconfig, folder, own)


@pytest.fixture(scope="module")
def webhook(cluster: LiveCluster) -> Iterator[RunningWebhook]:
    with running_webhook(cluster) as one:
        one.policy("cost-labels", **POLICY)
        yield one
        one.forget_policies()


def _create(webhook: RunningWebhook, namespace: str, name: str = "unlabelled") -> str:
    """Try to make a pod that the policy refuses; what the API server says, empty where it was made."""
    body = pod(name=name, namespace=namespace)
    try:
        webhook.cluster.api.create(f"/api/v1/namespaces/{namespace}/pods?timeout={LIMIT}", body)
    except ApiError as problem:
        return str(problem)
    return ""


def _failed_open(webhook: RunningWebhook) -> float:
    """How often the API server went on without a webhook of ours, by its own count."""
    lines = webhook.cluster.api.get("/metrics").splitlines()
    name = "apiserver_admission_webhook_fail_open_count{"
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name) and "aicost.dev" in line)


async def _enforced(webhook: RunningWebhook) -> tuple[float, str]:
    """What the controller would show, with the rights that the chart gives it: its metric, and the problem."""
    state, metrics = State("test"), Metrics()
    account = webhook.cluster.service_account_kubeconfig(webhook.release.namespace, webhook.release.name)
    config = load({}, now_ms, kubeconfig=account)
    async with KubeClient(config) as client:
        await WebhookProbe(client, webhook.release.namespace, Registry(), state, metrics).look()
    assert state.labels.webhook is not None
    return shown(metrics)["aicost_enforcement_active", "webhook"], state.labels.webhook.problem


@contextlib.contextmanager
def _stopped(webhook: RunningWebhook) -> Iterator[None]:
    """Without the pods of the webhook; with them again afterwards."""
    api = webhook.cluster.api
    api.patch(webhook.deployment, {"spec": {"replicas": 0}})
    label = f"app.kubernetes.io/instance={webhook.release.name},app.kubernetes.io/component=admission"
    pods = f"{webhook.release.core}/pods?labelSelector={label}"
    webhook.cluster.until(pods, lambda found: not found["items"])
    try:
        yield
    finally:
        api.patch(webhook.deployment, {"spec": {"replicas": 1}})
        webhook.cluster.until(webhook.deployment, lambda found: found["status"].get("readyReplicas") == 1, 90)
        webhook.cluster.until("/version", lambda _: webhook.refuses(), 60)


@contextlib.contextmanager
def _listening(port: int, answer: Callable[[socket.socket], None]) -> Iterator[None]:
    """Something else that takes connections on the port of the webhook."""
    kept: list[socket.socket] = []

    def take() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                kept.append(connection)
                with contextlib.suppress(OSError):
                    answer(connection)

    with socket.create_server(("127.0.0.1", port)) as listener:
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for one in kept:
                one.close()


def _keyring(webhook: RunningWebhook) -> Keyring:
    data = webhook.cluster.api.get(webhook.secret)["data"]
    return Keyring(**{name: base64.b64decode(data[key]) for key, name in KEYS.items()})


def _context(folder: Path, keyring: Keyring) -> ssl.SSLContext:
    (folder / "crt").write_bytes(keyring.certificate)
    (folder / "key").write_bytes(keyring.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt", folder / "key")
    return context


def _expired(webhook: RunningWebhook) -> Keyring:
    """A certificate of the trusted authority that has expired."""
    names = (webhook.host, f"{webhook.host}.cluster.local")
    trusted = _keyring(webhook)
    unsigned = replace(trusted, certificate=trusted.authority)
    old = kept_or_renewed(replace(unsigned, certificate=trusted.certificate), ("another.name",), now_ms())
    return kept_or_renewed(old, names, now_ms() - 200 * DAY_MS)


async def test_while_the_webhook_answers_it_refuses_and_that_shows(webhook: RunningWebhook, namespace: str) -> None:
    assert "[cost-labels]" in _create(webhook, namespace)
    assert await _enforced(webhook) == (1.0, "")


async def test_without_the_webhook_pods_are_made_and_it_shows(webhook: RunningWebhook, namespace: str) -> None:
    before = _failed_open(webhook)
    with _stopped(webhook):
        assert _create(webhook, namespace) == ""
        assert _failed_open(webhook) - before == 2, "one webhook for labels to write, one for the verdict"
        active, problem = await _enforced(webhook)
    assert (active, "went on without the webhook" in problem) == (0.0, True)
    assert "[cost-labels]" in _create(webhook, namespace, "later")


async def test_with_a_webhook_that_swallows_everything_pods_are_made_in_time(
    webhook: RunningWebhook, namespace: str
) -> None:
    before = _failed_open(webhook)
    with _stopped(webhook), _listening(webhook.port, lambda _: None):
        assert _create(webhook, namespace) == ""
        assert _failed_open(webhook) - before == 2
        assert (await _enforced(webhook))[0] == 0.0


async def test_with_a_webhook_that_takes_for_ever_pods_are_made_in_time(
    webhook: RunningWebhook, namespace: str, tmp_path: Path
) -> None:
    """The handshake succeeds, the question is taken, and no answer comes."""
    context, taken = _context(tmp_path, _keyring(webhook)), threading.Event()

    def take(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            taken.set() if encrypted.recv(65_536) else None
            encrypted.recv(65_536)

    def in_background(connection: socket.socket) -> None:
        def run() -> None:
            with contextlib.suppress(OSError):
                take(connection)

        threading.Thread(target=run, daemon=True).start()

    before = _failed_open(webhook)
    with _stopped(webhook), _listening(webhook.port, in_background):
        assert _create(webhook, namespace) == ""
        assert taken.is_set()
        assert _failed_open(webhook) - before == 2


async def test_with_an_expired_certificate_pods_are_made_and_the_webhook_mends_it_when_it_comes_back(
    webhook: RunningWebhook, namespace: str, tmp_path: Path
) -> None:
    expired = _expired(webhook)
    context, refused = _context(tmp_path, expired), threading.Event()

    def shake(connection: socket.socket) -> None:
        try:
            context.wrap_socket(connection, server_side=True).recv(1)
        except ssl.SSLError:
            refused.set()

    before = _failed_open(webhook)
    with _stopped(webhook):
        with _listening(webhook.port, shake):
            assert _create(webhook, namespace) == ""
            assert _failed_open(webhook) - before == 2
            assert refused.wait(10), "the API server did not mind"
            assert (await _enforced(webhook))[0] == 0.0
        data = {key: base64.b64encode(getattr(expired, name)).decode() for key, name in KEYS.items()}
        webhook.cluster.api.patch(webhook.secret, {"data": data})
    assert "[cost-labels]" in _create(webhook, namespace, "later")
    assert _keyring(webhook).certificate != expired.certificate
    assert await _enforced(webhook) == (1.0, "")


async def test_after_a_restart_of_the_api_server_pods_are_judged_again(webhook: RunningWebhook, namespace: str) -> None:
    assert webhook.cluster.local
    plane = webhook.cluster.local.control_plane
    (number,) = (place for place, one in enumerate(plane._children) if one.name == "kube-apiserver")
    old = plane._children[number]
    argv: Any = old.process.args
    processes.stop(old, 30)
    words = argv[len(processes.launcher()) :]
    plane._children[number] = processes.start("kube-apiserver", words, plane.state)
    webhook.cluster.api.close()  # its connections led to the old one
    plane.api.close()
    plane._wait("/readyz", "the API server")
    webhook.cluster.until("/version", lambda _: webhook.refuses(), 60)
    webhook.policy("another", mode="Warn", keys=[{"key": "product", "required": "Always"}])
    assert "[cost-labels]" in _create(webhook, namespace)


def test_what_somebody_took_away_in_need_stays_away_and_shows(webhook: RunningWebhook, namespace: str) -> None:
    """The last test of this file: the release has no webhook configurations any more."""
    for path in webhook.configurations:
        webhook.cluster.api.delete(path)
    assert _create(webhook, namespace) == ""
    webhook.cluster.until("/version", lambda _: "aicost_admission_trusted 0.0" in webhook.page("/metrics"), 60)
    for path in webhook.configurations:
        webhook.cluster.until_gone(path, 1)
