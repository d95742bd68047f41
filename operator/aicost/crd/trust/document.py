"""The document of the telemetry of nodes, the same wherever it is asked for."""

from collections.abc import Iterable, Sequence
from typing import Any

from aicost.crd.allocations.document import API_VERSION
from aicost.crd.reasons import ConditionType
from aicost.crd.trust.resource import NODE_TELEMETRIES
from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.trust.episodes import Episode
from aicost.domain.trust.reasons import REMEDIES
from aicost.domain.trust.standing import SETTLING, NodeTelemetry, Standing

RUNBOOK = "docs/runbooks/telemetry-not-trusted.md"
_FINE = "samples of all GPUs arrive, and nothing contradicts them"
_YOUNG = "the node is too young to be judged: driver and exporter may still start"
Document = dict[str, Any]


def telemetry_document(
    nodes: Sequence[NodeTelemetry], now_ms: int, episodes: Iterable[Episode] = (), why_none: str = ""
) -> Document:
    """The document.

    Args:
        nodes: all nodes, by name.
        now_ms: when it was made.
        episodes: what was wrong in a past that was gone through again; empty where only now is told.
        why_none: why nothing is known of any node; empty where something is.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": NODE_TELEMETRIES.report_kind,
        "generated_at": to_rfc3339(now_ms),
        "nodes": [_node(one) for one in nodes],
        "episodes": [_episode(one) for one in episodes],
        "not_assessed": [why_none] if why_none else [],
    }


def message_of(node: NodeTelemetry) -> str:
    """What a person reads of a node: all that was seen, or that all is well."""
    if node.reasons:
        return "; ".join(one.message for one in node.reasons)
    return _YOUNG if node.reason == SETTLING else _FINE


def _node(node: NodeTelemetry) -> Document:
    gravest = next(iter(node.reasons), None)
    return {
        "node": node.node,
        "trusted": node.trust.value,
        "reason": node.reason,
        "message": message_of(node),
        "fix": REMEDIES[gravest.reason].fix if gravest else None,
        "since": to_rfc3339(node.since_ms),
        "checked_at": to_rfc3339(node.checked_ms),
        "newest_sample": None if node.newest_ms is None else to_rfc3339(node.newest_ms),
        "gpus": f"{node.devices}/{node.expected}" if node.expected else str(node.devices),
        "gpus_shown": node.devices,
        "gpus_expected": node.expected or None,
        "conditions": [_condition(node)],
        "reasons": [_reason(one) for one in node.reasons],
    }


def _condition(node: NodeTelemetry) -> Document:
    return {
        "type": ConditionType.TELEMETRY_TRUSTED.value,
        "status": node.trust.value,
        "reason": node.reason,
        "message": message_of(node),
        "lastTransitionTime": to_rfc3339(node.since_ms),
    }


def _reason(one: Standing) -> Document:
    remedy = REMEDIES[one.reason]
    return {
        "reason": one.reason.value,
        "weight": one.weight.value,
        "message": one.message,
        "means": remedy.means,
        "fix": remedy.fix,
        "since": to_rfc3339(one.first_ms),
        "runbook": f"{RUNBOOK}#{one.reason.value.lower()}",
    }


def _episode(one: Episode) -> Document:
    return {
        "node": one.node,
        "reason": one.reason.value,
        "weight": one.weight.value,
        "message": one.message,
        "from": to_rfc3339(one.first_ms),
        "to": to_rfc3339(one.last_ms),
    }
