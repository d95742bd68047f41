"""What a row keeps for rules of later, and what rows do that were posted before anything was kept."""

from dataclasses import replace

import pytest

from aicost.domain.identity.dimensions import Dimension, Source
from aicost.domain.identity.tags.evidence import Witnesses
from aicost.domain.identity.tags.precedence import Tagger
from aicost.domain.inventory.cluster import NamespaceFacts
from aicost.domain.inventory.pods import ContainerFacts
from aicost.domain.ledger.rows import Bucket, Holder
from aicost.domain.ledger.tagging import evidence_of, retagged, tagged
from aicost.domain.policy.policies import AttributionRule, RuleMatch
from support.admission.policies import dimension_key, policy
from support.identity import owner, pod
from support.ledger_rows import make_holder, make_row

TEAM = Dimension.TEAM
EVERYWHERE = policy(rules=(AttributionRule("all", RuleMatch(nodes=("*",)), {TEAM: "ruled"}, override=True),))


def row_of(one, namespace=None, *policies):
    """A row as a window under these policies would post it."""
    tagger = Tagger(policies)
    evidence = tagger.hear(Witnesses(one, namespace=namespace))
    owners = one.owners or (owner("Pod", one.name),)
    bare = Holder(one.namespace, one.name, one.uid, owners[-1].kind, owners[-1].name, labels=one.labels)
    return make_row(holder=tagged(bare, evidence, tagger.tags(evidence)))


def team_of(row, *policies):
    holder = retagged(row, Tagger(policies))
    return holder.dimensions.get("team"), holder.provenance.get("team")


def test_a_row_keeps_what_rules_may_ask_for_and_what_weaker_sources_said():
    chain = (owner("ReplicaSet", "chat-5d"), owner("Deployment", "chat", {"aicost.dev/team": "Of Owner"}))
    one = pod("chat-0", {"app": "chat"}, *chain, containers=(ContainerFacts("main", "img:1"),), account="runner")
    row = row_of(one, NamespaceFacts("team-a", {"kubernetes.io/metadata.name": "team-a", "tier": "lab"}))
    assert row.holder.evidence == {
        "owners": "ReplicaSet/chat-5d Deployment/chat",
        "images": "img:1",
        "service-account": "runner",
        "namespace tier": "lab",
        "owner_label team": "Of Owner by Deployment/chat",
    }
    kept = evidence_of(row)
    assert (kept.node, kept.labels) == ("node-1", {"app": "chat"})
    assert kept.said == {(Source.OWNER_LABEL, TEAM): ("Of Owner", "Deployment/chat")}


def test_a_rule_that_goes_gives_back_what_it_had_hidden():
    one = pod("p", {}, owner("Job", "j", {"aicost.dev/team": "vision"}))
    row = row_of(one, None, EVERYWHERE)
    assert row.holder.dimensions == {"team": "ruled"}
    assert team_of(row) == ("vision", "owner_label Job/j")


def test_an_alias_that_is_written_later_finds_the_labels_of_pods_and_namespaces_but_not_of_owners():
    squad = policy(dimension_key(TEAM, aliases=("squad",)))
    assert team_of(row_of(pod("p", {"squad": "a"})), squad) == ("a", "pod_label Pod/p")
    assert team_of(row_of(pod("p"), NamespaceFacts("team-a", {"squad": "b"})), squad)[0] == "b"
    assert team_of(row_of(pod("p", {}, owner("Job", "j", {"squad": "c"}))), squad) == (None, None)


@pytest.mark.parametrize(
    ("provenance", "labels", "kept"),
    [
        ("namespace_label namespace/a", {}, "a"),
        ("aiworkload AIWorkload/w", {}, "a"),
        ("discovered container main, --model", {}, "a"),
        ("pod_label Pod/train-0", {"aicost.dev/team": "A"}, "a"),
        ("a word that nobody knows", {}, "a"),
        ("", {}, "a"),
        ("rule CostLabelPolicy/gone/r", {}, None),
        ("policy_default CostLabelPolicy/gone", {}, None),
    ],
)
def test_a_row_of_before_anything_was_kept_keeps_what_somebody_stated(provenance, labels, kept):
    row = make_row(holder=replace(make_holder(labels=labels, team="a"), provenance={"team": provenance}))
    assert team_of(row)[0] == kept
    assert team_of(row, EVERYWHERE)[0] == "ruled"
    again = make_row(holder=retagged(row, Tagger([EVERYWHERE])))
    assert team_of(again)[0] == kept


def test_a_row_of_before_knows_its_controller_alone():
    row = make_row(holder=make_holder(pod="train-0"))
    found = AttributionRule("r", RuleMatch(owners=("Deployment/train",)), {TEAM: "x"})
    assert team_of(row, policy(rules=(found,)))[0] == "x"
    assert evidence_of(make_row(holder=replace(make_holder(), controller_kind="Pod"))).owners == ()


def test_a_holder_whose_tags_stay_is_the_same_holder():
    row = row_of(pod("p", {"aicost.dev/team": "a"}), None, EVERYWHERE)
    assert retagged(row, Tagger([EVERYWHERE])) is row.holder


def test_money_that_no_pod_owes_gets_no_tags():
    row = make_row(bucket=Bucket.UNALLOCATED)
    assert retagged(row, Tagger([EVERYWHERE])) is row.holder
