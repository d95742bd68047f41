"""Which groups of cost are in the scope of a budget: looked up, because a thousand budgets ask each quarter minute."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aicost.domain.budgets.plans import BudgetPlan
from aicost.domain.identity.claims import LabelSelector
from aicost.domain.identity.selectors import selects
from aicost.domain.reporting.keys import accepted_values, is_holder_key

Values = tuple[str, ...]
NOWHERE = ("",)
"""Names no namespace: the choice of a selector that selects none."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cost counts: what has an accepted value under each key.

    Attributes:
        filters: key -> accepted values, sorted by key.
        components: components that count, empty for all.
    """

    filters: tuple[tuple[str, frozenset[str]], ...]
    components: frozenset[str] = frozenset()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that it asks for."""
        return tuple(key for key, _ in self.filters)

    @property
    def by_holder(self) -> bool:
        """Whether it is about who held a device: then nothing counts that nobody held."""
        return any(is_holder_key(key) for key in self.keys)


def scope_of(plan: BudgetPlan, namespaces: Mapping[str, Mapping[str, str]]) -> Scope:
    """The scope of a budget, its namespaces by the labels that they have now.

    Args:
        plan: the budget.
        namespaces: name -> labels.
    """
    filters = dict(plan.filters)
    if plan.namespaces is not None:
        filters["namespace"] = _chosen(plan.namespaces, namespaces, filters.get("namespace"))
    accepted = tuple((key, accepted_values(key, values)) for key, values in sorted(filters.items()))
    return Scope(accepted, frozenset(plan.components))


def narrowed(scope: Scope, values: Mapping[str, str]) -> Scope:
    """The part of a scope that has some values under some keys."""
    kept = {key: accepted for key, accepted in scope.filters if key not in values}
    filters = {**kept, **{key: frozenset({value}) for key, value in values.items()}}
    return Scope(tuple(sorted(filters.items())), scope.components)


def _chosen(selector: LabelSelector, namespaces: Mapping[str, Mapping[str, str]], named: Values | None) -> Values:
    """Names that the selector chooses, among those that are named where some are; at least one, which may be none."""
    found = tuple(name for name, labels in namespaces.items() if selects(selector, labels))
    return tuple(name for name in found if named is None or name in named) or NOWHERE


@dataclass(frozen=True, slots=True)
class Grouped:
    """Groups of cost by some keys.

    Attributes:
        keys: what they are grouped by.
        values: of each group, in the order of the keys.
        held: whether a pod held it; what nobody held has no holder.
        components: component of each group.
    """

    keys: Values
    values: Sequence[Values]
    held: Sequence[bool]
    components: Sequence[str]
    _by_value: dict[str, Mapping[str, frozenset[int]]] = field(default_factory=dict, compare=False, repr=False)

    def inside(self, scope: Scope) -> tuple[int, ...]:
        """Places of the groups in scope.

        Raises:
            KeyError: the groups do not tell a key of the scope apart.
        """
        found = self._narrowed(scope)
        places: Iterable[int] = range(len(self.values)) if found is None else sorted(found)
        return tuple(
            place
            for place in places
            if (self.held[place] or not scope.by_holder)
            and (not scope.components or self.components[place] in scope.components)
        )

    def _narrowed(self, scope: Scope) -> frozenset[int] | None:
        """Groups that have an accepted value under each key; None where nothing is asked."""
        found: frozenset[int] | None = None
        for key, values in scope.filters:
            index = self._index(key)
            here = frozenset().union(*(index.get(value, frozenset()) for value in values))
            found = here if found is None else found & here
        return found

    def _index(self, key: str) -> Mapping[str, frozenset[int]]:
        """Value -> places of the groups that have it; made when it is first asked for."""
        if key not in self._by_value:
            at = self.keys.index(key) if key in self.keys else None
            if at is None:
                raise KeyError(f"cost is not grouped by {key}")
            found: defaultdict[str, set[int]] = defaultdict(set)
            for place, values in enumerate(self.values):
                found[values[at]].add(place)
            self._by_value[key] = {value: frozenset(places) for value, places in found.items()}
        return self._by_value[key]
