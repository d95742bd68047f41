"""The webhook on a loopback port, over TLS, judging by a snapshot that a test gives it."""

import base64
import io
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web

from aicost.adapters.clock import now_ms
from aicost.adapters.serving.certificates import Keyring, kept_or_renewed
from aicost.domain.policy.requests import PolicySnapshot
from aicost.entrypoints.admission.answering.app import webhook_app
from aicost.entrypoints.admission.answering.judge import Judge
from aicost.entrypoints.admission.certificate import Certificate
from aicost.entrypoints.admission.knowledge.snapshot import Snapshot
from aicost.telemetry.metrics import Metrics
from support.builders import T0

NAMES = ("localhost",)


def review(body: Any, operation: str = "CREATE", **more: Any) -> dict[str, Any]:
    """What the API server sends."""
    metadata = (body or {}).get("metadata") or {}
    request = {
        "uid": "u-1",
        "operation": operation,
        "namespace": metadata.get("namespace", "plain"),
        "name": metadata.get("name", ""),
        "userInfo": {"username": "dana", "groups": ["engineers", "system:authenticated"]},
        "object": body,
        "oldObject": None,
        "dryRun": False,
        **more,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


@dataclass
class ServedWebhook:
    """A webhook that runs; `async with` it.

    Attributes:
        told: denials that would be told on owners.
    """

    folder: Path
    now_ms: int = T0
    told: list[str] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)
    keyring: Keyring = field(init=False)
    port: int = 0

    def __post_init__(self) -> None:
        self.judge = Judge(
            self.metrics, lambda: self.now_ms, lambda *parts: self.told.append(parts[-1]) if parts[-1] else None
        )
        self.show(kept_or_renewed(None, NAMES, now_ms()))
        self.certificate = Certificate(self.metrics, folder=self.folder)

    def show(self, keyring: Keyring) -> None:
        """Put a certificate where the webhook looks for it."""
        self.keyring = keyring
        (self.folder / "tls.crt").write_bytes(keyring.certificate)
        (self.folder / "tls.key").write_bytes(keyring.key)

    def know(self, policy: PolicySnapshot, **more: Any) -> None:
        """Judge by these policies from now on."""
        self.judge.snapshot = Snapshot(policy, **more)

    async def __aenter__(self) -> Self:
        await self.certificate.look()
        self._runner = web.AppRunner(webhook_app(self.judge, self.metrics), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.certificate.context).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def session(self) -> aiohttp.ClientSession:
        """A client that trusts what the API server would trust now."""
        trust = ssl.create_default_context(cadata=self.keyring.authority.decode())
        return aiohttp.ClientSession(f"https://localhost:{self.port}", connector=aiohttp.TCPConnector(ssl=trust))

    async def post(self, path: str, content: bytes | Mapping[str, Any]) -> tuple[int, Any]:
        """Status and answer; a text where it is no JSON."""
        data = io.BytesIO(content if isinstance(content, bytes) else json.dumps(content).encode())
        async with self.session() as session, session.post(path, data=data) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else await answer.text()

    async def ask(self, path: str, body: Any, operation: str = "CREATE", **more: Any) -> dict[str, Any]:
        """The response to a question about an object."""
        status, answer = await self.post(path, review(body, operation, **more))
        assert status == 200, answer
        assert answer["response"]["uid"] == "u-1"
        return answer["response"]


def patch_of(response: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The JSON patch of a response."""
    return json.loads(base64.b64decode(response["patch"])) if "patch" in response else []
