"""ConfigMaps and Secrets that a pod refers to, as bytes per key."""

import base64
from typing import Any

from devcluster.api import ApiError
from devcluster.kubelet.client import KubeletClient
from devcluster.kubelet.local.fields import SpecError

__all__ = ["Sources"]

_NOT_FOUND = 404


class Sources:
    """Reads ConfigMaps and Secrets of one namespace."""

    def __init__(self, client: KubeletClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def configmap(self, name: str, *, optional: bool) -> dict[str, bytes] | None:
        """All keys of a ConfigMap; None when it may be missing and is."""
        found = await self._read("configmaps", name, optional=optional)
        if found is None:
            return None
        text = {key: value.encode() for key, value in (found.get("data") or {}).items()}
        return text | {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}

    async def secret(self, name: str, *, optional: bool) -> dict[str, bytes] | None:
        """All keys of a Secret; None when it may be missing and is."""
        found = await self._read("secrets", name, optional=optional)
        return None if found is None else {k: base64.b64decode(v) for k, v in (found.get("data") or {}).items()}

    async def _read(self, plural: str, name: str, *, optional: bool) -> Any:
        try:
            return await self._client.get(f"/api/v1/namespaces/{self._namespace}/{plural}/{name}")
        except ApiError as problem:
            if problem.status != _NOT_FOUND:
                raise
        if optional:
            return None
        raise SpecError(f'{plural.removesuffix("s")} "{name}" not found')
