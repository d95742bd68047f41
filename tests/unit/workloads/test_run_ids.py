"""Project and experiment from the marks of run trackers."""

import pytest

from aicost.domain.workloads.reading import read_workload
from aicost.domain.workloads.run_ids import RUN_ID_VARIABLES, run_ids
from support.manifests import container, job, template


@pytest.mark.parametrize(
    ("labels", "annotations", "variables", "found"),
    [
        ({}, {}, {"WANDB_PROJECT": "recs"}, {"project": ("recs", "variable WANDB_PROJECT")}),
        (
            {},
            {},
            {"MLFLOW_EXPERIMENT_NAME": "lr-sweep", "MLFLOW_RUN_ID": "abc"},
            {"experiment": ("lr-sweep", "variable MLFLOW_EXPERIMENT_NAME")},
        ),
        ({}, {}, {"MLFLOW_RUN_ID": "abc"}, {"experiment": ("abc", "variable MLFLOW_RUN_ID")}),
        (
            {"kueue.x-k8s.io/queue-name": "vision"},
            {},
            {},
            {"project": ("vision", "label kueue.x-k8s.io/queue-name")},
        ),
        (
            {"ray.io/cluster": "tune-x7k2p", "ray.io/originated-from-cr-name": "tune"},
            {},
            {},
            {"experiment": ("tune", "label ray.io/originated-from-cr-name")},
        ),
        (
            {},
            {"pipelines.kubeflow.org/run_name": "nightly"},
            {},
            {"experiment": ("nightly", "annotation pipelines.kubeflow.org/run_name")},
        ),
        ({}, {}, {"WANDB_PROJECT": "$(PROJECT)"}, {}),
        ({}, {}, {"WANDB_PROJECT": "  "}, {}),
        ({}, {}, {"WANDB_PROJECT": "x" * 300}, {}),
        ({}, {}, {"WANDB_API_KEY": "secret"}, {}),
        ({}, {}, {}, {}),
    ],
)
def test_the_surest_mark_of_a_dimension_counts(labels, annotations, variables, found):
    assert dict(run_ids(labels, annotations, variables)) == found


def test_no_variable_that_holds_a_secret_is_on_the_list():
    words = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "URI", "URL")
    assert not [name for name in RUN_ID_VARIABLES if any(word in name for word in words)]


def test_run_ids_are_read_where_their_value_is_written_out_and_nothing_else_is():
    environment = [
        {"name": "WANDB_PROJECT", "value": "recs"},
        {"name": "MLFLOW_EXPERIMENT_NAME", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "WANDB_API_KEY", "value": "5ecre7"},
    ]
    workload = read_workload(job(template(container(env=environment))))
    assert workload.run_ids == {"project": ("recs", "variable WANDB_PROJECT")}
    assert "5ecre7" not in repr(workload.templates)


def test_a_mark_on_the_object_goes_before_one_on_its_pods():
    queue = "kueue.x-k8s.io/queue-name"
    pods = template(container())
    pods["metadata"]["labels"] = {queue: "of-the-pods"}
    workload = read_workload(job(pods, metadata={"labels": {queue: "of-the-job"}}))
    assert (workload.queue, workload.run_ids["project"][0]) == ("of-the-job", "of-the-job")
