"""Percentages off a price: which ones hold for a node, how they go together, and what is left, as an exact fraction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from aicost.domain.inventory.nodes import NodeFacts
from aicost.domain.pricing.books import Discount, NodeMatch, PriceBook, Stacking
from aicost.domain.pricing.fit import mismatches

_PPB = 10**9
_PPB_PER_PERCENT = 10**7


@dataclass(frozen=True, slots=True)
class Granted:
    """A discount that is for a node and a book's entries, at any time.

    Attributes:
        label: book and name.
    """

    label: str
    discount: Discount


@dataclass(frozen=True, slots=True)
class Reduction:
    """What discounts together leave of a price.

    Attributes:
        factor: what is left of each unit; 0 or less where they take off everything.
        how: for people; empty where nothing is taken off.
    """

    factor: Fraction = Fraction(1)
    how: str = ""


def granted(node: NodeFacts, book: str, books: Sequence[PriceBook]) -> tuple[Granted, ...]:
    """The discounts that a node has on the entries of a book, in the order of their labels, whenever they hold.

    Args:
        node: the node.
        book: name of the book whose entries are meant.
        books: all books: a discount may stand in another one.
    """
    found = [
        Granted(f"{owner.name}/{discount.name}", discount)
        for owner in books
        for discount in owner.discounts
        if book in (discount.books or (owner.name,)) and _is_for(discount.match, node)
    ]
    return tuple(sorted(found, key=lambda one: one.label))


def _is_for(match: NodeMatch, node: NodeFacts) -> bool:
    return match == NodeMatch() or not mismatches(match, node)


def reduce(found: Sequence[Granted], at_ms: int) -> Reduction:
    """Put the discounts together that hold at a moment.

    `factor = (1 - (best + sum of added)) x product of (1 - compound)`. Of several that hold alone (`best`) the largest
    is used, of equal ones the first by name. The order of the discounts does not matter.
    """
    held = [one for one in found if at_ms in one.discount.effective]
    if not held:
        return Reduction()
    best = _largest([one for one in held if one.discount.stacking is Stacking.BEST])
    added = [one for one in held if one.discount.stacking is Stacking.ADD]
    compound = [one for one in held if one.discount.stacking is Stacking.COMPOUND]
    summed = [*([best] if best else []), *added]
    factor = 1 - sum((_off(one) for one in summed), Fraction(0))
    left = Fraction(1)
    for one in compound:
        left *= 1 - _off(one)
    return Reduction(factor * left if factor > 0 else factor, "; ".join(_words(held, best, summed, compound)))


def _largest(alone: Sequence[Granted]) -> Granted | None:
    return min(alone, key=lambda one: (-one.discount.off_ppb, one.label), default=None)


def _words(
    held: Sequence[Granted], best: Granted | None, summed: Sequence[Granted], compound: Sequence[Granted]
) -> Iterator[str]:
    """What is taken off, in the order in which it is, and what is not."""
    if summed:
        yield "less " + " and ".join(f"{percent(one.discount.off_ppb)} % ({one.label})" for one in summed)
    for one in compound:
        yield f"less {percent(one.discount.off_ppb)} % of what is left ({one.label})"
    unused = [one.label for one in held if one.discount.stacking is Stacking.BEST and one is not best]
    if unused and best:
        yield f"{', '.join(unused)} not used: {best.label} takes off as much or more, and they do not add up"


def _off(one: Granted) -> Fraction:
    return Fraction(one.discount.off_ppb, _PPB)


def percent(ppb: int) -> str:
    """Parts per billion as an exact percentage: 75000000 is `7.5`."""
    whole, rest = divmod(ppb, _PPB_PER_PERCENT)
    digits = f"{rest:07d}".rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
