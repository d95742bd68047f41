"""Objects of any kind on the real control plane, and levers that are pulled on them."""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.kube.hands.hands import Hands
from aicost.adapters.kube.hands.objects import ref_of
from aicost.adapters.kube.wire.errors import Conflict
from aicost.domain.enforcement.levers.lever import Ask, Lever
from aicost.domain.enforcement.levers.serving import ANY_SCALE
from aicost.domain.enforcement.values import Change, Json, ObjectRef
from aicost.domain.enforcement.writing.changes import Undoing
from aicost.domain.enforcement.writing.records import Record, record
from support.cluster import LiveCluster
from support.third_party.definitions import ENGINE

ACTION = "month-suspend-1"
ASK = Ask(
    floor=0, live=2, note="research/month is at 92%; at 100% no new GPU workloads are taken", used={"nvidia.com/gpu": 2}
)
SCALED = replace(ANY_SCALE, group=ENGINE.group, kind=ENGINE.kind, plural=ENGINE.plural)
"""The lever for kinds that nobody has heard of, on one of them."""
_COUNTER = itertools.count()


class Bench:
    """A namespace of this module, and what is needed to make objects in it."""

    def __init__(self, cluster: LiveCluster, namespace: str) -> None:
        self.cluster, self.api, self.namespace = cluster, cluster.api, namespace
        self.config = load({}, now_ms, kubeconfig=cluster.kubeconfig)

    def path(self, body: Json, name: str = "") -> str:
        version, plural = body["apiVersion"], f"{body['kind'].lower()}s"
        within = f"/{'apis' if '/' in version else 'api'}/{version}/namespaces/{self.namespace}/{plural}"
        return f"{within}/{name}" if name else within

    def make(self, body: Json) -> ObjectRef:
        """Create an object; the API server fills in its defaults."""
        name = f"one-{next(_COUNTER)}"
        return ref_of(self.api.create(self.path(body), {**body, "metadata": {**body["metadata"], "name": name}}))

    def remove(self, ref: ObjectRef) -> None:
        body = {"apiVersion": ref.api_version, "kind": ref.kind}
        self.api.delete(self.path(body, ref.name), {"propagationPolicy": "Background"})

    def somebody(self, obj: Json, operations: list[dict[str, Any]]) -> None:
        """Somebody else patches an object, or its Scale."""
        below = [{**one, "path": one["path"].removeprefix("/scale")} for one in operations]
        scaled = below != operations
        path = self.path(obj, obj["metadata"]["name"]) + ("/scale" if scaled else "")
        self.api.request("PATCH", path, below, {"Content-Type": "application/json-patch+json"})  # type: ignore[arg-type]


class Pulled:
    """One object, and a lever that is pulled on it."""

    def __init__(self, bench: Bench, hands: Hands, lever: Lever, ref: ObjectRef) -> None:
        self.bench, self.hands, self.lever, self.ref = bench, hands, lever, ref

    async def read(self) -> Json:
        found = await self.hands.read(self.ref)
        assert found is not None
        return found

    async def pull(self) -> tuple[tuple[Change, ...], Json]:
        """As often as it takes: controllers write the status of a new object while it is pulled."""
        while True:
            with suppress(Conflict):
                return await self.pull_on(await self.read())

    async def pull_on(self, obj: Json) -> tuple[tuple[Change, ...], Json]:
        changes = self.lever.changes(obj, ASK)
        return changes, await self.hands.write(obj, changes, self.record(changes))

    def record(self, changes: tuple[Change, ...]) -> Record:
        return record(ACTION, "research/month", "Suspend", 1_800_000_000_000, changes)

    async def undo(self, changes: tuple[Change, ...]) -> Undoing:
        return await self.hands.undo(await self.read(), ACTION, changes)


def pulling(bench: Bench, lever: Lever, body: Json, test: Callable[[Pulled], Any], client: type = KubeClient) -> None:
    """Run a test on a new object that goes after it."""

    async def run() -> None:
        async with client(bench.config) as opened:
            ref = bench.make(body)
            try:
                await test(Pulled(bench, Hands(opened, now_ms), lever, ref))
            finally:
                bench.remove(ref)

    asyncio.run(run())


def bare(obj: Json) -> dict[str, Any]:
    """What is the object's own: without what the API server and controllers keep about it."""
    kept = {key: value for key, value in obj.items() if key not in {"status", "scale"}}
    passing = {"managedFields", "resourceVersion", "generation"}
    metadata = {key: value for key, value in obj["metadata"].items() if key not in passing}
    revision = "deployment.kubernetes.io/revision"  # its controller writes this a moment after it was made
    annotations = {key: value for key, value in metadata.pop("annotations", {}).items() if key != revision}
    return {**kept, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}
