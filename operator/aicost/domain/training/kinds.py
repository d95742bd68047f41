"""Which owner of a pod is the run, and which kinds do nothing but train."""

from collections.abc import Mapping, Sequence

TRAINERS = frozenset(
    {
        "TrainJob",
        "PyTorchJob",
        "TFJob",
        "MPIJob",
        "JAXJob",
        "PaddleJob",
        "XGBoostJob",
        "HyperPodPyTorchJob",
    }
)
"""Kinds that train. Their pods are runs of training, whatever their labels say."""

RUNS = TRAINERS | {"Job", "JobSet", "RayJob"}
"""Kinds that are one run from beginning to end; `Job` is that of Kubernetes and that of Volcano."""

TRAINING_TYPES = frozenset({"training", "fine-tuning"})
"""Workload types that are training."""


def run_of(owners: Sequence[str], controller: str) -> str:
    """The owner that is the run, as `Kind/name`.

    It is the outermost one of a kind that is a run: the TrainJob rather than the JobSet and the Job that it makes, but
    the Job rather than the CronJob that makes one each night, and the trial rather than the sweep.

    Args:
        owners: `Kind/name` of each, nearest first; empty where they are not known.
        controller: the last owner, or the pod itself.
    """
    runs = [owner for owner in owners if owner.partition("/")[0] in RUNS]
    return runs[-1] if runs else controller


def trains(run: str, dimensions: Mapping[str, str]) -> bool:
    """Whether a run is one of training, by its kind or by the workload type of its pods."""
    return run.partition("/")[0] in TRAINERS or dimensions.get("workload-type", "") in TRAINING_TYPES
