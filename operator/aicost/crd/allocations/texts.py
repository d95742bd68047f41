"""Amounts of a report for people. What is not known is said to be unpriced; nothing at all is None."""

from aicost.crd.status.texts import UNPRICED, money
from aicost.domain.ledger.rows import Bucket
from aicost.domain.reporting.query import Amounts
from aicost.domain.reporting.ratios import gpu_time, is_unpriced

_CENT = 10_000_000


def known_nanos(amounts: Amounts, nanos: int) -> int | None:
    """An amount that belongs to these sums; None where it is not known, or where there is no currency to name."""
    return None if not amounts.currency or (is_unpriced(amounts) and not nanos) else nanos


def cost_text(amounts: Amounts, nanos: int) -> str | None:
    """The amount with its currency, `unpriced` where it is not known, None where there is nothing at all."""
    if known_nanos(amounts, nanos) is not None:
        return money(nanos, amounts.currency)
    return UNPRICED if gpu_time(amounts) or amounts.quantities else None


def bucket_nanos(amounts: Amounts, bucket: Bucket) -> int | None:
    """The cost of a bucket; None where it has device time and no price. Zero device time costs zero."""
    nanos = amounts.buckets.get(bucket, 0)
    return None if is_unpriced(amounts) and not nanos else nanos


def error_text(amounts: Amounts) -> str | None:
    """The half-width of the error bar, to the cent; None where it is not known."""
    error = amounts.error_nanos
    if error is None or not amounts.currency:
        return None
    return f"<{money(_CENT, amounts.currency)}" if 0 < error < _CENT else money(error, amounts.currency)
