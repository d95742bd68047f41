"""The audit log of a local cluster: writes of our kinds, with the annotations that admission policies leave."""

import json
from typing import Any

from support.cluster import LiveCluster


def audit_events(cluster: LiveCluster) -> list[dict[str, Any]]:
    """All events so far. An event may be written a moment after its answer was sent: a test waits for it."""
    assert cluster.local, "the audit log of a cluster that somebody else made cannot be read"
    text = (cluster.local.state / "logs" / "audit.log").read_text()
    whole_lines = text[: text.rfind("\n") + 1].splitlines()
    return [json.loads(line) for line in whole_lines]
