"""What TrainJobs say of themselves, as tracks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from aicost.domain.training.measures import Track
from aicost.domain.training.terms import Measure, Shape

NAMES: Mapping[str, Measure] = {
    "global_step": Measure.STEPS,
    "globalStep": Measure.STEPS,
    "current_step": Measure.STEPS,
    "currentStep": Measure.STEPS,
    "step": Measure.STEPS,
    "epoch": Measure.EPOCHS,
    "current_epoch": Measure.EPOCHS,
    "currentEpoch": Measure.EPOCHS,
}
"""Names under which frameworks report where a run stands; the first that is there counts."""
WHOLES: Mapping[str, Measure] = {
    "max_steps": Measure.STEPS,
    "total_steps": Measure.STEPS,
    "totalSteps": Measure.STEPS,
    "num_train_epochs": Measure.EPOCHS,
    "total_epochs": Measure.EPOCHS,
    "totalEpochs": Measure.EPOCHS,
}
"""Names under which they report where it is to end."""
QUALITIES = ("eval_accuracy", "accuracy", "eval_loss", "loss")
"""What is taken for the quality where nobody says which one it is."""


@dataclass(frozen=True, slots=True)
class Word:
    """What was said at one moment, by name."""

    at_ms: int
    values: Mapping[str, Fraction]


def tracks_of(words: Sequence[Word], quality: str) -> list[Track]:
    """The measures among what was said.

    Args:
        words: `progress` and `remaining` among the names are those of the status itself.
        quality: the name of the quality; where it is not said, the first that is known is taken.
    """
    said = {name for word in words for name in word.values}
    chosen = {measure: name for name, measure in reversed(list(NAMES.items())) if name in said}
    named = quality_of(words, quality)
    wanted = {**chosen, Measure.PROGRESS: Measure.PROGRESS.value, Measure.REMAINING: Measure.REMAINING.value}
    wanted |= {Measure.QUALITY: named} if named else {}
    return [_track(measure, words, name) for measure, name in wanted.items() if name in said]


def wholes_of(words: Iterable[Word]) -> dict[Measure, Fraction]:
    """Where the run is to end, by what it said last."""
    found = {Measure.PROGRESS: Fraction(1)}
    for word in sorted(words, key=lambda word: word.at_ms):
        found |= {WHOLES[name]: value for name, value in word.values.items() if name in WHOLES and value > 0}
    return found


def quality_of(words: Sequence[Word], quality: str) -> str:
    """The name of what is taken for the quality; empty where there is none."""
    said = {name for word in words for name in word.values}
    return next((name for name in (quality, *QUALITIES) if name and name in said), "")


def _track(measure: Measure, words: Iterable[Word], name: str) -> Track:
    told = [(word.at_ms, float(word.values[name])) for word in words if name in word.values]
    at_ms, value = np.array([at for at, _ in told], np.int64), np.array([one for _, one in told], np.float64)
    return Track(measure, Shape.GAUGE, "", at_ms, value)
