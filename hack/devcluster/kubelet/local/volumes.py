"""Volumes of a pod as folders of this machine."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devcluster.api import ApiError
from devcluster.kubelet.client import KubeletClient
from devcluster.kubelet.local.fields import SpecError, field_value
from devcluster.kubelet.local.payload import File, Payload, select, write_payload
from devcluster.kubelet.local.sources import Sources

__all__ = ["Volumes"]

_RENEW_SHARE = 0.8
_TOKEN_SECONDS = 3600
_CONTENT = ("configMap", "secret", "downwardAPI", "projected")


class Volumes:
    """Makes the folders of one pod, and keeps those current whose content comes from the API."""

    def __init__(
        self, client: KubeletClient, pod: Mapping[str, Any], folder: Path, addresses: Mapping[str, str]
    ) -> None:
        self._client, self._pod, self._folder, self._addresses = client, pod, folder, addresses
        self._sources = Sources(client, pod["metadata"]["namespace"])
        self._written: dict[str, Payload] = {}
        self._tokens: dict[str, tuple[float, bytes]] = {}
        self.paths: dict[str, Path] = {}

    async def make(self) -> None:
        """Make all volumes. Raises :class:`SpecError` while something that they refer to is missing."""
        for volume in self._pod["spec"].get("volumes") or ():
            self.paths[volume["name"]] = await self._make(volume)

    async def refresh(self) -> None:
        """Write again what has changed; what has gone missing stays as it was, as with a real kubelet."""
        for volume in self._pod["spec"].get("volumes") or ():
            if any(kind in volume for kind in _CONTENT):
                await self._write(volume)

    async def _make(self, volume: Mapping[str, Any]) -> Path:
        folder = self._folder / volume["name"]
        if any(kind in volume for kind in _CONTENT):
            await self._write(volume)
        elif "persistentVolumeClaim" in volume:
            folder = await self._claimed(volume["persistentVolumeClaim"]["claimName"])
        elif "hostPath" in volume:
            return Path(volume["hostPath"]["path"])
        elif "emptyDir" not in volume:
            kinds = ", ".join(key for key in volume if key != "name")
            raise SpecError(
                f"volume {volume['name']}: {kinds} is not supported by the local kubelet", "ContainerCreating"
            )
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    async def _claimed(self, claim: str) -> Path:
        """The folder of a bound claim: the path of its PersistentVolume."""
        namespace = self._pod["metadata"]["namespace"]
        found = await self._client.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{claim}")
        volume = await self._client.get(f"/api/v1/persistentvolumes/{found['spec'].get('volumeName', 'unbound')}")
        path = volume["spec"].get("hostPath", {}).get("path")
        if not path:
            raise SpecError(f"claim {claim} is bound to a volume that is no local folder", "ContainerCreating")
        return Path(path)

    async def _write(self, volume: Mapping[str, Any]) -> None:
        payload = await self._payload(volume)
        if self._written.get(volume["name"]) != payload:
            write_payload(self._folder / volume["name"], payload)
            self._written[volume["name"]] = payload

    async def _payload(self, volume: Mapping[str, Any]) -> Payload:
        if "projected" not in volume:
            return await self._source(volume, None)
        result: Payload = {}
        mode = volume["projected"].get("defaultMode")
        for source in volume["projected"].get("sources") or ():
            result |= await self._source(source, mode)
        return result

    async def _source(self, source: Mapping[str, Any], mode: int | None) -> Payload:
        if "configMap" in source:
            spec = source["configMap"]
            values = await self._sources.configmap(spec["name"], optional=spec.get("optional", False))
        elif "secret" in source:
            spec = source["secret"]
            name = spec.get("secretName") or spec["name"]
            values = await self._sources.secret(name, optional=spec.get("optional", False))
        elif "downwardAPI" in source:
            return self._downward(source["downwardAPI"], mode)
        elif "serviceAccountToken" in source:
            spec = source["serviceAccountToken"]
            return {spec["path"]: File(await self._token(spec), 0o600)}
        else:
            raise SpecError(f"projected {', '.join(source)} is not supported by the local kubelet", "ContainerCreating")
        optional = spec.get("optional", False)
        return select(values or {}, spec.get("items"), spec.get("defaultMode") or mode, optional=optional)

    def _downward(self, spec: Mapping[str, Any], mode: int | None) -> Payload:
        default = spec.get("defaultMode") or mode or 0o644
        result: Payload = {}
        for item in spec.get("items") or ():
            if "fieldRef" not in item:
                raise SpecError("resourceFieldRef in a downwardAPI volume is not supported by the local kubelet")
            text = field_value(self._pod, item["fieldRef"]["fieldPath"], self._addresses)
            result[item["path"]] = File(text.encode(), item.get("mode") or default)
        return result

    async def _token(self, spec: Mapping[str, Any]) -> bytes:
        """A token bound to the pod, asked for again when four fifths of its life are over."""
        audience = spec.get("audience", "")
        renew_at, token = self._tokens.get(audience, (0.0, b""))
        if time.monotonic() < renew_at:
            return token
        seconds = spec.get("expirationSeconds", _TOKEN_SECONDS)
        token = await self._request_token(audience, seconds)
        self._tokens[audience] = (time.monotonic() + _RENEW_SHARE * seconds, token)
        return token

    async def _request_token(self, audience: str, seconds: int) -> bytes:
        meta = self._pod["metadata"]
        account = self._pod["spec"].get("serviceAccountName", "default")
        bound = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
        spec = {"audiences": [audience] if audience else [], "expirationSeconds": seconds, "boundObjectRef": bound}
        path = f"/api/v1/namespaces/{meta['namespace']}/serviceaccounts/{account}/token"
        try:
            answer = await self._client.request("POST", path, {"spec": spec})
        except ApiError as problem:
            raise SpecError(f"token of ServiceAccount {account}: {problem}", "ContainerCreating") from problem
        return answer["status"]["token"].encode()
