"""What stands around workloads: autoscalers, schedules, queues, disruption budgets, and what else grows by itself."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.hands.kinds import Kinds
from aicost.adapters.kube.lists import Body, pages_of
from aicost.domain.enforcement.levers.table import FREEZE, SCHEDULES
from aicost.domain.enforcement.surroundings import Surroundings
from aicost.ports.errors import NotPermitted

_BUDGETS = ("policy", "PodDisruptionBudget")
_FIELDS: Mapping[tuple[str, str], str] = {
    ("autoscaling", "HorizontalPodAutoscaler"): "autoscalers",
    ("keda.sh", "ScaledObject"): "scaled",
    ("kueue.x-k8s.io", "Workload"): "queued",
    ("kueue.x-k8s.io", "LocalQueue"): "queues",
    _BUDGETS: "disruptions",
    ("", "ResourceQuota"): "quotas",
    **{(one.group, one.kind): "schedules" for one in SCHEDULES},
}
"""Kind -> where it stands among surroundings."""
KINDS = tuple(dict.fromkeys((*_FIELDS, *((one.group, one.kind) for one in FREEZE))))
"""Kinds that are listed where they are served."""
_HEAVY = frozenset({("kueue.x-k8s.io", "Workload")})
"""Kinds with whole pod templates in them: what is read of these is metadata."""
_PLAIN = ("apiVersion", "kind", "metadata")


@dataclass(slots=True)
class Around:
    """Lists what stands around workloads, everywhere, in one go.

    Attributes:
        client: an open client.
        kinds: finds what the server has.
    """

    client: KubeClient
    kinds: Kinds

    async def look(self) -> Surroundings:
        """All of it. A kind that we may not list is named, with the right that is missing.

        Raises:
            AicostError: the API server did not answer.
        """
        found = await asyncio.gather(*(self._objects(group, kind) for group, kind in KINDS))
        by_field: dict[str, list[Body]] = {}
        missing: list[str] = []
        for key, answer in zip(KINDS, found, strict=True):
            if isinstance(answer, NotPermitted):
                missing.append(str(answer))
            else:
                by_field.setdefault(_FIELDS.get(key, "others"), []).extend(answer)
        return Surroundings(**by_field, missing=tuple(missing))

    async def _objects(self, group: str, kind: str) -> Sequence[Body] | NotPermitted:
        served = await self.kinds.find(group, kind)
        if served is None:
            return ()
        heavy, found = (group, kind) in _HEAVY, list[Body]()
        try:
            async for page in pages_of(self.client, served.resource):
                found += [_trimmed(body, heavy=heavy) for body in page]
        except NotPermitted as refused:
            return refused
        return found


def _trimmed(body: Body, *, heavy: bool) -> Body:
    return {key: body[key] for key in _PLAIN} if heavy else body
