"""Queues and run ids of a pod: what it was submitted to, and what its run is part of."""

from dataclasses import replace

import pytest

from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.discovery import discover
from aicost.domain.identity.tags.queues import queue_of
from aicost.domain.inventory.cluster import QueueFacts
from support.builders import make_pod
from support.identity import owner, pod

LABEL = "kueue.x-k8s.io/queue-name"
LOCAL = QueueFacts("LocalQueue", "team-a", "gpu", {})
GLOBAL = QueueFacts("Queue", "", "gpu", {})
QUEUES = {("team-a", "gpu"): LOCAL, ("", "gpu"): GLOBAL, ("", "all"): GLOBAL, ("team-b", "theirs"): LOCAL}


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (pod("p", {LABEL: "gpu"}), LOCAL),
        (pod("p", {LABEL: "all"}), GLOBAL),
        (pod("p", {"kai.scheduler/queue": "all"}), GLOBAL),
        (pod("p", {}, owner("Job", "j", {LABEL: "gpu"})), LOCAL),
        (pod("p", {LABEL: "gone"}, owner("Job", "j", {LABEL: "gpu"})), LOCAL),
        (pod("p", {LABEL: "theirs"}), None),
        (pod("p", {}), None),
    ],
)
def test_the_queue_is_the_one_that_the_pod_or_its_nearest_owner_names(one, found):
    assert queue_of(one, QUEUES) is found
    assert queue_of(one, {}) is None


def test_volcano_names_the_queue_in_an_annotation():
    one = make_pod("team-a", "p").annotation("scheduling.volcano.sh/queue-name", "all").facts()
    assert queue_of(one, QUEUES) is GLOBAL


def found(one):
    return {dimension: (said.value, said.origin) for dimension, said in discover(one).items()}


def test_a_tracker_names_project_and_experiment_in_the_environment():
    one = make_pod("team-a", "p").facts()
    one = replace(one, run_ids={"WANDB_PROJECT": "Ranker", "MLFLOW_EXPERIMENT_NAME": "lr-sweep"})
    assert found(one) == {
        Dimension.PROJECT: ("Ranker", "variable WANDB_PROJECT"),
        Dimension.EXPERIMENT: ("lr-sweep", "variable MLFLOW_EXPERIMENT_NAME"),
    }


def test_a_label_of_the_owner_names_the_run_where_the_pod_itself_does_not():
    job = owner("Job", "j", {LABEL: "research", "ray.io/cluster": "of-job"})
    assert found(pod("p", {"ray.io/cluster": "of-pod"}, job)) == {
        Dimension.PROJECT: ("research", f"label {LABEL}"),
        Dimension.EXPERIMENT: ("of-pod", "label ray.io/cluster"),
    }
