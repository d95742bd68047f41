"""Rules of shared costs: read from words and shares, and said in words."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from aicost.domain.ledger.rows import Bucket
from aicost.domain.statements.values import SHARED_BUCKETS, SharedRule, Spread

_MOST = 1_000
_DIGITS = 24


def read_rule(spread: str, buckets: Iterable[str], shares: Mapping[Any, Any] | None) -> SharedRule:
    """The rule that words name.

    Args:
        spread: a name of `Spread`.
        buckets: what is shared; none for all of `SHARED_BUCKETS`.
        shares: payer -> share, for `fixed` alone: `0.25`, `"25%"` or `"1/4"`.

    Raises:
        ValueError: naming the field, its value and the fix.
    """
    if spread not in set(Spread):
        raise ValueError(f"shared: {spread[:40]!r} is no rule: use {', '.join(Spread)}")
    kind = Spread(spread)
    if (kind is Spread.FIXED) != (shares is not None):
        fix = "name a file with --shares" if shares is None else "leave --shares out, or use --shared fixed"
        raise ValueError(f"shared: the rule {kind.value} and shares do not go together: {fix}")
    return SharedRule(kind, _buckets(buckets) or SHARED_BUCKETS, _shares(shares or {}))


def _buckets(names: Iterable[str]) -> tuple[Bucket, ...]:
    known = {bucket.value: bucket for bucket in SHARED_BUCKETS}
    named = list(names)
    for name in named:
        if name not in known:
            raise ValueError(f"shared-buckets: {name[:40]!r} is not shared: use some of {', '.join(known)}")
    return tuple(bucket for bucket in SHARED_BUCKETS if bucket.value in named)


def _shares(shares: Mapping[Any, Any]) -> dict[str, Fraction]:
    if len(shares) > _MOST:
        raise ValueError(f"shares: {len(shares)} payers are too many: name at most {_MOST}")
    read = {str(payer): _share(str(payer), value) for payer, value in shares.items()}
    whole = sum(read.values())
    if whole > 1:
        raise ValueError(f"shares: they are {_percent(Fraction(whole))} in all: they must not be above 100 %")
    return {payer: share for payer, share in sorted(read.items()) if share}


def _share(payer: str, value: Any) -> Fraction:
    text = str(value).strip()
    number, percent, _ = text.partition("%")
    if isinstance(value, bool) or len(text) > _DIGITS or "e" in text.lower():
        raise _refused(payer, text)
    try:
        share = Fraction(number.strip()) / (100 if percent else 1)
    except (ValueError, ZeroDivisionError) as unreadable:
        raise _refused(payer, text) from unreadable
    if not 0 <= share <= 1:
        raise _refused(payer, text)
    return share


def _refused(payer: str, text: str) -> ValueError:
    return ValueError(
        f"shares: {payer[:63]!r} has {text[:40]!r}, which is no share: write one from 0 to 1, such as 0.25, 25% or 1/4"
    )


def _percent(share: Fraction) -> str:
    return f"{float(share * 100):g} %"


_WORDS = {
    Spread.NONE: "Shared costs are not spread: they stay with the platform.",
    Spread.COST: "Shared costs are spread, within each cluster, in proportion to each payer's own cost.",
    Spread.GPU_HOURS: "Shared costs are spread, within each cluster, in proportion to each payer's own GPU-hours.",
    Spread.EVEN: "Shared costs are spread, within each cluster, in equal parts among payers that used it.",
    Spread.FIXED: "Shared costs are spread by agreed shares; what is left of the whole stays with the platform.",
}


def words(rule: SharedRule) -> str:
    """The rule for people."""
    if rule.spread is Spread.NONE:
        return _WORDS[rule.spread]
    shared = ", ".join(bucket.value for bucket in rule.buckets)
    return f"{_WORDS[rule.spread]} Shared are: {shared}."
