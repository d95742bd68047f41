"""Labels, AIWorkloads and command lines as nobody should write them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.identity.claims import LabelExpression
from aicost.domain.identity.commands import commands_of
from aicost.domain.identity.dimensions import UNTAGGED, Dimension
from aicost.domain.identity.discovery import discover, engine_in
from aicost.domain.identity.matching import match_claims
from aicost.domain.identity.model_names import model_name
from aicost.domain.identity.normalise import MAX_LENGTH, normalise
from aicost.domain.identity.tags.precedence import resolve_tags
from aicost.domain.inventory.cluster import NamespaceFacts
from aicost.domain.inventory.pods import ContainerFacts
from support.identity import by_labels, by_target, owner, pod, running

DIMENSIONS = st.sampled_from(list(Dimension))
LABEL_CHARACTERS = string.ascii_letters + string.digits + "-_."


@given(DIMENSIONS, st.text(max_size=200))
def test_a_normal_form_is_its_own_normal_form(dimension, raw):
    value = normalise(dimension, raw)
    if value is not None:
        assert normalise(dimension, value) == value


@given(DIMENSIONS, st.text(max_size=200))
def test_a_normal_form_is_short_visible_and_lower_case(dimension, raw):
    value = normalise(dimension, raw)
    if value is not None:
        assert 0 < len(value) <= MAX_LENGTH
        assert value.isprintable()
        assert not any(char.isspace() or char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ_" for char in value)
        assert value != UNTAGGED


@given(st.text(alphabet=LABEL_CHARACTERS, max_size=63))
def test_letter_case_and_separators_never_make_two_values(raw):
    forms = {normalise(Dimension.TEAM, each) for each in (raw, raw.upper(), raw.replace("_", "-"), f" {raw} ")}
    assert len(forms) == 1


@pytest.mark.parametrize("raw", ["a" + "._-" * 20 + "a1", "A" * 63, "-" * 63, "a_" * 31 + "a", "0" * 63, "..a..b.."])
def test_63_odd_characters_are_a_value_or_nothing(raw):
    tags = resolve_tags(pod("p", {"aicost.dev/team": raw}), None, None, None, {})
    assert all(0 < len(tag.value) <= MAX_LENGTH and tag.raw == raw for tag in tags.values())


@pytest.mark.parametrize(
    ("seen", "like"),
    [("\u202esearch", "search"), ("sea\u00adrch", "search"), ("search\u2028", "search"), ("\ufeffsearch", "search")],
)
def test_what_cannot_be_seen_makes_no_second_team(seen, like):
    assert normalise(Dimension.TEAM, seen) == normalise(Dimension.TEAM, like)


def test_letters_that_only_look_alike_stay_two_teams():
    assert normalise(Dimension.TEAM, "se\u0430rch") != normalise(Dimension.TEAM, "search")


def test_terminal_control_does_not_pass():
    assert "\x1b" not in normalise(Dimension.TEAM, "\x1b[31mred\x1b[0m")


def test_a_label_that_pretends_to_be_untagged_does_not_hide_the_namespace():
    namespace = NamespaceFacts("team-a", {"aicost.dev/team": "search"})
    tags = resolve_tags(pod("p", {"aicost.dev/team": "__Untagged__"}), None, namespace, None, {})
    assert tags[Dimension.TEAM].value == "search"


def test_a_workload_of_another_namespace_takes_nothing():
    pods = [pod("p", {"app": "chat"}, owner("Deployment", "chat"))]
    thieves = [
        by_labels("all", {}, LabelExpression("nothing", "DoesNotExist"), namespace="thief"),
        by_target("chat", "Deployment", "chat", namespace="thief"),
        by_labels("empty", namespace="thief"),
    ]
    matching = match_claims(pods, thieves)
    assert matching.by_pod == {}
    assert [problem.workload for problem in matching.problems] == ["all", "chat", "empty"]


def test_a_workload_that_selects_everything_takes_only_what_nobody_claims_better():
    pods = [pod("a", {"app": "a"}, owner("Deployment", "a")), pod("b", {"app": "b"}, owner("Deployment", "b"))]
    matching = match_claims(pods, [by_labels("all", created_ms=1), by_target("b", "Deployment", "b", created_ms=9)])
    assert {uid: claim.name for uid, claim in matching.by_pod.items()} == {
        "uid-team-a-a": "all",
        "uid-team-a-b": "b",
    }
    assert [(problem.workload, problem.kind) for problem in matching.problems] == [("all", "SelectsEverything")]


def test_two_owners_of_one_name_in_a_chain_are_one_claim_at_the_nearer_link():
    loop = pod("p", {}, owner("Deployment", "chat"), owner("ReplicaSet", "r"), owner("Deployment", "chat"))
    near, far = by_target("near", "Deployment", "chat"), by_target("far", "ReplicaSet", "r")
    assert match_claims([loop], [near]).conflicts == ()
    assert match_claims([loop], [near, far]).by_pod == {loop.uid: near}


def test_many_claims_on_many_pods_are_all_judged():
    pods = [pod(f"p{number}", {"app": f"a{number % 50}"}) for number in range(2_000)]
    claims = [by_labels(f"w{number}", {"app": f"a{number}"}) for number in range(100)]
    matching = match_claims(pods, claims)
    assert len(matching.by_pod) == 2_000
    assert len(matching.problems) == 50


@given(st.lists(st.text(max_size=60), max_size=8))
def test_no_command_line_breaks_the_reading_of_it(args):
    engine_in(ContainerFacts("c", "vllm/vllm-openai", ("sh", "-c", *args)))
    engine_in(ContainerFacts("c", args[0] if args else "", tuple(args)))


@pytest.mark.parametrize(
    "script",
    [
        "vllm serve 'org/name",
        'vllm serve "org/name',
        "vllm serve org/name \\",
        "vllm serve org/name; echo '",
        "cat <<EOF > x\nit's\nEOF\nvllm serve org/name",
        "if true; then\n  vllm serve org/name --port $(PORT)\nfi",
    ],
)
def test_a_script_that_no_shell_would_take_is_still_read(script):
    use = engine_in(ContainerFacts("c", "acme/x", ("bash", "-c", script)))
    assert use.engine == "vllm"


def test_a_script_without_end_is_read_at_its_beginning_alone():
    endless = "vllm serve org/name; " + "true; " * 500_000
    assert engine_in(ContainerFacts("c", "acme/x", ("sh", "-c", endless))).model == "org/name"
    assert len(next(commands_of(["true"] * 1_000_000))) < 1_000


def test_secrets_beside_the_model_are_not_read():
    facts = running("vllm/vllm-openai", "--api-key", "sk-secret", "--model", "org/name", "--hf-token=hf_secret")
    assert "secret" not in repr(discover(facts))


@pytest.mark.parametrize("value", ["../../etc/passwd", "/../..", "//", "org//name", "a" * 252 + "/b", "org/", "/org"])
def test_odd_paths_are_a_name_or_none(value):
    name = model_name(value)
    assert name is None or "//" not in name
    assert name != ".."
