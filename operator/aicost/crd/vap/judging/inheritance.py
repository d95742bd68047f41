"""What pods inherit, in CEL.

It sees the namespace and the requester. What it does not see (ServiceAccounts, queues, AIWorkloads) is written into it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aicost.crd.vap.language.cel import at, labels_of, text, text_map, texts
from aicost.crd.vap.language.scopes import selects
from aicost.crd.vap.language.values import counted, spelled
from aicost.domain.identity.claim_index import target_key
from aicost.domain.identity.claims import WorkloadClaim
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.inventory.cluster import ServiceAccountFacts
from aicost.domain.policy.judging.spellings import stated
from aicost.domain.policy.policies import ConfigMapKey, Inherit, LabelKey
from aicost.domain.policy.values import canonical
from aicost.domain.workloads.run_ids import MARKS, Found

MOST_WRITTEN = 500
"""Objects that are written into a policy at most: the API server compiles it anew each time one of them changes."""
_NAME = "(object.metadata.?name.orValue(''))"


@dataclass(frozen=True, slots=True)
class World:
    """What CEL cannot see and is written into expressions."""

    listed: Mapping[ConfigMapKey, tuple[str, ...]] = field(default_factory=dict)
    accounts: Mapping[tuple[str, str], ServiceAccountFacts] = field(default_factory=dict)
    queues: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    claims: Mapping[str, Sequence[WorkloadClaim]] = field(default_factory=dict)


def inherited(key: LabelKey, world: World, pod: str, meant: str) -> str:
    """What the pods of a place inherit, strongest first, as a list of values.

    Args:
        key: the key.
        world: what is written into the expression.
        pod: expression of the pod template, or of the object where it has none.
        meant: expression of the aliases of the key's values as a map.
    """
    parts = [reader for reader in _readers(key, world, pod, meant).values() if reader]
    return " + ".join([*parts, *_discovered(key, pod, meant)]) or "[]"


def bequeathed(key: LabelKey, world: World, pod: str, meant: str) -> str:
    """What is written down of what pods inherit: nothing of what an AIWorkload says, or what was only discovered."""
    readers = _readers(key, world, pod, meant)
    claimed = readers.pop(Inherit.AIWORKLOAD, "")
    written = " + ".join(reader for reader in readers.values() if reader) or "[]"
    return f"{claimed}.size() > 0 ? [] : {written}" if claimed else written


def _readers(key: LabelKey, world: World, pod: str, meant: str) -> dict[Inherit, str]:
    """Where values may come from, strongest first; empty texts where nothing is to be had."""
    every = {
        Inherit.AIWORKLOAD: _claimed(key, world, pod),
        Inherit.QUEUE: _looked_up(_of_queues(key, world), "variables.ns + '/' + variables.queue"),
        Inherit.NAMESPACE: spelled(key, "variables.nsl", meant),
        Inherit.SERVICE_ACCOUNT: _looked_up(_of_accounts(key, world), f"variables.ns + '/' + {_account(pod)}"),
        Inherit.GROUP: _grouped(key),
    }
    return {inherit: reader for inherit, reader in every.items() if inherit in key.inherit}


def _account(pod: str) -> str:
    return at(pod, "spec", "serviceAccountName", default="'default'")


def _looked_up(values: Mapping[str, str], name: str) -> str:
    if not values:
        return ""
    return f"[{name}].filter(n, n in {text_map(values)}).map(n, {text_map(values)}[n])"


def _of_accounts(key: LabelKey, world: World) -> dict[str, str]:
    found_values = {f"{where}/{name}": stated(key, facts.labels) for (where, name), facts in world.accounts.items()}
    return {name: value.value for name, value in sorted(found_values.items()) if value}


def _of_queues(key: LabelKey, world: World) -> dict[str, str]:
    found_values = {f"{where}/{name}": stated(key, labels) for (where, name), labels in world.queues.items()}
    return {name: value.value for name, value in sorted(found_values.items()) if value}


def _grouped(key: LabelKey) -> str:
    """The first group of the policy's list that the requester is in."""
    values = {group: value for group, raw in key.groups.items() if (value := canonical(key, raw)) is not None}
    if not values:
        return ""
    groups = "(has(request.userInfo.groups) ? request.userInfo.groups : [])"
    return f"{texts(values)}.filter(g, g in {groups}).map(g, {text_map(values)}[g])"


def _claimed(key: LabelKey, world: World, pod: str) -> str:
    """What the AIWorkload says that will claim the pods: the one that names the owner, else the oldest."""
    if key.dimension is None or not world.claims:
        return ""
    ranked = sorted(
        (claim for claims in world.claims.values() for claim in claims),
        key=lambda claim: (claim.target is None, claim.created_ms, claim.name),
    )
    pairs = [f"({_claims(claim)} ? [{_value(key, key.dimension, claim)}] : [])" for claim in ranked[:MOST_WRITTEN]]
    return f"[{labels_of(pod)}].map(l, ({' + '.join(pairs)} + [''])[0]).filter(v, v != '')"


def _value(key: LabelKey, dimension: Dimension, claim: WorkloadClaim) -> str:
    return text(canonical(key, claim.dimensions.get(dimension, "")) or "")


def _claims(claim: WorkloadClaim) -> str:
    here = f"variables.ns == {text(claim.namespace)}"
    if claim.target is not None:
        group, kind, name = target_key(claim.target)
        return f"{here} && variables.gk == {text(f'{group}/{kind}')} && {_NAME} == {text(name)}"
    return f"{here} && {selects(claim.selector, 'l')}" if claim.selector is not None else "false"


def _discovered(key: LabelKey, pod: str, meant: str) -> list[str]:
    """Run ids in the environment, on labels and annotations; the value counts as written."""
    variables = [mark.key for mark in MARKS if mark.dimension is key.dimension and mark.where is Found.VARIABLE]
    if key.dimension is None or not variables:
        return []
    named = f"e.?name.orValue('') in {texts(variables)} && e.?value.orValue('') != ''"
    each = f"{at('c', 'env', default='[]')}.filter(e, {named}).map(e, e.value)"
    values = f"{at(pod, 'spec', 'containers', default='[]')}.map(c, ({each} + [''])[0]).filter(v, v != '')"
    return [f"{values}.map(v, {counted(key, 'v', meant)})"]
