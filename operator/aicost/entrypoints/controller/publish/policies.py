"""What label policies should say: usable parts, contradictions, who judges by them, and how far labels have come."""

from collections.abc import Sequence

from aicost.crd.convert.policies import label_policy
from aicost.crd.status.policies import policy_status
from aicost.crd.status.reports import Freshness
from aicost.domain.policy.review.defects import find_defects
from aicost.domain.workloads.kinds import JUDGED_KINDS
from aicost.entrypoints.controller.publish import policy_conditions as judging
from aicost.entrypoints.controller.publish.saying import Answer, generation_of, stated
from aicost.entrypoints.controller.registry import Body, read_each
from aicost.entrypoints.controller.state import State

_KNOWN_KINDS = frozenset(one.kind for one in JUDGED_KINDS)


class PolicyAnswers:
    """Computes the status of label policies, from one look at all of them."""

    def __init__(self, bodies: Sequence[Body], state: State, now_ms: int) -> None:
        self._labels, self._now_ms = state.labels, now_ms
        self._defects = find_defects(read_each(bodies, label_policy), _KNOWN_KINDS)

    def answer(self, body: Body) -> Answer:
        """A CostLabelPolicy."""
        read, name, labels = label_policy(body), str(body["metadata"]["name"]), self._labels
        own = [defect for defect in self._defects if defect.policy == name]
        usable = judging.accepted(read, own)
        if read.value is None:
            return Answer(body, {"conditions": stated(body, (usable,), self._now_ms)}, (usable,))
        audit, enforcement = labels.audits.get(name), labels.enforcement.get(name)
        found = (
            usable,
            judging.conflicting(own),
            judging.config_maps(read.value, labels.maps, labels.map_problems),
            judging.audited(audit, labels.audit_problem),
            judging.enforced(read.value, enforcement),
        )
        statements = tuple(one for one in found if one is not None)
        status = policy_status(
            read.value,
            audit=audit,
            enforcement=enforcement,
            freshness=Freshness(generation_of(body), self._now_ms, None),
            conditions=stated(body, statements, self._now_ms),
        )
        return Answer(body, status, statements)
