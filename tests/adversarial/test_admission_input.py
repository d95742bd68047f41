"""Objects as anybody may send them: admission answers all of them."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.policy.admit import admit
from aicost.domain.policy.as_patch import json_patch
from aicost.domain.policy.decisions import Verdict
from aicost.domain.policy.messages import denial, warnings
from aicost.domain.policy.policies import UseRule
from aicost.domain.policy.requests import Operation, Request, Requester
from aicost.domain.workloads.reading import read_workload
from support.admission.patching import patched
from support.admission.policies import BOUND_TEAM, COST_CENTER, WORLD, policy
from support.builders import T0

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
LABELS = st.dictionaries(st.sampled_from(["aicost.dev/team", "Team", "squad"]) | st.text(max_size=5), JSON, max_size=4)
ANNOTATIONS = st.dictionaries(st.sampled_from(["aicost.dev/exempt-until", "aicost.dev/exempt-reason"]), JSON)
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "name": JSON,
        "namespace": st.sampled_from(["plain", "vision", "kube-system"]) | JSON,
        "labels": LABELS | JSON,
        "annotations": ANNOTATIONS | JSON,
        "ownerReferences": JSON,
    },
)
TEMPLATE = st.fixed_dictionaries({}, optional={"metadata": METADATA | JSON, "spec": JSON}) | JSON
OBJECTS = st.fixed_dictionaries(
    {
        "apiVersion": st.sampled_from(["v1", "apps/v1", "batch/v1", "ray.io/v1", "aicost.dev/v1alpha1"]),
        "kind": st.sampled_from(["Pod", "Deployment", "Job", "RayCluster", "AIWorkload"]),
        "metadata": METADATA | JSON,
        "spec": st.fixed_dictionaries({}, optional={"template": TEMPLATE, "selector": JSON}) | JSON,
    }
)
SNAPSHOT = replace(
    WORLD,
    policies=(policy(BOUND_TEAM, COST_CENTER, uses=(UseRule("all", ("vision",), (), ("a*",), ("l4",), ("aws",)),)),),
)


@given(OBJECTS, st.none() | OBJECTS, st.sampled_from(Operation), st.text(max_size=10))
def test_whatever_is_sent_gets_an_answer_in_one_line(sent, before, operation, user):
    workload = read_workload(sent)
    if workload is None:
        return
    request = Request(operation, workload, Requester(user), read_workload(before) if before else None)
    decision = admit(SNAPSHOT, request, T0)
    assert decision.verdict in Verdict
    for text in (denial(decision, SNAPSHOT), decision.reason, *warnings(decision)):
        assert len(text.splitlines()) == 1
    patched(sent, json_patch(workload, decision.changes))
