"""Who judges by a policy: the release, then the policy, then whoever can."""

import pytest

from aicost.domain.policy.engines import engine_in_use
from aicost.domain.policy.policies import Engine

AUTO, WEBHOOK, VAP = Engine.AUTO, Engine.WEBHOOK, Engine.VAP


@pytest.mark.parametrize("policy", [AUTO, WEBHOOK, VAP])
@pytest.mark.parametrize("release", [WEBHOOK, VAP])
@pytest.mark.parametrize("answers", [True, False])
def test_where_one_engine_was_installed_there_is_no_other(policy, release, answers):
    assert engine_in_use(policy, release, webhook_answers=answers, mutating_policies=True) is release


@pytest.mark.parametrize("policy", [WEBHOOK, VAP])
@pytest.mark.parametrize("answers", [True, False])
def test_a_policy_may_ask_for_one_of_them(policy, answers):
    assert engine_in_use(policy, AUTO, webhook_answers=answers, mutating_policies=False) is policy


@pytest.mark.parametrize(
    ("answers", "mutating", "judges"),
    [(True, True, WEBHOOK), (True, False, WEBHOOK), (False, True, VAP), (False, False, WEBHOOK)],
)
def test_the_api_server_steps_in_while_the_webhook_does_not_answer(answers, mutating, judges):
    assert engine_in_use(AUTO, AUTO, webhook_answers=answers, mutating_policies=mutating) is judges
