import pytest

from aicost.domain.identity.dimensions import Dimension, Source, Tag
from aicost.domain.identity.tags.precedence import _PRECEDENCE, Discovery, resolve_tags
from aicost.domain.inventory.cluster import NamespaceFacts, ServiceAccountFacts
from support.identity import by_target, owner, pod

TEAM = "aicost.dev/team"


def everything_said():
    """One argument set in which each source names another team."""
    return {
        "pod": pod(
            "chat-0",
            {TEAM: "of-pod"},
            owner("ReplicaSet", "chat-5d", {TEAM: "of-replica-set"}),
            owner("Deployment", "chat", {TEAM: "of-deployment"}),
        ),
        "claim": by_target("chat", "Deployment", "chat", dimensions={Dimension.TEAM: "of-workload"}),
        "namespace": NamespaceFacts("team-a", {TEAM: "of-namespace"}),
        "service_account": ServiceAccountFacts("team-a", "runner", {TEAM: "of-account"}),
        "discovered": {Dimension.TEAM: Discovery("of-arguments", "container main, --team")},
    }


def without(said, *sources):
    """Silence the strongest sources."""
    removed = {"pod": pod("chat-0", {}, *said["pod"].owners), "claim": None, "namespace": None, "service_account": None}
    for source in sources:
        if source == "owners":
            said["pod"] = pod("chat-0")
        else:
            said[source] = removed[source]
    return said


@pytest.mark.parametrize(
    ("silent", "value", "source", "origin"),
    [
        ((), "of-pod", Source.POD_LABEL, "Pod/chat-0"),
        (("pod",), "of-replica-set", Source.OWNER_LABEL, "ReplicaSet/chat-5d"),
        (("pod", "owners"), "of-workload", Source.AIWORKLOAD, "AIWorkload/chat"),
        (("pod", "owners", "claim"), "of-namespace", Source.NAMESPACE_LABEL, "namespace/team-a"),
        (
            ("pod", "owners", "claim", "namespace"),
            "of-account",
            Source.SERVICE_ACCOUNT,
            "ServiceAccount/runner",
        ),
        (
            ("pod", "owners", "claim", "namespace", "service_account"),
            "of-arguments",
            Source.DISCOVERED,
            "container main, --team",
        ),
    ],
)
def test_the_strongest_source_that_speaks_names_the_value(silent, value, source, origin):
    tags = resolve_tags(**without(everything_said(), *silent))
    assert tags[Dimension.TEAM] == Tag(value, source, origin, value)


def test_what_nobody_names_is_absent():
    assert resolve_tags(pod("chat-0"), None, None, None, {}) == {}


def test_the_order_of_the_table_is_the_order_of_the_sources():
    sources = [source for source, _ in _PRECEDENCE]
    assert sources == sorted(set(sources))


def test_a_farther_owner_speaks_where_the_nearer_is_silent():
    chain = (owner("ReplicaSet", "chat-5d"), owner("Deployment", "chat", {TEAM: "search"}))
    tag = resolve_tags(pod("chat-0", {}, *chain), None, None, None, {})[Dimension.TEAM]
    assert (tag.value, tag.origin) == ("search", "Deployment/chat")


@pytest.mark.parametrize("silence", ["", "  ", "untagged"])
def test_an_empty_label_does_not_hide_what_a_weaker_source_says(silence):
    namespace = NamespaceFacts("team-a", {TEAM: "search"})
    tag = resolve_tags(pod("chat-0", {TEAM: silence}), None, namespace, None, {})[Dimension.TEAM]
    assert (tag.value, tag.source) == ("search", Source.NAMESPACE_LABEL)


def test_the_value_as_written_is_kept_beside_the_normal_form():
    tag = resolve_tags(pod("chat-0", {TEAM: "Search_Team"}), None, None, None, {})[Dimension.TEAM]
    assert (tag.value, tag.raw) == ("search-team", "Search_Team")


def test_each_dimension_finds_its_own_source():
    labels = {TEAM: "search", "aicost.dev/cost-center": "CC_42"}
    claim = by_target("chat", "Pod", "chat-0", "v1", dimensions={Dimension.STAGE: "production", Dimension.TEAM: "x"})
    tags = resolve_tags(pod("chat-0", labels), claim, None, None, {})
    assert {key: tag.value for key, tag in tags.items()} == {
        Dimension.TEAM: "search",
        Dimension.COST_CENTER: "cc-42",
        Dimension.STAGE: "production",
    }


def test_labels_of_others_and_unknown_keys_name_nothing():
    labels = {"team": "search", "aicost.dev/Team": "search", "aicost.dev/colour": "blue", "other.dev/team": "x"}
    assert resolve_tags(pod("chat-0", labels), None, None, None, {}) == {}
