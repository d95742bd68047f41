"""Label policies on a real API server: the examples are taken as they are, and each is judged where people see it."""

import asyncio
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import yaml

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import load
from aicost.adapters.kube.config_maps import ConfigMaps
from aicost.entrypoints.controller.lists import Lists
from aicost.entrypoints.controller.publish.publisher import Publisher
from aicost.entrypoints.controller.publish.writing import StatusPublisher
from aicost.entrypoints.controller.resync import Resync
from support.controller import make_world
from support.crd_samples import resource
from support.definitions import applied_definitions

pytestmark = pytest.mark.cluster

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples/policies").glob("*.yaml"))
LISTED = {"configMap": {"namespace": "default", "name": "clp-teams", "key": "all"}}


@pytest.fixture(scope="module")
def ready(cluster):
    with applied_definitions(cluster):
        yield cluster


@pytest.fixture
def policies(ready):
    """Applies policies; they are deleted after the test."""
    made = []

    def apply(name, **spec):
        ready.apply(resource("CostLabelPolicy", name, spec))
        made.append(name)

    yield apply
    for name in made:
        ready.kubectl("delete", "clp", name)


@asynccontextmanager
async def controller(cluster, folder):
    """The parts of the controller that take policies in and publish their status."""
    world = make_world(folder)
    try:
        async with KubeClient(load({}, now_ms, kubeconfig=cluster.kubeconfig)) as client:
            yield world, client
    finally:
        world.app.stores.close()


async def take_in_and_publish(cluster, folder):
    """One look at what is there, and one round of answers."""
    async with controller(cluster, folder) as (world, client):
        resync = Resync(client, world.registry, world.attempts)
        task = asyncio.create_task(resync.run())
        await resync.synced.wait()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await Lists(ConfigMaps(client), world.registry, world.state, world.attempts).read()
        statuses = StatusPublisher(client, "test-0")
        publisher = Publisher(client, world.registry, world.app, world.state, statuses, namespaces=frozenset)
        await publisher.publish()


def condition(cluster, name, kind):
    body = cluster.api.get(f"/apis/aicost.dev/v1alpha1/costlabelpolicies/{name}")
    (found,) = (one for one in body["status"]["conditions"] if one["type"] == kind)
    return found["status"], found["reason"], found["message"]


def test_there_is_an_example_for_each_step():
    modes = [yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]["mode"] for path in EXAMPLES]
    assert modes == ["Audit", "Warn", "DenyNew"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
async def test_an_example_is_taken_without_a_warning_and_accepted(ready, tmp_path, path):
    name = yaml.safe_load(path.read_text(encoding="utf-8"))["metadata"]["name"]
    result = ready._run("kubectl", ("apply", "--validate=strict", "-f", str(path)), None)
    assert (result.returncode, result.stderr) == (0, "")
    try:
        await take_in_and_publish(ready, tmp_path)
        assert condition(ready, name, "Accepted") == ("True", "Accepted", "All of it is usable.")
        assert condition(ready, name, "Conflicting")[0] == "False"
    finally:
        ready.kubectl("delete", "-f", str(path))


async def test_what_is_wrong_stands_in_kubectl_get_and_in_a_condition(ready, policies, tmp_path):
    policies("clp-wrong", mode="Warn", keys=[{"key": "costcenter"}, {"key": "team"}])
    await take_in_and_publish(ready, tmp_path)
    header, line = ready.kubectl("get", "clp", "clp-wrong").splitlines()
    assert header.split() == [
        "NAME", "MODE", "ENGINE", "COVERAGE", "OBJECTS", "WOULD-DENY", "LEVEL", "KEYS", "ACCEPTED",
    ]  # fmt: skip
    assert line.split() == ["clp-wrong", "Warn", "1", "False"]
    status, reason, message = condition(ready, "clp-wrong", "Accepted")
    assert (status, reason) == ("False", "InvalidEntry")
    assert "did you mean cost-center?" in message


async def test_a_list_in_a_config_map_is_found_once_it_is_there(ready, policies, tmp_path):
    policies("clp-listed", keys=[{"key": "team", "allowed": LISTED}])
    await take_in_and_publish(ready, tmp_path)
    status, reason, message = condition(ready, "clp-listed", "ConfigMapFound")
    assert (status, reason) == ("False", "NotFound")
    assert "default/clp-teams: it is not there: create it" in message
    ready.kubectl("create", "configmap", "clp-teams", "--from-literal=all=vision", "-n", "default")
    try:
        await take_in_and_publish(ready, tmp_path)
        assert condition(ready, "clp-listed", "ConfigMapFound")[:2] == ("True", "Found")
    finally:
        ready.kubectl("delete", "configmap", "clp-teams", "-n", "default")


async def test_two_policies_that_contradict_each_other_say_so_both(ready, policies, tmp_path):
    policies("clp-one", keys=[{"key": "team", "allowed": {"values": ["a"]}}])
    policies("clp-two", keys=[{"key": "team", "allowed": {"values": ["b"]}}])
    await take_in_and_publish(ready, tmp_path)
    for name in ("clp-one", "clp-two"):
        assert condition(ready, name, "Conflicting")[:2] == ("True", "ConflictingPolicies")
