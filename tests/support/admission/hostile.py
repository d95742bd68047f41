"""Cases: objects and policies as nobody should write them."""

from dataclasses import replace
from typing import Any

from aicost.domain.identity.claims import LabelExpression, LabelSelector
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.policy.decisions import ProblemCode, Verdict
from aicost.domain.policy.policies import AllowedValues, Exemption, LabelPolicy
from support.admission.case import Case
from support.admission.manifests import Json, deployment, job, ray_cluster
from support.admission.policies import TEAM, dimension_key, own_key, policy
from support.builders import T0

_MISSING, _UNKNOWN = ProblemCode.MISSING, ProblemCode.UNKNOWN_VALUE
_TEAM = "aicost.dev/team"
_TEAM_ONLY = (policy(TEAM),)
_REFUSED = "the API server refuses such an object by itself"
_LABEL_REFUSED = "the API server refuses such a value of a label"
_CIRCLE = replace(
    TEAM, value_aliases={"one": "two", "two": "three", "three": "one"}, allowed=AllowedValues(values=("one", "vision"))
)
_CHAIN = replace(TEAM, value_aliases={"vis": "eyes", "eyes": "vision"})
_SLOW = dimension_key(Dimension.PROJECT, allowed=AllowedValues(pattern="(([a-z]+)+-?)+z"))
_UNKNOWN_OPERATOR = LabelSelector(expressions=(LabelExpression("tier", "Near", ("lab",)),))


def _with_metadata(**metadata: Any) -> Json:
    made = deployment({})
    made["metadata"] |= metadata
    return made


def _exempted(exemption: Exemption) -> tuple[LabelPolicy, ...]:
    return (policy(TEAM, exemptions=(exemption,)),)


def _many_groups(count: int) -> Json:
    made = ray_cluster({_TEAM: "vision"}, None, {_TEAM: "nobody"})
    (group,) = made["spec"]["workerGroupSpecs"]
    made["spec"]["workerGroupSpecs"] = [{**group, "groupName": f"group-{number}"} for number in range(count)]
    return made


HOSTILE: tuple[Case, ...] = (
    Case(
        "a number is no value of a label",
        _with_metadata(labels={_TEAM: 5}),
        Verdict.DENY,
        (_MISSING,),
        policies=_TEAM_ONLY,
        unreachable=_REFUSED,
    ),
    Case(
        "a list is no map of labels",
        _with_metadata(labels=[{_TEAM: "vision"}]),
        Verdict.DENY,
        (_MISSING,),
        policies=_TEAM_ONLY,
        unreachable=_REFUSED,
    ),
    Case(
        "an object without metadata has no labels",
        {"apiVersion": "v1", "kind": "Pod", "metadata": None, "spec": None},
        Verdict.DENY,
        (_MISSING,),
        policies=_TEAM_ONLY,
        unreachable=_REFUSED,
    ),
    Case(
        "a Deployment without a spec is judged all the same",
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "empty", "namespace": "plain"}},
        Verdict.DENY,
        (_MISSING,),
        policies=_TEAM_ONLY,
        unreachable=_REFUSED,
    ),
    Case(
        "ten million characters are an unknown team",
        deployment({_TEAM: "v" * 10_000_000}),
        Verdict.DENY,
        (_UNKNOWN,),
        policies=_TEAM_ONLY,
        unreachable=_LABEL_REFUSED,
    ),
    Case(
        "line breaks in a value break no line of the message",
        deployment({_TEAM: "vi\r\nsion\u2028x"}),
        Verdict.DENY,
        (_UNKNOWN,),
        policies=_TEAM_ONLY,
        unreachable=_LABEL_REFUSED,
    ),
    Case(
        "a letter of another alphabet makes another team",
        deployment({_TEAM: "visi\u043en"}),
        Verdict.DENY,
        (_UNKNOWN,),
        policies=_TEAM_ONLY,
        unreachable=_LABEL_REFUSED,
    ),
    Case(
        "a value of nothing but signs says nothing",
        deployment({_TEAM: "---"}),
        Verdict.DENY,
        (_MISSING,),
        policies=_TEAM_ONLY,
        unreachable=_LABEL_REFUSED,
    ),
    Case(
        "63 characters are a value like any other",
        deployment({_TEAM: "v" * 63}),
        Verdict.DENY,
        (_UNKNOWN,),
        policies=_TEAM_ONLY,
    ),
    Case(
        "a key in other letters is another key",
        deployment({"aicost.dev/Team": "vision", "TEAM": "vision"}),
        Verdict.DENY,
        (_MISSING,),
        policies=_TEAM_ONLY,
    ),
    Case(
        "a namespace that nobody has seen yet gives nothing",
        deployment(namespace="brand-new"),
        Verdict.DENY,
        (_MISSING,),
        policies=_TEAM_ONLY,
    ),
    Case(
        "a queue that nobody has seen gives nothing",
        job({"kueue.x-k8s.io/queue-name": "no-such-queue"}),
        Verdict.DENY,
        (_MISSING,),
        policies=_TEAM_ONLY,
    ),
    Case(
        "aliases of values are followed to their end",
        deployment({_TEAM: "vis"}),
        Verdict.ALLOW,
        changes=(("", _TEAM, "vision"),),
        policies=(policy(_CHAIN),),
    ),
    Case(
        "aliases that run in a circle stand for the first of them",
        deployment({_TEAM: "two"}),
        Verdict.ALLOW,
        changes=(("", _TEAM, "one"),),
        policies=(policy(_CIRCLE),),
    ),
    Case(
        "two policies that rename against each other write nothing",
        deployment({_TEAM: "x"}),
        Verdict.ALLOW,
        policies=(
            policy(dimension_key(Dimension.TEAM, value_aliases={"x": "y"}), name="first"),
            policy(dimension_key(Dimension.TEAM, value_aliases={"y": "x"}), name="second"),
        ),
    ),
    Case(
        "what one policy would write and another refuse is not written",
        deployment({_TEAM: "x"}),
        Verdict.ALLOW,
        policies=(
            policy(dimension_key(Dimension.TEAM, value_aliases={"x": "y"}), name="first"),
            policy(dimension_key(Dimension.TEAM, allowed=AllowedValues(values=("x",))), name="second"),
        ),
    ),
    Case(
        "a pattern that others need years for is answered at once",
        deployment({"aicost.dev/project": "a" * 62 + "0"}),
        Verdict.DENY,
        (_UNKNOWN,),
        policies=(policy(_SLOW),),
    ),
    Case(
        "an exemption whose selector nobody understands excuses nobody",
        deployment({"tier": "lab"}),
        Verdict.DENY,
        (_MISSING,),
        policies=_exempted(Exemption("broken", T0 + 1, "frida", selector=_UNKNOWN_OPERATOR)),
    ),
    Case(
        "a key of one's own may look like a pointer",
        deployment({"a.example/b": "X"}),
        Verdict.ALLOW,
        changes=(("", "a.example/b", "x"),),
        policies=(policy(own_key("a.example/b")),),
    ),
    Case(
        "a thousand labels beside it hide no label",
        deployment({**{f"l{number}": "x" for number in range(1000)}, _TEAM: "vision"}),
        Verdict.ALLOW,
        policies=_TEAM_ONLY,
    ),
    Case(
        "a hundred templates are each looked at",
        _many_groups(100),
        Verdict.DENY,
        (_UNKNOWN,) * 100,
        policies=_TEAM_ONLY,
    ),
)
