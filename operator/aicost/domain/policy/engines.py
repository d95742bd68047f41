"""Who judges by a policy: what the release offers, what the policy asks for, and what the API server can."""

from aicost.domain.policy.policies import Engine


def engine_in_use(policy: Engine, release: Engine, *, mutating_policies: bool) -> Engine:
    """The engine that judges by a policy: never `AUTO`.

    Args:
        policy: what the policy asks for.
        release: what was installed. Where that is one engine, there is no other.
        mutating_policies: whether the API server has MutatingAdmissionPolicy v1; without it nobody but the webhook
            could write labels.
    """
    if release is not Engine.AUTO:
        return release
    if policy is not Engine.AUTO:
        return policy
    return Engine.VAP if mutating_policies else Engine.WEBHOOK
