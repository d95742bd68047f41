"""Namespaces, selectors and modes in CEL."""

import re
from collections.abc import Iterable

from aicost.crd.vap.language.cel import all_of, any_of, text, texts
from aicost.domain.identity.claims import LabelExpression, LabelSelector
from aicost.domain.identity.selectors import unknown_operators
from aicost.domain.policy.policies import LabelPolicy, Mode, NamespaceScope

NAMESPACE_LABELS = (
    "request.kind.kind == 'Namespace' ? (has(object.metadata.labels) ? object.metadata.labels : {}) "
    ": namespaceObject != null && has(namespaceObject.metadata.labels) ? namespaceObject.metadata.labels : {}"
)
"""Labels of the namespace, as the variable `ns` should hold them."""


def selects(selector: LabelSelector, labels: str) -> str:
    """True where a selector selects labels. One with an operator that nobody knows selects nothing."""
    if unknown_operators(selector):
        return "false"
    plain = [f"{text(key)} in {labels} && {labels}[{text(key)}] == {text(value)}" for key, value in
             sorted(selector.match_labels.items())]  # fmt: skip
    return all_of([*plain, *(_term(term, labels) for term in selector.expressions)])


def _term(term: LabelExpression, labels: str) -> str:
    there = f"{text(term.key)} in {labels}"
    one_of = f"({there} && {labels}[{text(term.key)}] in {texts(term.values)})"
    return {"In": one_of, "NotIn": f"!{one_of}", "Exists": there, "DoesNotExist": f"!({there})"}[term.operator]


def in_scope(scope: NamespaceScope, namespace: str, labels: str) -> str:
    """True for a namespace of a scope."""
    names = [f"{namespace} in {texts(sorted(scope.names))}"] if scope.names else []
    chosen = [selects(scope.selector, labels)] if scope.selector is not None else []
    return any_of([*names, *chosen])


def mode_in(policy: LabelPolicy, namespace: str, labels: str) -> str:
    """The mode in a namespace, as a text: that of the first override that matches, else the policy's."""
    rest = text(policy.mode)
    for each in reversed(policy.overrides):
        rest = f"({in_scope(each.namespaces, namespace, labels)}) ? {text(each.mode)} : ({rest})"
    return rest


def modes(policy: LabelPolicy) -> frozenset[Mode]:
    """The modes that it may have somewhere."""
    return frozenset({policy.mode, *(each.mode for each in policy.overrides)})


def covered(patterns: Iterable[str], value: str) -> str:
    """True where one of some patterns with `*` covers a text."""
    expressions = [".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns]
    return f"{value}.matches({text('^(?s:' + '|'.join(expressions) + ')$')})" if expressions else "false"
