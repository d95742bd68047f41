"""What run trackers and queues say of the project and the experiment that a pod works for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from aicost.domain.identity.dimensions import Dimension


class Found(StrEnum):
    """Where a tracker leaves its mark."""

    LABEL = "label"
    ANNOTATION = "annotation"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True)
class RunMark:
    """One line of the table: what a label, an annotation or an environment variable means."""

    dimension: Dimension
    where: Found
    key: str


def _marks(dimension: Dimension, where: Found, *keys: str) -> tuple[RunMark, ...]:
    return tuple(RunMark(dimension, where, key) for key in keys)


MARKS: tuple[RunMark, ...] = (
    *_marks(Dimension.PROJECT, Found.VARIABLE, "WANDB_PROJECT", "COMET_PROJECT_NAME", "NEPTUNE_PROJECT"),
    *_marks(Dimension.PROJECT, Found.LABEL, "kueue.x-k8s.io/queue-name", "kai.scheduler/queue"),
    *_marks(Dimension.PROJECT, Found.ANNOTATION, "kueue.x-k8s.io/queue-name", "scheduling.volcano.sh/queue-name"),
    *_marks(Dimension.EXPERIMENT, Found.VARIABLE, "MLFLOW_EXPERIMENT_NAME", "WANDB_RUN_GROUP", "WANDB_SWEEP_ID"),
    *_marks(Dimension.EXPERIMENT, Found.LABEL, "katib.kubeflow.org/experiment"),
    *_marks(Dimension.EXPERIMENT, Found.VARIABLE, "MLFLOW_EXPERIMENT_ID", "WANDB_NAME", "MLFLOW_RUN_NAME"),
    *_marks(Dimension.EXPERIMENT, Found.ANNOTATION, "pipelines.kubeflow.org/run_name"),
    *_marks(
        Dimension.EXPERIMENT,
        Found.LABEL,
        "pipeline/runid",
        "kueue.x-k8s.io/pod-group-name",
        "kueue.x-k8s.io/prebuilt-workload-name",
        "ray.io/originated-from-cr-name",
        "ray.io/cluster",
        "ray.io/job-id",
        "wandb.ai/run-id",
    ),
    *_marks(Dimension.EXPERIMENT, Found.VARIABLE, "MLFLOW_RUN_ID", "WANDB_RUN_ID", "RAY_JOB_SUBMISSION_ID"),
)
"""The first mark of a dimension that is there counts: what groups runs stands before what names a single run."""

RUN_ID_VARIABLES: frozenset[str] = frozenset(mark.key for mark in MARKS if mark.where is Found.VARIABLE)
"""The only environment variables that are ever read, and only where their value is written out."""

_LONGEST = 256


def run_ids(
    labels: Mapping[str, str], annotations: Mapping[str, str], environment: Mapping[str, str]
) -> Mapping[str, tuple[str, str]]:
    """Find the project and the experiment.

    Args:
        labels: of the pod, or of the object that makes it.
        annotations: of the same.
        environment: variables with a value that is written out; others than `RUN_ID_VARIABLES` are not looked at.

    Returns:
        Dimension -> value as written, and where it was read, such as `variable WANDB_PROJECT`.
    """
    given = {Found.LABEL: labels, Found.ANNOTATION: annotations, Found.VARIABLE: environment}
    ids: dict[str, tuple[str, str]] = {}
    for mark, value in _present(given):
        ids.setdefault(mark.dimension.value, (value, f"{mark.where} {mark.key}"))
    return ids


def _present(given: Mapping[Found, Mapping[str, str]]) -> Iterator[tuple[RunMark, str]]:
    for mark in MARKS:
        if mark.key not in given[mark.where]:
            continue
        value = given[mark.where][mark.key].strip()
        if value and len(value) <= _LONGEST and "$" not in value:
            yield mark, value
