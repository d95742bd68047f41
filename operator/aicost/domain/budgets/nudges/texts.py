"""What a nudge says: what is found, against what is normal, and who contributes the most."""

from collections.abc import Sequence

from aicost.domain.budgets.nudges.seen import Contributor
from aicost.domain.budgets.nudges.watching import Change
from aicost.domain.budgets.plans import NudgeOn
from aicost.domain.exact.amounts import NANOS_PER_UNIT, format_money

MOST_CONTRIBUTORS = 3
_LONGEST_NAME = 120
"""Longer names are cut, so that a status takes the whole sentence."""


def sentence(on: NudgeOn, change: Change, contributors: Sequence[Contributor], currency: str) -> str:
    """All of it as plain sentences."""
    return f"{_found(on, change, currency)}{_most(contributors, currency)}"


def top(contributors: Sequence[Contributor], on: NudgeOn, change: Change) -> tuple[Contributor, ...]:
    """The three that rose the most, the largest first; of a GPU model those who run on it."""
    mine = (one for one in contributors if on is not NudgeOn.GPU_MODEL or one.gpu_model == change.subject)
    risen = sorted((one for one in mine if one.change_nanos > 0), key=lambda one: (-one.change_nanos, one.name))
    return tuple(risen[:MOST_CONTRIBUTORS])


def _found(on: NudgeOn, change: Change, currency: str) -> str:
    excess = format_money(change.excess_nanos, currency)
    match on:
        case NudgeOn.RATE:
            now, normal = (format_money(int(nanos), currency) for nanos in (change.now, change.normal))
            return f"Spend runs at {now} a day, normally {normal}: {_more(change)}."
        case NudgeOn.UNIT_COST:
            now, normal = (_precise(nanos, currency) for nanos in (change.now, change.normal))
            return f"A unit costs {now}, normally {normal}: {_more(change)}, or {excess} a day."
        case NudgeOn.IDLE_SHARE:
            now, normal = (f"{100 * share:.0f} %" for share in (change.now, change.normal))
            return f"{now} of the GPU time is idle, normally {normal}: that is {excess} more a day."
        case NudgeOn.GPU_MODEL:
            return f"GPU model {change.subject} is in use and was not in the 14 days before: {excess} a day."


def _more(change: Change) -> str:
    """How much more, in percent; no percentage of nothing."""
    return f"{100 * (change.now / change.normal - 1):.0f} % more" if change.normal > 0 else "all of it is new"


def _precise(nanos: float, currency: str) -> str:
    """A price of one unit, with as many decimals as a small one needs."""
    thousandths = nanos * 1_000 / NANOS_PER_UNIT
    return format_money(int(nanos), currency, 2 if thousandths >= 1_000 else 6 if thousandths >= 1 else 9)


def _most(contributors: Sequence[Contributor], currency: str) -> str:
    if not contributors:
        return ""
    parts = (f"{_short(one.name)} (+{format_money(one.change_nanos, currency)} a day)" for one in contributors)
    return f" Most of it: {', '.join(parts)}."


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."
