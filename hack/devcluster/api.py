"""A small blocking client of the API server, for start-up, fake nodes and tests."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import urllib3

from devcluster.kubeconfig import Access, write_kubeconfig
from devcluster.pki import Identity

__all__ = ["Api", "ApiError", "Object"]

Object = dict[str, Any]
_PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


class ApiError(Exception):
    """The API server refused; ``status`` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status = status


class Api:
    """Plain requests by path, such as ``/api/v1/nodes``. JSON in, JSON out; :class:`ApiError` on a refusal."""

    def __init__(self, access: Access) -> None:
        self.access = access
        user = access.user
        self._headers = {"Authorization": f"Bearer {user}"} if isinstance(user, str) else {}
        self._pool = urllib3.PoolManager(
            ca_certs=str(access.authority),
            cert_file=str(user.certificate) if isinstance(user, Identity) else None,
            key_file=str(user.key) if isinstance(user, Identity) else None,
            retries=False,
            timeout=urllib3.Timeout(connect=5, read=60),
            maxsize=4,
        )

    def request(
        self, method: str, path: str, body: Object | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Send one request; the decoded answer, or its text when it is no JSON."""
        content = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **self._headers, **(headers or {})}
        answer = self._pool.request(method, self.access.server + path, body=content, headers=sent)
        text = answer.data.decode(errors="replace")
        if answer.status >= 400:
            raise ApiError(answer.status, _message(text))
        return json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text

    def get(self, path: str) -> Any:
        """Read an object, a list or a plain page such as ``/readyz``."""
        return self.request("GET", path)

    def create(self, path: str, body: Object) -> Object:
        """Create an object in a collection."""
        return self.request("POST", path, body)

    def patch(self, path: str, body: Object, kind: str = "merge", manager: str = "") -> Object:
        """Patch an object; ``kind`` is ``merge``, ``strategic`` or ``apply`` (server-side, forced)."""
        suffix = "?fieldManager=devcluster&force=true" if kind == "apply" else ""
        suffix = suffix or (f"?fieldManager={manager}" if manager else "")
        return self.request("PATCH", path + suffix, body, {"Content-Type": _PATCH_TYPES[kind]})

    def delete(self, path: str, body: Object | None = None) -> Object:
        """Delete an object; ``body`` is DeleteOptions."""
        return self.request("DELETE", path, body)

    def service_account_kubeconfig(self, namespace: str, name: str, target: Path, seconds: int = 3600) -> Path:
        """Write a kubeconfig that acts as a ServiceAccount, with a token from TokenRequest."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        answer = self.create(path, {"spec": {"expirationSeconds": seconds}})
        return write_kubeconfig(target, replace(self.access, user=answer["status"]["token"]), namespace)

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()


def _message(text: str) -> str:
    try:
        return str(json.loads(text).get("message", text))
    except (ValueError, AttributeError):
        return text[:500]
