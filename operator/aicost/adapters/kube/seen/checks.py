"""Checks that every kind of object shares; each refusal names the field and what it should be."""

from datetime import datetime
from fractions import Fraction

from aicost.adapters.kube.seen import shapes
from aicost.domain.exact.windows import to_millis
from aicost.domain.inventory.quantities import parse_quantity

MAX_COUNT = 2**53
"""Larger counts are nonsense, and would not survive as JSON numbers."""


def require_identity(metadata: shapes.Metadata, *, namespaced: bool = False) -> None:
    """Refuse an object that cannot be told from others.

    Raises:
        ValueError: uid, name or namespace is missing.
    """
    wanted = {"uid": metadata.uid, "name": metadata.name}
    if namespaced:
        wanted["namespace"] = metadata.namespace or ""
    for field, value in wanted.items():
        if not value:
            raise ValueError(f"metadata.{field} is missing: nothing can be remembered of an object without it")


def millis(moment: datetime | None, field: str) -> int:
    """A required moment in milliseconds.

    Raises:
        ValueError: it is missing.
    """
    if moment is None:
        raise ValueError(f"{field} is missing: write a moment such as 2026-11-20T10:00:00Z")
    return to_millis(moment)


def whole(quantity: str | float, field: str, unit: Fraction = Fraction(1)) -> int:
    """A quantity as a whole number of units, rounded up.

    Raises:
        ValueError: it is no quantity, negative, or absurdly large.
    """
    try:
        number = parse_quantity(str(quantity), unit)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error
    if not 0 <= number <= MAX_COUNT:
        raise ValueError(f"{field} is {quantity}: it must lie within 0 and {MAX_COUNT}")
    return number
