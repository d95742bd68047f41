"""A real Kueue admits, stops and resumes jobs on the local cluster.

What was seen with Kueue 0.19.2, on two cores:

* A Workload is stored as ``kueue.x-k8s.io/v1beta2``; ``v1beta1`` is served too, through Kueue's conversion webhook.
* A Job belongs to Kueue by its label ``kueue.x-k8s.io/queue-name``. Its Workload is called ``job-NAME-HASH``, carries
  the Job's uid in the label ``kueue.x-k8s.io/job-uid`` and names the Job as its controller in ``ownerReferences``. The
  way back is the annotation ``kueue.x-k8s.io/workload`` of the pods and of the Job's template, not of the Job. The
  Workload is there about 0.1 s after the Job, and the Job is unsuspended 0.1 s later.
* ``spec.active: false``: the Job is suspended and its pods are deleted within 0.1 s. The condition ``Evicted`` is
  ``True`` with reason ``Deactivated`` at once; ``QuotaReserved`` and ``Admitted`` are ``False`` when the pods are gone,
  a second later. A Job that somebody unsuspends meanwhile is suspended again, but a pod may live for a moment.
* ``spec.active: true``: ``Requeued`` is ``True`` with reason ``Reactivated``, and where there is quota the Job runs
  again after 0.1 s, in new pods.
* ``spec.suspend: true`` on the Job of an admitted Workload: Kueue takes it back within 0.1 s. By then the Job
  controller has deleted the pods, so their work is lost and the spending goes on in new ones. The Workload is not
  evicted.
"""

import secrets

import pytest

from devcluster.host.progress import Failure
from devcluster.kueue_server import Kueue
from devcluster.nodes import FakeNode
from support.cluster import LiveCluster
from support.kueue import JOB_UID_LABEL, KUEUE, QUEUE_LABEL, condition, make_queue, queued_job, workload_path

pytestmark = pytest.mark.cluster


class Train:
    """A queue with room for one Job at a time, and a Job in it whose pod runs."""

    def __init__(self, cluster: LiveCluster, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace
        self.jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        self.path = f"{self.jobs}/train"
        self.pods = f"/api/v1/namespaces/{namespace}/pods?labelSelector=job-name%3Dtrain"
        make_queue(cluster, namespace, cpu="1")
        self.job = cluster.api.create(self.jobs, queued_job(namespace, "train"))
        self.workload = workload_path(cluster, self.job)
        self.until_it_runs()

    def until_it_runs(self) -> None:
        self.cluster.until(self.path, lambda it: not it["spec"]["suspend"] and it["status"].get("ready") == 1)

    def until_it_has_stopped(self) -> None:
        self.cluster.until(self.path, lambda it: it["spec"]["suspend"] and not it["status"].get("active"))
        self.cluster.until(self.pods, lambda it: not it["items"])

    def set_active(self, active: bool) -> None:
        self.cluster.api.patch(self.workload, {"spec": {"active": active}})


@pytest.fixture
def train(kueue, local_cluster, namespace):
    node = f"gpu-{secrets.token_hex(3)}"
    local_cluster.nodes.create(FakeNode(node))
    yield Train(local_cluster, namespace)
    local_cluster.nodes.delete(node)


def _reason(workload: dict, kind: str) -> str:
    return next(each["reason"] for each in workload["status"]["conditions"] if each["type"] == kind)


def test_a_suspended_job_of_a_queue_is_admitted_and_its_workload_is_linked_to_it(train):
    workload = train.cluster.until(train.workload, lambda it: condition(it, "Admitted") == "True")
    meta, (owner,) = train.job["metadata"], workload["metadata"]["ownerReferences"]
    assert (owner["apiVersion"], owner["kind"], owner["name"]) == ("batch/v1", "Job", "train")
    assert owner["uid"] == meta["uid"] == workload["metadata"]["labels"][JOB_UID_LABEL]
    assert owner["controller"] is True
    assert workload["spec"]["active"] is True
    assert workload["spec"]["queueName"] == meta["labels"][QUEUE_LABEL]
    assert workload["status"]["admission"]["clusterQueue"] == train.namespace
    (pod,) = train.cluster.api.get(train.pods)["items"]
    assert pod["metadata"]["annotations"]["kueue.x-k8s.io/workload"] == workload["metadata"]["name"]


def test_a_workload_that_is_not_active_stops_its_pods_keeps_its_job_suspended_and_frees_the_quota(train):
    train.set_active(False)
    train.until_it_has_stopped()
    workload = train.cluster.until(train.workload, lambda it: condition(it, "QuotaReserved") == "False")
    assert condition(workload, "Evicted") == "True"
    assert _reason(workload, "Evicted") == "Deactivated"
    assert condition(workload, "Admitted") == "False"
    train.cluster.api.create(train.jobs, queued_job(train.namespace, "next"))
    train.cluster.until(f"{train.jobs}/next", lambda it: it["status"].get("ready") == 1)
    assert train.cluster.api.get(train.path)["spec"]["suspend"] is True
    assert not train.cluster.api.get(train.pods)["items"]


def test_a_job_whose_workload_is_not_active_cannot_be_resumed_past_kueue(train):
    train.set_active(False)
    train.until_it_has_stopped()
    assert train.cluster.api.patch(train.path, {"spec": {"suspend": False}})["spec"]["suspend"] is False
    train.until_it_has_stopped()


def test_a_workload_that_is_active_again_resumes_its_job(train):
    train.set_active(False)
    train.until_it_has_stopped()
    train.set_active(True)
    train.until_it_runs()
    workload = train.cluster.until(train.workload, lambda it: condition(it, "Admitted") == "True")
    assert condition(workload, "Evicted") == "False"
    assert condition(workload, "Requeued") == "True"
    assert _reason(workload, "Requeued") == "Reactivated"


def test_kueue_takes_back_a_suspension_that_is_not_its_own(train):
    suspended = train.cluster.api.patch(train.path, {"spec": {"suspend": True}})
    assert suspended["spec"]["suspend"] is True
    train.until_it_runs()
    job, workload = train.cluster.api.get(train.path), train.cluster.api.get(train.workload)
    writers = [each["manager"] for each in job["metadata"]["managedFields"] if "f:suspend" in str(each["fieldsV1"])]
    assert job["metadata"]["generation"] > suspended["metadata"]["generation"]
    assert writers == ["kueue"]
    assert condition(workload, "Admitted") == "True"
    assert condition(workload, "Evicted") is None


def test_a_suspended_job_without_a_queue_is_left_alone(train):
    job = queued_job(train.namespace, "plain")
    del job["metadata"]["labels"]
    train.cluster.api.create(train.jobs, job)
    train.set_active(False)
    train.cluster.api.create(train.jobs, queued_job(train.namespace, "next"))
    train.cluster.until(f"{train.jobs}/next", lambda it: it["status"].get("ready") == 1)
    assert train.cluster.api.get(f"{train.jobs}/plain")["spec"]["suspend"] is True
    owners = [
        each["metadata"]["ownerReferences"][0]["name"]
        for each in train.cluster.api.get(f"{KUEUE}/namespaces/{train.namespace}/workloads")["items"]
    ]
    assert sorted(owners) == ["next", "train"]


def test_objects_are_converted_to_the_older_version(train):
    queue = f"{KUEUE}/clusterqueues/{train.namespace}"
    train.cluster.api.patch(queue, {"spec": {"cohortName": "research"}})
    assert train.cluster.api.get(queue.replace("v1beta2", "v1beta1"))["spec"]["cohort"] == "research"
    assert train.cluster.api.get(train.workload.replace("v1beta2", "v1beta1"))["spec"]["active"] is True


def test_a_manager_that_does_not_start_is_shown_with_the_end_of_its_log(local_cluster, tmp_path):
    program = tmp_path / "kueue"
    program.write_text("#!/bin/sh\necho cannot read the configuration\nexit 1\n")
    program.chmod(0o755)
    broken = Kueue(program, tmp_path, local_cluster.kubeconfig, local_cluster.api)
    with pytest.raises(Failure, match=r"(?s)Kueue did not.*cannot read the configuration"):
        broken.start()
