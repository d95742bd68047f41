"""The controller puts policies into force: objects in the API server come, change and go with them."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.kube.probe import Probed
from aicost.adapters.kube.server_policies import ServerPolicies
from aicost.crd.status.policies import Enforcement
from aicost.crd.vap.generate import LABELS
from aicost.entrypoints.controller.labels.enforcement import FIELD_MANAGER, LabelEnforcement
from devcluster.api import ApiError
from support.cluster import LiveCluster
from support.controller import World, made, make_world, settings_with
from support.guarded import REGISTRATION

pytestmark = pytest.mark.cluster

VALIDATING = f"{REGISTRATION}/validatingadmissionpolicies"
NAMESPACES = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["namespaces"]}
TEAM = {"key": "team", "required": "Always", "allowed": {"values": ["vision", "research"]}}
BOUND = {**TEAM, "allowed": {**TEAM["allowed"], "bound": [{"value": "vision", "namespaces": {"names": ["vision"]}}]}}


@dataclass
class Enforced:
    """A controller's world with one policy, on a real API server."""

    cluster: LiveCluster
    world: World
    name: str
    anchor: str = ""

    def policy(self, **spec: Any) -> dict[str, Any]:
        return made("CostLabelPolicy", self.name, {"mode": "Deny", "keys": [TEAM], "engine": "vap", **spec}, "")

    def enforce(self, *policies: dict[str, Any]) -> Enforcement | None:
        """What is in force after one look at these policies and no others; the status of the first."""

        async def look(client: KubeClient) -> None:
            self.world.registry.replace("CostLabelPolicy", list(policies), self.world.registry.moment)
            keeper = ServerPolicies(client, LABELS, FIELD_MANAGER, self.anchor)
            one = self.world
            await LabelEnforcement(one.app, one.registry, one.state, one.attempts, keeper).once()

        self._with_client(look)
        return self.world.state.labels.enforcement.get(self.name)

    def _with_client(self, do: Callable[[KubeClient], Awaitable[None]]) -> None:
        async def run() -> None:
            config = load({"KUBECONFIG": str(self.cluster.kubeconfig)}, now_ms, kubeconfig=self.cluster.kubeconfig)
            async with KubeClient(config) as client:
                await do(client)

        asyncio.run(run())

    @property
    def kept(self) -> dict[str, dict[str, Any]]:
        """Policies of ours in the API server, by name."""
        selector = "labelSelector=aicost.dev%2Fenforcement%3Dlabels"
        return {one["metadata"]["name"]: one for one in self.cluster.api.get(f"{VALIDATING}?{selector}")["items"]}


@pytest.fixture
def enforced(cluster: LiveCluster, tmp_path: Path) -> Iterator[Enforced]:
    world = make_world(tmp_path, settings_with(admission={"engine": "auto"}))
    one = Enforced(cluster, world, f"p{secrets.token_hex(3)}")
    yield one
    one.enforce()
    world.app.stores.close()
    _until_nobody_is_refused(one)


def _until_nobody_is_refused(one: Enforced) -> None:
    """The API server goes on to ask a policy for a moment after it is gone; others use the cluster next."""
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
    spec = {"selector": {"matchLabels": {"app": "a"}}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": one.name}, "spec": spec}
    for _ in range(150):
        try:
            one.cluster.api.create("/apis/apps/v1/namespaces/default/deployments?dryRun=All", body)
        except ApiError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("a policy that is gone still refuses")


def test_a_policy_is_put_into_force_and_taken_out_with_it(enforced: Enforced) -> None:
    status = enforced.enforce(enforced.policy())
    assert status is not None
    assert (status.engine, status.problem) == ("vap", "")
    assert set(enforced.kept) == {f"{enforced.name}.{action}.labels.aicost.dev" for action in ("deny", "warn")}
    assert enforced.enforce() is None
    assert enforced.kept == {}


def test_what_cannot_be_expressed_is_said_in_the_status(enforced: Enforced) -> None:
    rule = {"name": "small", "gpuModels": ["l4"]}
    status = enforced.enforce(enforced.policy(uses=[rule]))
    assert status is not None
    assert {field for field, _ in status.unsupported} == {"spec.kinds", "spec.uses[0]"}


def test_what_is_as_it_should_be_is_not_written_again(enforced: Enforced) -> None:
    enforced.enforce(enforced.policy())
    before = {name: one["metadata"]["resourceVersion"] for name, one in enforced.kept.items()}
    enforced.enforce(enforced.policy())
    after = {name: one["metadata"]["generation"] for name, one in enforced.kept.items()}
    assert set(after.values()) == {1}
    assert before.keys() == after.keys()


def test_what_somebody_changed_is_put_right(enforced: Enforced) -> None:
    enforced.enforce(enforced.policy())
    name = f"{enforced.name}.deny.labels.aicost.dev"
    enforced.cluster.api.patch(f"{VALIDATING}/{name}", {"spec": {"failurePolicy": "Fail"}})
    enforced.enforce(enforced.policy())
    assert enforced.kept[name]["spec"]["failurePolicy"] == "Ignore"


def test_a_mode_that_only_counts_leaves_nothing_in_the_api_server(enforced: Enforced) -> None:
    enforced.enforce(enforced.policy(mode="Audit"))
    assert enforced.kept == {}


def test_a_policy_of_the_webhook_gets_its_guards_and_nothing_else(enforced: Enforced) -> None:
    status = enforced.enforce(enforced.policy(engine="webhook", keys=[BOUND]))
    assert status is not None
    assert (status.engine, status.problem) == ("webhook", "it was not tried yet")
    assert set(enforced.kept) == {f"{enforced.name}.payer-team.labels.aicost.dev"}


def test_while_the_webhook_does_not_answer_the_api_server_judges_by_itself(enforced: Enforced) -> None:
    labels = enforced.world.state.labels

    def judges(tried: Probed | None) -> str:
        labels.webhook = tried
        status = enforced.enforce(enforced.policy(engine="auto"))
        assert status is not None
        return status.engine

    assert (judges(None), enforced.kept) == ("webhook", {}), "not tried yet is no failure"
    assert (judges(Probed(revision="r1")), enforced.kept) == ("webhook", {})
    assert judges(Probed(problem="it does not answer")) == "vap"
    said = dict(labels.enforcement[enforced.name].unsupported)["spec.engine"]
    assert said == "the API server stands in for the webhook: it does not answer"
    assert set(enforced.kept) == {f"{enforced.name}.{action}.labels.aicost.dev" for action in ("deny", "warn")}
    assert (judges(Probed(revision="r1")), enforced.kept) == ("webhook", {})


def test_without_admission_nothing_is_kept(enforced: Enforced) -> None:
    enforced.enforce(enforced.policy())
    settings = enforced.world.app.settings
    off = settings.model_copy(update={"admission": settings.admission.model_copy(update={"enabled": False})})
    enforced.world.app = replace(enforced.world.app, settings=off)
    assert enforced.enforce(enforced.policy()) is None
    assert enforced.kept == {}


def test_objects_of_others_are_left_alone(enforced: Enforced) -> None:
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": f"{enforced.name}.foreign.labels.aicost.dev"},
        "spec": {
            "matchConstraints": {"resourceRules": [NAMESPACES]},
            "validations": [{"expression": "true"}],
        },
    }
    enforced.cluster.api.create(VALIDATING, body)
    try:
        enforced.enforce(enforced.policy())
        enforced.enforce()
        assert enforced.cluster.api.get(f"{VALIDATING}/{enforced.name}.foreign.labels.aicost.dev")
    finally:
        enforced.cluster.api.delete(f"{VALIDATING}/{enforced.name}.foreign.labels.aicost.dev")
    with pytest.raises(ApiError, match="404"):
        enforced.cluster.api.get(f"{VALIDATING}/{enforced.name}.deny.labels.aicost.dev")


def test_texts_of_people_stay_texts(enforced: Enforced) -> None:
    """What stands in a policy is put into expressions: nothing of it may be read as one."""
    hint = 'it\'s "quoted", \\ back, {{ braces }} and a snowman \u2603'
    key = {**TEAM, "convention": "[a-z]+('|\")?", "conventionHint": hint, "valueAliases": {"vi's": "vision"}}
    status = enforced.enforce(enforced.policy(keys=[key], contact='#it\'s "us"'))
    assert status is not None
    assert status.problem == ""
    assert len(enforced.kept) == 2


def test_what_is_kept_goes_with_the_release(enforced: Enforced) -> None:
    """Who uninstalls the chart is not refused by its policies any more."""
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    enforced.anchor = f"{enforced.name}-controller"
    enforced.cluster.api.create(roles, {"metadata": {"name": enforced.anchor}, "rules": []})
    enforced.enforce(enforced.policy())
    assert len(enforced.kept) == 2
    enforced.cluster.api.delete(f"{roles}/{enforced.anchor}")
    for name in enforced.kept:
        enforced.cluster.until_gone(f"{VALIDATING}/{name}")
