"""What label policies change about tags: aliases, inheritance, defaults and rules, each where the policy holds."""

from itertools import permutations

import pytest

from aicost.domain.identity.claims import LabelExpression, LabelSelector
from aicost.domain.identity.dimensions import Dimension, Source
from aicost.domain.identity.discovery import discover
from aicost.domain.identity.tags.evidence import Witnesses
from aicost.domain.identity.tags.precedence import Tagger, resolve_tags
from aicost.domain.inventory.cluster import NamespaceFacts, QueueFacts, ServiceAccountFacts
from aicost.domain.inventory.pods import ContainerFacts
from aicost.domain.policy.policies import AttributionRule, Inherit, NamespaceScope, RuleMatch
from support.admission.policies import dimension_key, labelled, own_key, policy
from support.identity import by_target, owner, pod

TEAM, MODEL, PRODUCT = Dimension.TEAM, Dimension.MODEL, Dimension.PRODUCT
OWN = "aicost.dev/team"
SQUAD = dimension_key(TEAM, aliases=("Team", "squad"), value_aliases={"recs": "recommendation-engine"})


def tag_of(one, *policies, dimension=TEAM, claim=None, namespace=None, account=None, queue=None):
    tagger = Tagger(policies)
    return tagger.tags(tagger.hear(Witnesses(one, claim, namespace, account, queue, discover(one)))).get(dimension)


def told(tag):
    return None if tag is None else (tag.value, tag.source)


def rule(name="r", *, override=False, dimensions=None, **match):
    return AttributionRule(name, RuleMatch(**match), dimensions or {TEAM: "ruled"}, override)


# Aliases of labels and values


def test_a_label_of_ones_own_counts_as_the_dimension_that_it_is_an_alias_of():
    tag = tag_of(pod("p", {"squad": "Recs"}), policy(SQUAD))
    assert (tag.value, tag.source, tag.raw) == ("recommendation-engine", Source.POD_LABEL, "Recs")


@pytest.mark.parametrize(
    "said",
    [
        {"one": pod("p", {}, owner("ReplicaSet", "r"), owner("Deployment", "d", {"squad": "recs"}))},
        {"one": pod("p"), "namespace": NamespaceFacts("team-a", {"Team": "recs"})},
        {"one": pod("p"), "account": ServiceAccountFacts("team-a", "a", {"squad": "RECS"})},
        {"one": pod("p"), "queue": QueueFacts("LocalQueue", "team-a", "q", {"squad": "recs"})},
        {"one": pod("p"), "claim": by_target("w", "Job", "j", dimensions={TEAM: "Recs"})},
    ],
)
def test_aliases_hold_for_whoever_speaks(said):
    assert tag_of(said.pop("one"), policy(SQUAD), **said).value == "recommendation-engine"


def test_without_the_policy_the_label_means_nothing():
    assert tag_of(pod("p", {"squad": "recs"})) is None


def test_the_dimensions_own_label_speaks_before_its_aliases_and_these_in_their_order():
    labels = {"squad": "third", "Team": "second", OWN: "first"}
    assert tag_of(pod("p", labels), policy(SQUAD)).value == "first"
    del labels[OWN]
    assert tag_of(pod("p", labels), policy(SQUAD)).value == "second"


def test_an_alias_that_is_empty_lets_the_next_one_speak():
    assert tag_of(pod("p", {"Team": "", "squad": "vision"}), policy(SQUAD)).value == "vision"


def test_a_dimensions_own_label_is_nobodys_alias():
    greedy = dimension_key(PRODUCT, aliases=(OWN,))
    assert tag_of(pod("p", {OWN: "vision"}), policy(greedy)).value == "vision"
    assert tag_of(pod("p", {OWN: "vision"}), policy(greedy), dimension=PRODUCT) is None


def test_a_key_that_is_no_dimension_changes_no_tag():
    assert (
        resolve_tags(pod("p", {"acme.com/owner": "x"}), None, None, None, {}, [policy(own_key("acme.com/owner"))]) == {}
    )


# Inheritance and defaults


def test_a_source_that_a_key_does_not_inherit_from_is_not_heard():
    only_owner = policy(dimension_key(TEAM, inherit=(Inherit.OWNER,)))
    namespace = NamespaceFacts("team-a", {OWN: "of-namespace"})
    assert tag_of(pod("p"), only_owner, namespace=namespace) is None
    owned = pod("p", {}, owner("Job", "j", {OWN: "of-owner"}))
    assert tag_of(owned, only_owner, namespace=namespace).value == "of-owner"


def test_the_queue_speaks_between_the_aiworkload_and_the_namespace():
    queue = QueueFacts("LocalQueue", "team-a", "q", {OWN: "of-queue"})
    namespace = NamespaceFacts("team-a", {OWN: "of-namespace"})
    claim = by_target("w", "Job", "j", dimensions={TEAM: "of-workload"})
    tag = tag_of(pod("p"), queue=queue, namespace=namespace)
    assert (tag.value, tag.source, tag.origin) == ("of-queue", Source.QUEUE, "LocalQueue/q")
    assert tag_of(pod("p"), queue=queue, namespace=namespace, claim=claim).value == "of-workload"


def test_a_default_is_the_last_to_speak_and_says_whose_it_is():
    given = policy(dimension_key(TEAM, default="Platform Team"), name="finops")
    tag = tag_of(pod("p"), given)
    assert (tag.value, tag.source, tag.origin) == ("platform-team", Source.POLICY_DEFAULT, "CostLabelPolicy/finops")
    assert told(tag_of(pod("p", {OWN: "x"}), given)) == ("x", Source.POD_LABEL)


# Where a policy holds


@pytest.mark.parametrize(
    ("scope", "holds"),
    [
        (None, True),
        (NamespaceScope(frozenset({"team-a"})), True),
        (NamespaceScope(frozenset({"team-b"})), False),
        (labelled(tier="lab"), True),
        (labelled(tier="prod"), False),
        (labelled(**{"kubernetes.io/metadata.name": "team-a"}), True),
        (NamespaceScope(selector=LabelSelector(expressions=(LabelExpression("tier", "Matches", ("l.*",)),))), False),
        (NamespaceScope(), False),
    ],
)
def test_a_policy_gives_tags_where_it_holds(scope, holds):
    given = policy(dimension_key(TEAM, default="d"), namespaces=scope, rules=(rule(images=("*",)),))
    one = pod("p", containers=(ContainerFacts("main", "img"),))
    tag = tag_of(one, given, namespace=NamespaceFacts("team-a", {"tier": "lab"}))
    assert told(tag) == (("ruled", Source.RULE) if holds else None)


def test_two_namespaces_with_one_name_in_two_windows_are_told_apart_by_their_labels():
    tagger = Tagger([policy(dimension_key(TEAM, default="d"), namespaces=labelled(tier="lab"))])
    for labels, value in (({"tier": "lab"}, "d"), ({}, None), ({"tier": "lab"}, "d")):
        tag = tagger.tags(tagger.hear(Witnesses(pod("p"), namespace=NamespaceFacts("team-a", labels)))).get(TEAM)
        assert (tag and tag.value) == value


# Rules


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"namespaces": ("team-*",)}, True),
        ({"namespaces": ("prod-*", "team-a")}, True),
        ({"namespaces": ("team",)}, False),
        ({"labels": LabelSelector({"app": "chat"})}, True),
        ({"labels": LabelSelector({"app": "other"})}, False),
        ({"labels": LabelSelector(expressions=(LabelExpression("app", "Sounds", ("chat",)),))}, False),
        ({"owners": ("Deployment/chat",)}, True),
        ({"owners": ("ReplicaSet/chat-*",)}, True),
        ({"owners": ("chat",)}, False),
        ({"images": ("registry.example/*vllm*",)}, True),
        ({"images": ("vllm*",)}, False),
        ({"models": ("meta-llama/*",)}, True),
        ({"models": ("mistral*",)}, False),
        ({"service_accounts": ("runner",)}, True),
        ({"nodes": ("gpu-?",)}, False),
        ({"nodes": ("gpu-*",)}, True),
        ({"namespaces": ("team-a",), "nodes": ("cpu-*",)}, False),
        ({"namespaces": ("team-a",), "nodes": ("gpu-*",), "images": ("*",)}, True),
    ],
)
def test_a_rule_matches_if_all_that_it_names_does(match, hit):
    chain = (owner("ReplicaSet", "chat-5d"), owner("Deployment", "chat"))
    labels = {"app": "chat", "aicost.dev/model": "meta-llama--Llama-3.1-8B"}
    containers = (ContainerFacts("side", "proxy"), ContainerFacts("main", "registry.example/vllm:1"))
    one = pod("chat-0", labels, *chain, containers=containers, account="runner", node="gpu-1")
    assert told(tag_of(one, policy(rules=(rule(**match),)))) == (("ruled", Source.RULE) if hit else None)


def test_a_rule_speaks_after_everybody_who_states_a_value():
    ruled = policy(rules=(rule(namespaces=("*",)),))
    account = ServiceAccountFacts("team-a", "a", {OWN: "of-account"})
    assert told(tag_of(pod("p"), ruled, account=account)) == ("of-account", Source.SERVICE_ACCOUNT)
    assert told(tag_of(pod("p"), ruled)) == ("ruled", Source.RULE)


def test_a_rule_speaks_before_what_was_discovered_and_before_defaults():
    ruled = policy(
        dimension_key(TEAM, default="d"), rules=(rule(namespaces=("*",), dimensions={MODEL: "m", TEAM: "t"}),)
    )
    serving = pod("p", containers=(ContainerFacts("vllm", "vllm/vllm-openai", ("--model", "org/found")),))
    assert told(tag_of(serving, ruled, dimension=MODEL)) == ("m", Source.RULE)
    assert told(tag_of(serving, ruled)) == ("t", Source.RULE)


def test_an_overriding_rule_speaks_before_the_pods_own_label_and_says_which_rule_it_is():
    tag = tag_of(
        pod("p", {OWN: "of-pod"}), policy(name="finops", rules=(rule("mine", override=True, namespaces=("*",)),))
    )
    assert (tag.value, tag.source, tag.origin) == ("ruled", Source.RULE_OVERRIDE, "CostLabelPolicy/finops/mine")


def test_of_several_rules_the_first_policy_in_the_alphabet_and_its_first_rule_decide_in_whatever_order_they_come():
    everywhere = {"namespaces": ("*",)}
    policies = (
        policy(name="b", rules=(rule("b1", dimensions={TEAM: "b1", PRODUCT: "b1"}, **everywhere),)),
        policy(
            name="a",
            rules=(
                rule("a1", dimensions={TEAM: "a1"}, **everywhere),
                rule("a2", dimensions={TEAM: "a2"}, **everywhere),
            ),
        ),
        policy(name="c", rules=(rule("c1", override=True, dimensions={PRODUCT: "c1"}, **everywhere),)),
    )
    for order in permutations(policies):
        assert tag_of(pod("p"), *order).value == "a1"
        assert told(tag_of(pod("p"), *order, dimension=PRODUCT)) == ("c1", Source.RULE_OVERRIDE)


def test_a_rule_whose_value_says_nothing_gives_nothing():
    assert tag_of(pod("p"), policy(rules=(rule(namespaces=("*",), dimensions={TEAM: " untagged "}),))) is None


def test_a_hostile_pattern_takes_no_longer_than_the_text_is_long():
    pattern = "*a" * 100 + "b"
    one = pod("p", containers=(ContainerFacts("main", "a" * 100_000),))
    assert tag_of(one, policy(rules=(rule(images=(pattern,)),))) is None
