"""What is wrong with policies although each of their fields is in order: parts that have no effect, or contradict."""

from collections.abc import Collection, Sequence
from itertools import combinations

from aicost.domain.policy.policies import LabelPolicy
from aicost.domain.policy.review.contradictions import conflicts
from aicost.domain.policy.review.findings import PolicyDefect
from aicost.domain.policy.review.parts import own_defects


def find_defects(policies: Sequence[LabelPolicy], known_kinds: Collection[str] = ()) -> tuple[PolicyDefect, ...]:
    """Look through all policies; what concerns two of them is told to both.

    Args:
        policies: as they were read.
        known_kinds: kinds that can be judged; empty: any.
    """
    own = [defect for policy in policies for defect in own_defects(policy, known_kinds)]
    between = [defect for one, other in combinations(policies, 2) for defect in conflicts(one, other)]
    return tuple(sorted({*own, *between}))
