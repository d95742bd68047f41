"""Words of training: what is counted of a run, and how it counts."""

from enum import StrEnum


class Measure(StrEnum):
    """What is counted of a run."""

    STEPS = "steps"
    SAMPLES = "samples"
    TOKENS = "tokens"
    EPOCHS = "epochs"
    PROGRESS = "progress"
    """How much of the run is done."""
    QUALITY = "quality"
    """How good the model is: an accuracy, a loss."""
    CHECKPOINT = "checkpoint"
    """The step that was saved last."""
    REMAINING = "remaining"
    """Seconds that the run will still take, by its own word."""


CLIMBING = (Measure.STEPS, Measure.SAMPLES, Measure.TOKENS, Measure.EPOCHS, Measure.PROGRESS)
"""Measures that only rise while a run goes well, the finest first: the first that is there tells when work was done."""


class Shape(StrEnum):
    """How a series counts."""

    GAUGE = "gauge"
    """Where the run stands. After a restart it falls to the checkpoint that the run goes on from."""
    COUNTER = "counter"
    """What one process did since it began. After a restart it begins at 0: nothing tells what was lost."""


def usual_shape(metric: str) -> Shape:
    """What a metric is by its name: counters of Prometheus end in `_total`."""
    return Shape.COUNTER if metric.endswith("_total") else Shape.GAUGE


class Better(StrEnum):
    """Which way a quality improves."""

    HIGHER = "higher"
    LOWER = "lower"
    EITHER = "either"
