"""Objects of any kind as JSON, with their `/scale`: read, patched, annotated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.adapters.kube.client import KubeClient, decode
from aicost.adapters.kube.wire.errors import NotFound, ServerFault
from aicost.adapters.kube.wire.resources import SCALE, ServedKind
from aicost.domain.enforcement.values import Json, ObjectRef
from aicost.domain.enforcement.writing.changes import Operation

_NO_NUMBER = "spec replicas field"
"""The API server fails (500) to show the Scale of a custom resource that leaves out its number of replicas."""


def ref_of(obj: Json) -> ObjectRef:
    """What an object is called."""
    meta = obj["metadata"]
    return ObjectRef(obj["apiVersion"], obj["kind"], meta.get("namespace", ""), meta["name"], meta.get("uid", ""))


@dataclass(slots=True)
class Objects:
    """Objects of kinds that are only known by their names."""

    client: KubeClient
    field_manager: str

    async def get(self, kind: ServedKind, ref: ObjectRef, *, scale: bool) -> Json | None:
        """An object, None where it is gone or another one took its name.

        Args:
            kind: its kind.
            ref: what it is called.
            scale: whether its Scale, if it has one, is put under `scale`.
        """
        try:
            found = _decoded(await self.client.get(kind.resource, ref.name, ref.namespace), kind)
        except NotFound:
            return None
        if ref.uid and found["metadata"]["uid"] != ref.uid:
            return None
        shown = await self.scale(kind, ref) if scale and kind.scalable else None
        return found if shown is None else {**found, SCALE: shown}

    async def scale(self, kind: ServedKind, ref: ObjectRef) -> Json | None:
        """The Scale of an object, None where the object is gone or names no number of replicas."""
        try:
            answer = await self.client.get(kind.resource, ref.name, ref.namespace, subresource=SCALE)
        except NotFound:
            return None
        except ServerFault as fault:
            if _NO_NUMBER in str(fault):
                return None
            raise
        return _with_number(_decoded(answer, kind))

    async def patch(
        self, kind: ServedKind, ref: ObjectRef, operations: Sequence[Operation], subresource: str | None = None
    ) -> Json:
        """Patch an object or its subresource; what is there then.

        Raises:
            Conflict: it was written since it was read.
        """
        answer = await self.client.json_patch(
            kind.resource,
            ref.name,
            operations,
            ref.namespace,
            field_manager=self.field_manager,
            subresource=subresource,
        )
        return _decoded(answer, kind)

    async def annotate(self, kind: ServedKind, ref: ObjectRef, annotations: Mapping[str, str | None]) -> Json:
        """Set annotations, and remove those that are None."""
        metadata = {"annotations": dict(annotations), **({"uid": ref.uid} if ref.uid else {})}
        answer = await self.client.merge_patch(
            kind.resource, ref.name, {"metadata": metadata}, ref.namespace, field_manager=self.field_manager
        )
        return _decoded(answer, kind)


def _decoded(answer: bytes, kind: ServedKind) -> Json:
    found: dict[str, Any] = decode(answer, dict[str, Any], f"read {kind.resource}")
    return found


def _with_number(scale: Json) -> Json:
    """The API server leaves the number out where it is 0."""
    spec = scale.get("spec") or {}
    return {**scale, "spec": {**spec, "replicas": spec.get("replicas", 0)}}
