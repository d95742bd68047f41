"""An AIWorkload as a claim."""

from aicost.crd.convert.claims import workload_claim
from aicost.domain.exact.windows import from_rfc3339
from aicost.domain.identity.claims import LabelExpression, LabelSelector, TargetRef
from aicost.domain.identity.dimensions import Dimension
from support.crd_samples import FULL, resource


def _body(spec):
    body = resource("AIWorkload", "chat", spec, namespace="team-a")
    body["metadata"] |= {"uid": "u-1", "creationTimestamp": "2026-11-20T10:00:00Z"}
    return body


def test_the_fullest_workload_is_read_whole():
    claim = workload_claim(_body(FULL["AIWorkload"])).value
    assert (claim.namespace, claim.name, claim.uid) == ("team-a", "chat", "u-1")
    assert claim.created_ms == from_rfc3339("2026-11-20T10:00:00Z")
    assert claim.target == TargetRef("ray.io/v1", "RayCluster", "train-7b")
    assert claim.selector is None
    assert claim.dimensions == {
        Dimension.TEAM: "search",
        Dimension.COST_CENTER: "cc-12",
        Dimension.CUSTOMER_SEGMENT: "enterprise",
        Dimension.STEP: "infer",
        Dimension.MODEL: "meta-llama/Llama-3.1-8B-Instruct",
        Dimension.WORKLOAD_TYPE: "inference",
        Dimension.STAGE: "production",
    }


def test_each_dimension_can_be_said():
    names = set(Dimension) - {Dimension.MODEL, Dimension.WORKLOAD_TYPE, Dimension.STAGE}
    camel = {name: "".join([word.title() if i else word for i, word in enumerate(name.split("-"))]) for name in names}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "dimensions": {camel[name]: "v" for name in names}}
    assert set(workload_claim(_body(spec)).value.dimensions) == names


def test_a_selector_is_read_with_its_expressions():
    terms = [{"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "x", "operator": "Exists"}]
    claim = workload_claim(_body({"selector": {"matchLabels": {"app": "chat"}, "matchExpressions": terms}})).value
    expressions = (LabelExpression("tier", "In", ("a", "b")), LabelExpression("x", "Exists"))
    assert claim.selector == LabelSelector({"app": "chat"}, expressions)


def test_a_claim_on_nothing_is_told():
    read = workload_claim(_body({}))
    assert read.value is None
    assert [problem.field for problem in read.problems] == ["spec"]
    assert "give exactly one of targetRef and selector" in read.problems[0].fix
