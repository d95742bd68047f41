"""A CostLabelPolicy as the domain knows it."""

from fractions import Fraction

import pytest

from aicost.crd.convert.policies import label_policy
from aicost.domain.exact.windows import from_rfc3339
from aicost.domain.identity.claims import LabelExpression, LabelSelector
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.stages import Stage
from aicost.domain.policy.policies import (
    AttributionRule,
    Case,
    ConfigMapKey,
    Engine,
    Inherit,
    Mode,
    ModeOverride,
    NamespaceScope,
    Need,
    RuleMatch,
)
from support.crd_samples import FULL, resource


def _body(**spec):
    body = resource("CostLabelPolicy", "labels", spec)
    return {**body, "metadata": {**body["metadata"], "uid": "u-1", "generation": 4}}


def _read(**spec):
    return label_policy(_body(**spec))


def _key(**change):
    read = _read(keys=[{"key": "team", **change}])
    assert read.problems == ()
    return read.value.keys[0]


@pytest.fixture(scope="module")
def full():
    read = _read(**FULL["CostLabelPolicy"])
    assert read.problems == ()
    return read.value


def test_the_fullest_policy_says_where_and_how_strictly_it_holds(full):
    assert (full.name, full.uid, full.generation) == ("labels", "u-1", 4)
    assert (full.mode, full.engine) == (Mode.WARN, Engine.WEBHOOK)
    assert full.kinds == ("Deployment", "Job", "RayCluster", "Pod")
    assert full.namespaces.selector == LabelSelector({}, (LabelExpression("kind", "NotIn", ("infra",)),))
    first, second = full.overrides
    assert first == ModeOverride(NamespaceScope(frozenset({"playground"})), Mode.AUDIT)
    assert second == ModeOverride(NamespaceScope(frozenset(), LabelSelector({"tier": "prod"})), Mode.DENY_NEW)
    assert (full.help_url, full.contact) == ("https://wiki.acme.example/labels", "#finops")
    assert (full.min_coverage_ppm, full.unused_days) == (850_000, 60)


def test_the_keys_of_the_fullest_policy_have_their_labels_and_values(full):
    team, center, own = full.keys
    assert (team.label, team.dimension, team.need) == ("aicost.dev/team", Dimension.TEAM, Need.ALWAYS)
    assert team.aliases == ("Team", "squad", "app.kubernetes.io/team")
    assert team.value_aliases == {"recs": "recommendation-engine"}
    assert team.allowed.bound == {"vision": NamespaceScope(frozenset({"vision", "vision-dev"}))}
    assert (team.groups, team.immutable) == ({"oidc:vision-people": "vision"}, True)
    assert (center.need, center.stages) == (Need.GPU_ONLY, (Stage.PILOT, Stage.PRODUCTION))
    assert center.allowed.config_map == ConfigMapKey("finops", "cost-centers", "all")
    assert (center.convention, center.default) == ("cc-[0-9]{3,5}", "cc-000")
    assert (own.label, own.dimension, own.case) == ("acme.com/owner", None, Case.KEEP)
    assert (own.allowed.pattern, own.inherit, own.need) == ("[A-Za-z.]+@acme", (), Need.NEVER)


def test_uses_exemptions_and_rules_of_the_fullest_policy_are_read(full):
    (use,), (exemption,), (rule,) = full.uses, full.exemptions, full.rules
    assert (use.teams, use.stages, use.mode) == (("vision",), (Stage.SANDBOX, Stage.EXPERIMENT), Mode.DENY)
    assert (use.models, use.gpu_models, use.providers) == (("qwen/*",), ("l4", "a100-*"), ("aws",))
    assert exemption.until_ms == from_rfc3339("2026-12-31T00:00:00Z")
    assert (exemption.approved_by, exemption.keys) == ("jane@acme", ("cost-center",))
    assert (exemption.namespaces, exemption.selector) == (
        NamespaceScope(frozenset({"search"})),
        LabelSelector({"app": "indexer"}),
    )
    assert rule == AttributionRule(
        "tuning",
        RuleMatch(
            namespaces=("research-*",),
            labels=LabelSelector({"app": "tune"}),
            owners=("RayCluster/tune-*",),
            images=("registry.acme/tune/*",),
            models=("qwen/*",),
            service_accounts=("tuner",),
            nodes=("lab-*",),
        ),
        {Dimension.TEAM: "research", Dimension.WORKLOAD_TYPE: "fine-tuning"},
        override=True,
    )


def test_what_a_policy_does_not_say_is_the_mildest_and_the_widest():
    policy = _read(keys=[{"key": "team"}]).value
    assert (policy.mode, policy.engine, policy.kinds, policy.namespaces) == (Mode.AUDIT, Engine.AUTO, (), None)
    assert Fraction(policy.min_coverage_ppm, 1_000_000) == Fraction(9, 10)
    (key,) = policy.keys
    assert (key.need, key.inherit, key.allowed.open) == (Need.NEVER, tuple(Inherit), True)


def test_values_get_their_normal_form_once():
    key = _key(
        valueAliases={"Recs": "Recommendation Engine", "VISION": "vision"},
        allowed={"values": ["Vision", "vision ", "recommendation_engine"], "bound": [_bound("Vision")]},
        default="VISION",
        groups={"g": "Vision"},
    )
    assert key.value_aliases == {"recs": "recommendation-engine"}
    assert key.allowed.values == ("vision", "recommendation-engine")
    assert list(key.allowed.bound) == ["vision"]
    assert (key.default, key.groups) == ("vision", {"g": "vision"})


def _bound(value):
    return {"value": value, "namespaces": {"names": ["a"]}}


def test_values_of_an_own_key_keep_their_case_where_it_counts():
    spec = {"allowed": {"values": [" Jane ", "jane"]}}
    assert _key(key="acme.com/owner", case="Keep", **spec).allowed.values == ("Jane", "jane")
    assert _key(key="acme.com/owner", **spec).allowed.values == ("jane",)


def test_inheritance_is_read_in_the_order_of_the_precedence():
    assert _key(inherit=["Group", "Namespace", "Owner"]).inherit == (Inherit.OWNER, Inherit.NAMESPACE, Inherit.GROUP)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("H100", "h100-80gb"), ("A100", "a100-*"), ("NVIDIA-L40S", "l40s"), ("L4*", "l4*"), ("Lab-9000", "lab-9000")],
)
def test_gpus_of_a_rule_are_named_as_nodes_name_them(written, meant):
    read = _read(uses=[{"name": "small", "gpuModels": [written]}])
    assert read.value.uses[0].gpu_models == (meant,)


def test_a_key_that_is_wrong_is_left_out_and_told_and_the_others_hold():
    read = _read(keys=[{"key": "team", "required": "Sometimes"}, {"key": "product"}, "x"], mode="Deny")
    assert [key.key for key in read.value.keys] == ["product"]
    assert read.value.mode is Mode.DENY
    assert [problem.field for problem in read.problems] == ["spec.keys[0].required", "spec.keys[2]"]


@pytest.mark.parametrize(("written", "meant"), [("Team", "team"), ("costcenter", "cost-center"), ("models", "model")])
def test_a_misspelt_dimension_is_told_with_the_one_that_was_meant(written, meant):
    read = _read(keys=[{"key": written}])
    assert read.value.keys == ()
    assert f"did you mean {meant}?" in str(read.problems[0])


@pytest.mark.parametrize("own", ["owner", "state", "billing-code", "acme.com/team"])
def test_a_key_of_ones_own_is_no_misspelt_dimension(own):
    assert _key(key=own).label == own


def test_a_pattern_that_the_engines_read_differently_is_told_with_the_reason():
    read = _read(keys=[{"key": "team", "convention": "(?i)abc"}, {"key": "product", "allowed": {"pattern": r"\bx"}}])
    assert read.value.keys == ()
    assert [problem.field for problem in read.problems] == [
        "spec.keys[0].convention",
        "spec.keys[1].allowed.pattern",
    ]
    assert "write a plain group" in read.problems[0].fix


def test_a_key_that_stands_there_twice_holds_as_it_stands_first():
    read = _read(keys=[{"key": "team", "required": "Always"}, {"key": "team"}, {"key": "product"}])
    assert [(key.key, key.need) for key in read.value.keys] == [("team", Need.ALWAYS), ("product", Need.NEVER)]
    (problem,) = read.problems
    assert "stands there 2 times" in problem.fix


def test_a_rule_that_names_nothing_is_told_and_one_that_names_something_too_holds():
    rules = [
        {"name": "a", "match": {"nodes": ["n"]}, "dimensions": {"team": "untagged", "product": "P"}},
        {"name": "b", "match": {"nodes": ["n"]}, "dimensions": {"team": "--"}},
    ]
    read = _read(attributionRules=rules)
    assert [(rule.name, rule.dimensions) for rule in read.value.rules] == [("a", {Dimension.PRODUCT: "p"})]
    assert [problem.field for problem in read.problems] == [
        "spec.attributionRules[0].dimensions.team",
        "spec.attributionRules[1].dimensions.team",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "Enforce"},
        {"modeOverrides": [{"mode": "Deny"}]},
        {"namespaces": {}},
        {"minCoverage": "2"},
        {"kinds": []},
    ],
)
def test_where_strictness_or_scope_cannot_be_read_nothing_holds(change):
    read = _read(keys=[{"key": "team"}], **change)
    assert read.value is None
    assert read.problems[0].field.startswith(f"spec.{next(iter(change))}")


@pytest.mark.parametrize(
    "spec",
    [None, {}, {"keys": None}, {"keys": "x"}, {"keys": {"a": 1}}, {"uses": [None, 3, []]}, {"exemptions": [{}]}],
)
def test_a_spec_that_is_no_policy_is_told_or_empty(spec):
    read = label_policy({"metadata": {"name": "odd"}, "spec": spec})
    assert read.problems or read.value.keys == ()
    assert read.value is None or (read.value.keys, read.value.uses, read.value.exemptions) == ((), (), ())
