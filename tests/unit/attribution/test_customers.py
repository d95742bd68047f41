"""Customers under ids: nothing that is computed or stored says their names, and all that agreed still agrees."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.concealed import ConcealedClaims, ConcealedInventory, ConcealedPolicies
from aicost.bootstrap import customer_ids
from aicost.domain.attribution.customers import CustomerIds, customer_labels
from aicost.domain.exact.windows import Window
from aicost.domain.identity.claims import LabelExpression, LabelSelector, WorkloadClaim
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.tags.precedence import resolve_tags
from aicost.domain.inventory.cluster import ClusterFacts, NamespaceFacts
from aicost.domain.inventory.pods import OwnerFacts, PodFacts, PodRecord
from aicost.domain.policy.judging.scopes import in_namespaces
from aicost.domain.policy.policies import (
    AllowedValues,
    AttributionRule,
    Exemption,
    LabelKey,
    LabelPolicy,
    Mode,
    ModeOverride,
    NamespaceScope,
    RuleMatch,
)
from aicost.entrypoints.controller.budgets.gathering import Gathering
from aicost.ports.errors import InvalidRequest
from support.controller import make_world, settings_with

IDS = CustomerIds(b"0123456789abcdef")
LABEL = "aicost.dev/customer"
KEY = LabelKey(
    "customer", LABEL, Dimension.CUSTOMER, aliases=("tenant",), value_aliases={"acme-inc": "acme"}, default="house"
)
RULE = AttributionRule(
    "old", RuleMatch(labels=LabelSelector({"tenant": "Globex"})), {Dimension.CUSTOMER: "initech", Dimension.TEAM: "x"}
)
POLICY = LabelPolicy("p", "u", 1, Mode.AUDIT, keys=(KEY,), rules=(RULE,))
WINDOW = Window(0, 1)
CONCEALED = (ConcealedInventory, ConcealedClaims, ConcealedPolicies)


class Said:
    def __init__(self, facts=None, claims=(), policies=(POLICY,)):
        self._facts, self._claims, self._policies = facts, claims, policies

    def facts(self, _window):
        return self._facts

    def claims(self):
        return self._claims

    def policies(self):
        return self._policies


def pod(**labels):
    named = {key.replace("__", "/").replace("_", "."): value for key, value in labels.items()}
    return PodFacts("u1", "team-a", "p", 0, labels=named)


def customer_of(facts, claim=None, policies=(POLICY,), namespace=None):
    tags = resolve_tags(facts, claim, namespace, None, {}, policies)
    return tags[Dimension.CUSTOMER].value if Dimension.CUSTOMER in tags else None


def concealed(facts, policies=(POLICY,)):
    return ConcealedInventory(Said(facts), Said(policies=policies), IDS).facts(WINDOW)


def test_an_id_is_the_same_for_each_spelling_and_another_for_each_customer_and_key():
    assert IDS.id_of("Acme Inc") == IDS.id_of("acme-inc") != IDS.id_of("acme")
    assert CustomerIds(b"fedcba9876543210").id_of("acme") != IDS.id_of("acme")
    assert (IDS.id_of(""), IDS.id_of("untagged")) == ("", "untagged")
    assert len(IDS.id_of("acme")) == 26


@given(st.text(max_size=300))
def test_an_id_is_a_value_like_any_other_whatever_the_name(name):
    found = IDS.id_of(name)
    again = pod(aicost_dev__customer=found)
    assert customer_of(again, policies=()) in {found, None}


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"aicost_dev__customer": "Acme"}, "acme"),
        ({"tenant": "acme_inc"}, "acme"),
        ({}, "initech"),
    ],
)
def test_who_pays_is_the_same_by_id_as_by_name(labels, name):
    facts, rule = pod(**labels), replace(RULE, match=RuleMatch())
    policies = (replace(POLICY, rules=() if labels else (rule,)),)
    assert customer_of(facts, policies=policies) == name
    (hidden,) = concealed(ClusterFacts((PodRecord(facts, 0),), ()), policies).pods
    by_id = ConcealedPolicies(Said(policies=policies), IDS).policies()
    assert customer_of(hidden.facts, policies=by_id) == IDS.id_of(name)


def test_rules_and_claims_that_ask_for_a_customer_still_find_it():
    facts = pod(tenant="globex")
    (hidden,) = concealed(ClusterFacts((PodRecord(facts, 0),), ())).pods
    by_id = ConcealedPolicies(Said(), IDS).policies()
    override = tuple(replace(policy, rules=tuple(replace(r, override=True) for r in policy.rules)) for policy in by_id)
    assert customer_of(hidden.facts, policies=override) == IDS.id_of("initech")
    terms = (LabelExpression("tenant", "In", ("a", "b")), LabelExpression("x", "In", ("a",)))
    said = {Dimension.CUSTOMER: "Acme", Dimension.TEAM: "t"}
    claim = WorkloadClaim("n", "w", "u", 0, selector=LabelSelector({LABEL: "acme"}, terms), dimensions=said)
    (found,) = ConcealedClaims(Said(claims=(claim,)), Said(), IDS).claims()
    assert found.selector.match_labels == {LABEL: IDS.id_of("acme")}
    assert found.selector.expressions[0].values == (IDS.id_of("a"), IDS.id_of("b"))
    assert found.selector.expressions[1].values == ("a",)
    assert found.dimensions == {Dimension.CUSTOMER: IDS.id_of("acme"), Dimension.TEAM: "t"}


def test_no_name_is_left_in_what_is_handed_on():
    owner = OwnerFacts("v1", "Job", "j", "u", {LABEL: "secret-corp"})
    facts = replace(pod(aicost_dev__customer="secret-corp", team="t"), owners=(owner,))
    namespaces = {"team-a": NamespaceFacts("team-a", {"tenant": "secret-corp"}), "b": NamespaceFacts("b", {"x": "y"})}
    cluster = ClusterFacts((PodRecord(facts, 0),), (), namespaces)
    hidden = concealed(cluster)
    assert "secret-corp" not in repr(hidden)
    assert hidden.pods[0].facts.labels["team"] == "t"
    assert hidden.namespaces["b"] is namespaces["b"]


def test_no_name_is_left_in_a_policy_that_charges_and_the_same_namespaces_are_selected():
    chosen = NamespaceScope(selector=LabelSelector({"tenant": "secret-corp"}))
    key = replace(
        KEY,
        value_aliases={"secret-corp-inc": "secret-corp"},
        default="secret-corp",
        groups={"g": "Secret Corp"},
        allowed=AllowedValues(values=("secret-corp", "globex"), bound={"secret-corp": chosen}),
    )
    policy = replace(
        POLICY,
        keys=(key,),
        namespaces=chosen,
        overrides=(ModeOverride(chosen, Mode.WARN),),
        exemptions=(Exemption("e", 1, "x", namespaces=chosen, selector=LabelSelector({LABEL: "secret-corp"})),),
    )
    (hidden,) = ConcealedPolicies(Said(policies=(policy,)), IDS).policies()
    assert "secret" not in repr(hidden).lower()
    space = IDS.labels({"tenant": "secret-corp"}, {"tenant"})
    assert in_namespaces(hidden.namespaces, "team-a", space)
    assert not in_namespaces(hidden.namespaces, "team-a", {"tenant": "globex"})
    assert hidden.keys[0].allowed.values == (IDS.id_of("secret-corp"), IDS.id_of("globex"))


def test_what_did_not_change_is_the_same_object_again():
    known = PodRecord(pod(aicost_dev__customer="acme"), 0)
    inventory = ConcealedInventory(Said(ClusterFacts((known,), ())), Said(), IDS)
    first, second = inventory.facts(WINDOW), inventory.facts(WINDOW)
    assert first.pods[0].facts is second.pods[0].facts


def test_aliases_of_policies_mean_customers_too():
    assert customer_labels([POLICY]) == {LABEL, "tenant"}
    assert customer_labels([]) == {LABEL}


def test_a_key_that_is_missing_or_could_be_guessed_is_refused_without_showing_it(tmp_path):
    with pytest.raises(InvalidRequest, match=r"privacy.customerKeyFile .*FileNotFoundError"):
        customer_ids(str(tmp_path / "none"))
    (tmp_path / "short").write_text("hunter2\n")
    with pytest.raises(InvalidRequest, match="the key has 7 bytes, at least 16 are needed") as problem:
        customer_ids(str(tmp_path / "short"))
    assert "hunter2" not in str(problem.value)
    (tmp_path / "good").write_text("0123456789abcdef\n")
    assert customer_ids(str(tmp_path / "good")) == IDS


def test_whatever_charges_in_the_controller_asks_behind_the_key(tmp_path):
    (tmp_path / "key").write_text("0123456789abcdef")
    world = make_world(tmp_path, settings_with(privacy={"customerKeyFile": str(tmp_path / "key")}))
    app = world.app
    for one in (app.close_windows.compute, app.refresh_open.compute, app.revisit.compute):
        assert (type(one.inventory), type(one.claims), type(one.policies)) == CONCEALED
    running = Gathering(app, world.state)._running
    assert (type(running.inventory), type(running.claims), type(running.policies)) == CONCEALED
    app.stores.close()


def test_without_a_key_nothing_stands_in_between(tmp_path):
    app = make_world(tmp_path).app
    assert app.charged.inventory is app.stores.inventory
    app.stores.close()
