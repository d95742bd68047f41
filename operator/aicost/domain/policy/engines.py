"""Who judges by a policy: what the release offers, what the policy asks for, and what the API server can."""

from aicost.domain.policy.policies import Engine


def engine_in_use(policy: Engine, release: Engine, *, webhook_answers: bool, mutating_policies: bool) -> Engine:
    """The engine that judges by a policy: never `AUTO`.

    Where nobody asks for one, the webhook judges, which knows a "did you mean" and prices; and the API server by itself
    for as long as the webhook does not answer.

    Args:
        policy: what the policy asks for.
        release: what was installed. Where that is one engine, there is no other.
        webhook_answers: whether the API server asks the webhook and hears from it. Not known yet counts as an answer.
        mutating_policies: whether the API server has MutatingAdmissionPolicy v1; without it nobody but the webhook
            could write labels.
    """
    if release is not Engine.AUTO:
        return release
    if policy is not Engine.AUTO:
        return policy
    return Engine.WEBHOOK if webhook_answers or not mutating_policies else Engine.VAP
