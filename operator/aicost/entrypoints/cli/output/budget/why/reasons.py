"""Why a gate is where it is, in words for people."""

from collections.abc import Mapping

from aicost.domain.budgets.deciding.decide import Reason, Why
from aicost.domain.budgets.deciding.figures import Blindness

MEANINGS: Mapping[Reason, str] = {
    Why.NOTHING_REACHED: "no rung is reached",
    Why.AT_ITS_PLACE: "it is what the rungs that are reached ask for",
    Why.RUNG_REACHED: "a rung was reached",
    Why.BELOW_EXIT: "the figures fell below the exit of the rung",
    Why.MORE_ALLOWED: "the limit was raised",
    Why.ROLLOVER: "a new period began",
    Why.MODE_CHANGED: "the mode was changed, so the ladder is climbed from its foot",
    Why.MAX_GATE_LOWERED: "maxGate was lowered",
    Why.PAUSED: "the budget is paused: nothing is opened and nothing closed",
    Why.IN_NOTICE: "the next step is announced and waits for its time",
    Why.IN_COOLDOWN: "the next step waits until some time has passed since the last one that stopped pods",
    Why.IN_HOLD: "the figures allow a milder gate, and each gate holds for a while",
    Why.MAX_GATE: "a rung asks for a harder gate than maxGate allows, or looks ahead and may not open it",
    Why.LABELS_THIN: "a harder gate needs more of the cost to have its labels",
    Blindness.NO_DATA: "there are no figures yet, so nothing is opened and nothing closed",
    Blindness.STALE: "the figures are too old, so nothing is opened and nothing closed",
    Blindness.TELEMETRY_THIN: "too little device time has samples, so nothing is opened and nothing closed",
    Blindness.PRICES_THIN: "too little device time has a price, so nothing is opened and nothing closed",
    Blindness.PRICE_JUMP: "a unit price jumped, and nothing moves until a person has looked at it",
    Blindness.FOREIGN_CURRENCY: "a part of the cost is in another currency, so nothing moves",
}
_BY_WORD = {str(reason.value): meaning for reason, meaning in MEANINGS.items()}


def meaning(word: str) -> str:
    """A reason of a status in words; the word itself where it is one that this version does not know."""
    return _BY_WORD.get(word, word)
