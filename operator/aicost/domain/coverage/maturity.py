"""How far labelling has come: levels 0 to 3 by criteria, the stage that policies are in, and the next step.

A level is reached when each criterion of it and of those below is met. A criterion that cannot be assessed is neither
met nor failed: the level above it is not given, and it says what is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from aicost.domain.coverage.line import percent
from aicost.domain.policy.policies import Mode
from aicost.domain.reporting.ratios import PPM

ENOUGH = Fraction(90, 100)
"""Share of device time with samples, and with prices, from which on figures can be charged to people."""
_MODES = list(Mode)


class Rollout(StrEnum):
    """How strict policies are."""

    CRAWL = "crawl"
    """No policy, or Audit: everything is let in and counted."""
    WALK = "walk"
    """Warn: people are told at the moment when they can still mend it."""
    RUN = "run"
    """DenyNew or Deny: what is not labelled is not created."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that a level asks for.

    Attributes:
        level: the level that it belongs to.
        name: what is asked.
        met: None where it cannot be assessed.
        found: what was found, or why it cannot be assessed.
    """

    level: int
    name: str
    met: bool | None
    found: str


@dataclass(frozen=True, slots=True)
class Maturity:
    """How far labelling has come.

    Attributes:
        level: 0 to 3; None where not even the first can be assessed.
        rollout: the stage that policies are in.
        next_step: what to do next, one sentence or two.
    """

    level: int | None
    rollout: Rollout
    next_step: str
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What maturity is judged by; a share is None where there is nothing that it could be a share of.

    Attributes:
        by_cost, by_count: coverage by all required keys.
        line: share of the cost that must be covered.
        modes: modes of the policies that require keys; empty: there is none.
        policies_known: whether policies could be read at all.
        would_deny: objects of today that mode Deny would refuse; None where nobody looked.
        telemetry, price: shares of device time with samples and with a price.
        lever: what would cover the most cost, a sentence; empty where nothing is left.
    """

    by_cost: Fraction | None
    by_count: Fraction | None
    line: Fraction
    modes: tuple[Mode, ...]
    policies_known: bool
    would_deny: int | None
    telemetry: Fraction | None
    price: Fraction | None
    lever: str = ""


def judge(given: Standing) -> Maturity:
    """Say how far labelling has come and what comes next."""
    criteria = (
        _covered(given),
        _counted(given),
        _enforced(given),
        _enough(2, "samples for 90% of the device time", given.telemetry, "no device time is known"),
        _enough(2, "prices for 90% of the device time", given.price, "no device time is known"),
        Criterion(3, "budgets whose gates act", None, "this report does not look at budgets: kubectl get budgets -A"),
        Criterion(3, "a target for a unit cost on what is in production", None, "unit costs are not computed yet"),
    )
    return Maturity(_level(criteria), rollout_of(given.modes), _next_step(given, criteria), criteria)


def rollout_of(modes: Sequence[Mode]) -> Rollout:
    """The stage of the strictest policy."""
    strictest = max(modes, key=_MODES.index, default=Mode.AUDIT)
    if strictest is Mode.AUDIT:
        return Rollout.CRAWL
    return Rollout.WALK if strictest is Mode.WARN else Rollout.RUN


def _level(criteria: Sequence[Criterion]) -> int | None:
    """The highest level of which, and below which, everything is met."""
    if any(one.met is None for one in criteria if one.level == 1):
        return None
    unmet = [one.level for one in criteria if not one.met]
    return min(unmet, default=4) - 1


def _covered(given: Standing) -> Criterion:
    name = f"{percent(given.line)} of the GPU cost carries all required keys"
    if given.by_cost is None:
        return Criterion(1, name, None, "no cost with a price is in the ledger for this time")
    return Criterion(1, name, given.by_cost >= given.line, _found(given.by_cost, given.line))


def _counted(given: Standing) -> Criterion:
    return _enough(2, "90% of the objects carry all required keys", given.by_count, "no object was looked at")


def _enforced(given: Standing) -> Criterion:
    name = "new objects without labels are refused"
    if not given.policies_known:
        return Criterion(2, name, None, "policies are not known here: ask the cluster instead of a ledger")
    modes = " and ".join(dict.fromkeys(given.modes)) or "there is no CostLabelPolicy"
    return Criterion(2, name, rollout_of(given.modes) is Rollout.RUN, f"mode {modes}" if given.modes else modes)


def _enough(level: int, name: str, share: Fraction | None, unknown: str) -> Criterion:
    if share is None:
        return Criterion(level, name, None, unknown)
    return Criterion(level, name, share >= ENOUGH, _found(share, ENOUGH))


def _found(share: Fraction, line: Fraction) -> str:
    """A share for people; one that only rounding would lift onto the line says so."""
    near = share < line and percent(share) == percent(line)
    return f"just under {percent(line)} now" if near else f"{percent(share)} now"


def _next_step(given: Standing, criteria: Sequence[Criterion]) -> str:
    """One thing to do: first see, then inherit and label, then warn, then deny."""
    if given.by_cost is None:
        return "Get a cost: GPUs must run and have a price before coverage can be weighted by it."
    if not given.policies_known:
        return given.lever or "All cost carries its keys: ask the cluster for the verdict of its policies."
    if not given.modes:
        return f"Apply a CostLabelPolicy in mode Audit, which counts and refuses nothing. {given.lever}".strip()
    if given.by_cost < given.line:
        warn = "Set the mode to Warn, so that people are told what to add. " if _audits(given) else ""
        return f"{warn}{given.lever}".strip()
    return _stricter(given) or _first_open(criteria)


def _audits(given: Standing) -> bool:
    return rollout_of(given.modes) is Rollout.CRAWL


def _stricter(given: Standing) -> str:
    """The next mode, which never skips one; empty where the strictest holds."""
    strictest, broken = max(given.modes, key=_MODES.index), given.would_deny
    left = "" if broken is None else f"{broken} {'object breaks' if broken == 1 else 'objects break'} it today."
    if strictest is Mode.AUDIT:
        return f"The line is reached: set the mode to Warn for a week. {left}".strip()
    if strictest is Mode.WARN:
        return f"The line is reached: set the mode to DenyNew, which refuses new objects alone. {left}".strip()
    if strictest is Mode.DENY_NEW and broken == 0:
        return "Nothing that is there breaks the policy: set the mode to Deny."
    if strictest is Mode.DENY_NEW and broken:
        return f"Mend what is left, then set the mode to Deny: {left} {given.lever}".strip()
    return ""


def _first_open(criteria: Sequence[Criterion]) -> str:
    """What the next level still asks for."""
    missing = next((one for one in criteria if not one.met), None)
    return "" if missing is None else f"Level {missing.level} asks for {missing.name}: {missing.found}."


def line_of(ppm: int) -> Fraction:
    """A line in parts per million as a fraction."""
    return Fraction(ppm, PPM)
