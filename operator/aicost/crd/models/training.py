"""What an AIWorkload says of the runs of training that its pods are."""

from typing import Annotated

from pydantic import Field

from aicost.crd.fields.amounts import Price
from aicost.crd.models.counter import Counter
from aicost.crd.schema.base import ApiModel
from aicost.crd.schema.markers import Rule
from aicost.domain.training.terms import Better, Shape

_WHOLE = Field(ge=1, le=10**15)


class RunMeter(Counter):
    """A metric that rises while a run goes well."""

    type: Shape | None = None
    """gauge: where the run stands; after a restart it falls to what was saved, and so tells what was lost. counter:
    what one process did since it began. Default: counter where the name ends in _total, else gauge."""
    whole: Annotated[int, _WHOLE] | None = None
    """What it shows when the run is done. With it the cost to complete is known."""


class ProgressMeter(Counter):
    """A gauge that says how much of a run is done."""

    whole: Annotated[int, _WHOLE] = 100
    """What it shows when the run is done: 100 for a percentage, 1 for a share."""


class QualityMeter(Counter):
    """A gauge that says how good the model is."""

    better: Better = Better.EITHER
    """Which way it improves: higher for an accuracy, lower for a loss. With either, any change counts as a gain."""
    point: Price = "1"
    """How much of it is a point, as a decimal string: "0.01" makes a point of each percent of an accuracy."""


class Training(ApiModel):
    """Metrics in Prometheus that tell how far runs of training are. Each run is that of the pod that shows it."""

    rules = (
        Rule(
            "has(self.steps) || has(self.samples) || has(self.tokens) || has(self.epochs) || has(self.progress)"
            " || has(self.quality)",
            "name one metric at least: steps tells most",
            lambda training: any(
                (
                    training.steps,
                    training.samples,
                    training.tokens,
                    training.epochs,
                    training.progress,
                    training.quality,
                )
            ),
        ),
        Rule(
            "!has(self.checkpoint) || has(self.steps)",
            "checkpoint is a number of a step: give steps too",
            lambda training: training.checkpoint is None or training.steps is not None,
        ),
    )

    steps: RunMeter | None = None
    """Counts steps of the optimizer, the same on each rank. It tells when work was done, and what restarts undid."""
    samples: RunMeter | None = None
    """Counts samples. Counters of several pods are added, gauges are taken to be the same on each."""
    tokens: RunMeter | None = None
    """Counts tokens, as samples are counted."""
    epochs: RunMeter | None = None
    """Counts epochs, in parts where the framework does so."""
    progress: ProgressMeter | None = None
    """How much of the run is done."""
    checkpoint: Counter | None = None
    """A gauge of the step that was saved last. Of a run that failed for good, what came after it is lost."""
    quality: QualityMeter | None = None
    """How good the model is: an accuracy, a loss."""
