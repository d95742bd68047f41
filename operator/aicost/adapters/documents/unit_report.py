"""A report of unit costs as JSON, and back, exactly: integers stay integers, and fractions are texts such as `1/3`.

Fields that this version does not know are passed over, and those that it misses have their defaults: a client and a
server may be of versions that follow each other.
"""

from fractions import Fraction
from typing import Any

import msgspec

from aicost.usecases.economics.cost_units import UnitReport


def written(report: UnitReport) -> Any:
    """A report as what JSON can hold."""
    return msgspec.to_builtins(report, enc_hook=_fraction_text, str_keys=True)


def read_back(document: Any) -> UnitReport:
    """A report from what JSON held.

    Raises:
        ValueError: it is none.
    """
    try:
        return msgspec.convert(document, UnitReport, dec_hook=_fraction, str_keys=True)
    except (msgspec.MsgspecError, ZeroDivisionError, TypeError) as problem:
        raise ValueError(f"the answer is no report of unit costs: {problem}") from problem


def _fraction_text(value: Any) -> str:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    raise NotImplementedError(f"{type(value).__name__} is in no report of unit costs")


def _fraction(kind: type, value: Any) -> Any:
    if kind is Fraction:
        return Fraction(value)
    raise NotImplementedError(f"{kind.__name__} is in no report of unit costs")
