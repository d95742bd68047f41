"""Namespace scopes of a policy as the domain knows them."""

from aicost.crd.convert.claims import label_selector
from aicost.crd.models.policy import scope as api
from aicost.domain.policy.policies import NamespaceScope


def namespace_scope(scope: api.NamespaceScope | None) -> NamespaceScope | None:
    """A scope, None for none."""
    return None if scope is None else NamespaceScope(frozenset(scope.names or ()), label_selector(scope.selector))
