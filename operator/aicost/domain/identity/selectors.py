"""Label selectors, as Kubernetes reads them."""

from collections.abc import Callable, Mapping

from aicost.domain.identity.claims import LabelExpression, LabelSelector

_OPERATORS: Mapping[str, Callable[[str | None, tuple[str, ...]], bool]] = {
    "In": lambda value, values: value is not None and value in values,
    "NotIn": lambda value, values: value is None or value not in values,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
}


def selects(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Tell whether all terms of a selector hold for labels. A selector without terms selects everything.

    Raises:
        ValueError: an operator is none of In, NotIn, Exists and DoesNotExist.
    """
    plain = all(labels.get(key) == value for key, value in selector.match_labels.items())
    return plain and all(expression_holds(expression, labels) for expression in selector.expressions)


def expression_holds(expression: LabelExpression, labels: Mapping[str, str]) -> bool:
    """Tell whether one `matchExpressions` term holds. A key that is absent satisfies NotIn, as in Kubernetes.

    Raises:
        ValueError: the operator is unknown.
    """
    check = _OPERATORS.get(expression.operator)
    if check is None:
        raise ValueError(f"operator {expression.operator!r} of key {expression.key!r}: use {', '.join(_OPERATORS)}")
    return check(labels.get(expression.key), expression.values)


def unknown_operators(selector: LabelSelector) -> tuple[str, ...]:
    """Operators of a selector that no API server would accept."""
    return tuple(term.operator for term in selector.expressions if term.operator not in _OPERATORS)


def describe_selector(selector: LabelSelector) -> str:
    """Print a selector as `kubectl -l` takes it."""
    terms = [f"{key}={value}" for key, value in sorted(selector.match_labels.items())]
    return ",".join([*terms, *map(_describe_expression, selector.expressions)]) or "(no terms)"


def _describe_expression(term: LabelExpression) -> str:
    match term.operator:
        case "Exists":
            return term.key
        case "DoesNotExist":
            return f"!{term.key}"
        case operator:
            return f"{term.key} {operator.lower()} ({','.join(term.values)})"
