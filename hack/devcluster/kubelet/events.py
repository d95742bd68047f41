"""Events about pods, as a kubelet posts them."""

import uuid
from datetime import datetime

from devcluster.api import Object
from devcluster.host.clock import rfc3339

__all__ = ["pod_event"]


def pod_event(pod: Object, kind: str, reason: str, message: str, now: datetime) -> Object:
    """An Event; ``kind`` is ``Normal`` or ``Warning``."""
    meta = pod["metadata"]
    moment = rfc3339(now)
    return {
        "metadata": {"name": f"{meta['name'][:200]}.{uuid.uuid4().hex[:16]}", "namespace": meta["namespace"]},
        "involvedObject": {
            "apiVersion": "v1", "kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"],
        },
        "type": kind,
        "reason": reason,
        "message": message[:1000],
        "source": {"component": "kubelet", "host": pod["spec"]["nodeName"]},
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }  # fmt: skip
