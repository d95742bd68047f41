"""What is read of an object beside its pods."""

from aicost.domain.workloads.reading import read_workload
from aicost.domain.workloads.shapes import OwnerReference, Scaling
from support.manifests import asking, container, gpus, job, manifest, template

QUEUE = "kueue.x-k8s.io/queue-name"


def deployment(selector, **labels):
    return manifest("apps/v1", "Deployment", {"selector": selector, "template": gpus(1)}, metadata={"labels": labels})


def test_selector_keys_are_those_of_all_terms():
    selector = {"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}
    assert read_workload(deployment(selector)).selector_keys == {"app", "tier"}


def test_a_replication_controller_selects_by_a_plain_map():
    obj = manifest("v1", "ReplicationController", {"selector": {"app": "x"}, "template": gpus(1)})
    assert read_workload(obj).selector_keys == {"app"}


def test_owners_are_kept_as_written():
    references = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u", "controller": True}, "junk"]
    owners = read_workload(job(gpus(1), metadata={"ownerReferences": references})).owners
    assert owners == (
        OwnerReference("apps/v1", "ReplicaSet", "r", "u", controller=True),
        OwnerReference("", "", "", "", controller=False),
    )


def test_an_object_without_a_name_has_the_one_that_its_name_is_made_from():
    obj = job(gpus(1))
    obj["metadata"] = {"generateName": "tune-"}
    assert read_workload(obj).name == "tune-"


def test_labels_that_are_no_texts_are_none():
    assert read_workload(deployment({}, team="a", version=3, on=True)).labels == {"team": "a"}


def test_pods_without_a_template_of_their_own_take_over_the_labels_of_the_object():
    obj = manifest(
        "serving.kserve.io/v1beta1",
        "InferenceService",
        {"predictor": {"labels": {"tier": "gold"}, "model": {}}},
        metadata={"labels": {"team": "a", "tier": "tin"}},
    )
    [only] = read_workload(obj).templates
    assert (only.path, only.patchable, only.labels) == ("", False, {"team": "a", "tier": "gold"})


def test_labels_beside_a_pod_spec_are_those_of_its_pods():
    spec = {"labels": {"team": "a"}, "template": {"containers": [container()]}}
    [only] = read_workload(manifest("serving.kserve.io/v1alpha2", "LLMInferenceService", spec)).templates
    assert only.labels == {"team": "a"}


def test_containers_are_kept_with_their_words_and_init_containers_last():
    pods = template(container("c", command=["run"], args=["--x", 1, "y"]), initContainers=[container("i")])
    [only] = read_workload(job(pods)).templates
    assert [(each.name, each.args) for each in only.containers] == [("c", ("run", "--x", "y")), ("i", ())]


def test_a_cron_job_may_name_its_queue_on_the_jobs_that_it_makes():
    spec = {"jobTemplate": {"metadata": {"labels": {QUEUE: "night"}}, "spec": {"template": gpus(1)}}}
    assert read_workload(manifest("batch/v1", "CronJob", spec)).queue == "night"


def test_a_volcano_job_names_its_queue_in_a_field():
    assert read_workload(manifest("batch.volcano.sh/v1alpha1", "Job", {"queue": "gold"})).queue == "gold"


def test_an_ai_workload_says_by_its_spec_what_labels_would_say():
    spec = {
        "model": "org/m",
        "stage": "pilot",
        "workloadType": "inference",
        "dimensions": {"team": "recs", "costCenter": "cc-1", "customerSegment": "smb", "feature": 3},
    }
    obj = manifest(
        "aicost.dev/v1alpha1", "AIWorkload", spec, metadata={"labels": {"aicost.dev/team": "other", "x": "y"}}
    )
    workload = read_workload(obj)
    assert workload.labels == {
        "x": "y",
        "aicost.dev/team": "recs",
        "aicost.dev/cost-center": "cc-1",
        "aicost.dev/customer-segment": "smb",
        "aicost.dev/model": "org/m",
        "aicost.dev/stage": "pilot",
        "aicost.dev/workload-type": "inference",
    }
    assert (workload.templates, workload.wants_gpus, workload.models) == ((), False, ("org/m",))


def test_a_wrapper_takes_over_what_it_does_not_say_itself():
    inner = job(
        template(container(env=[{"name": "WANDB_PROJECT", "value": "recs"}])),
        metadata={"labels": {QUEUE: "inner"}},
        activeDeadlineSeconds=60,
    )
    obj = manifest("workload.codeflare.dev/v1beta2", "AppWrapper", {"components": [{"template": inner}]})
    workload = read_workload(obj)
    assert (workload.queue, workload.duration_ms, workload.scaling) == ("inner", 60_000, Scaling.TO_COMPLETION)
    assert workload.run_ids["project"] == ("recs", "variable WANDB_PROJECT")
    assert [each.path for each in workload.templates] == ["/spec/components/0/template/spec/template"]


def test_a_training_job_puts_its_own_words_in_place_of_the_runtimes():
    runtime = manifest(
        "trainer.kubeflow.org/v1alpha1",
        "ClusterTrainingRuntime",
        {
            "mlPolicy": {"numNodes": 4},
            "template": {"spec": {"replicatedJobs": [{"name": "node", "template": {"spec": {"template": gpus(2)}}}]}},
        },
        metadata={"name": "torch", "namespace": ""},
    )
    job_spec = {
        "runtimeRef": {"name": "torch"},
        "trainer": {"resourcesPerNode": {"limits": {"nvidia.com/gpu": 8}}},
        "labels": {"team": "a"},
        "podTemplateOverrides": [{"spec": {"nodeSelector": {"cloud.google.com/gke-accelerator": "nvidia-l4"}}}],
    }
    [node] = read_workload(manifest("trainer.kubeflow.org/v1alpha1", "TrainJob", job_spec), [runtime]).templates
    assert (node.replicas, node.gpu_milli, node.labels, node.hints.models) == (4, 8000, {"team": "a"}, ("l4",))


def workflow(*templates, **spec):
    body = {"entrypoint": "main", "templates": list(templates), **spec}
    return manifest("argoproj.io/v1alpha1", "Workflow", body)


def running(name, count=1):
    return {"name": name, "container": asking({"nvidia.com/gpu": count})}


def counts(obj):
    return {each.role: (each.replicas, each.max_replicas) for each in read_workload(obj).templates}


def test_steps_of_a_workflow_run_one_after_the_other():
    steps = {"name": "main", "steps": [[{"template": "a"}], [{"template": "b"}, {"template": "b"}]]}
    assert counts(workflow(steps, running("a"), running("b"))) == {"a": (1, 1), "b": (0, 2)}


def test_tasks_of_a_graph_start_where_they_wait_for_nothing():
    tasks = [{"name": "1", "template": "a"}, {"name": "2", "template": "b", "dependencies": ["1"]}]
    assert counts(workflow({"name": "main", "dag": {"tasks": tasks}}, running("a"), running("b"))) == {
        "a": (1, 1),
        "b": (0, 1),
    }


def test_a_loop_of_a_workflow_runs_side_by_side():
    steps = {"name": "main", "steps": [[{"template": "a", "withItems": [1, 2, 3]}]]}
    assert counts(workflow(steps, running("a"))) == {"a": (3, 3)}


def test_a_workflow_that_calls_itself_comes_to_an_end():
    steps = {"name": "main", "steps": [[{"template": "main"}] * 9, [{"template": "a"}]]}
    assert set(counts(workflow(steps, running("a")))) == {"a"}


def test_a_template_of_a_workflow_has_metadata_of_its_own():
    obj = workflow({**running("main", 4), "metadata": {"labels": {"team": "a"}}}, podMetadata={"labels": {"x": "y"}})
    [only] = read_workload(obj).templates
    assert (only.path, only.labels, only.gpu_milli) == ("/spec/templates/0", {"x": "y", "team": "a"}, 4000)
