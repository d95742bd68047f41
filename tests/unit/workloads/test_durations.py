"""How long a run takes."""

import pytest

from aicost.domain.exact.windows import DAY_MS, HOUR_MS, MINUTE_MS
from aicost.domain.workloads.durations import EXPECTED_DURATION, MAX_EXEC_TIME, parse_duration
from aicost.domain.workloads.reading import read_workload
from support.manifests import container, gpus, job, manifest, pod, template


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("30m", 30 * MINUTE_MS),
        ("13h", 13 * HOUR_MS),
        ("2d", 2 * DAY_MS),
        ("1w", 7 * DAY_MS),
        ("1h30m", 90 * MINUTE_MS),
        (" 90s ", 90_000),
        ("", None),
        ("0h", None),
        ("30", None),
        ("-1h", None),
        ("1.5h", None),
        ("1m1h", None),
        ("999999w", None),
        ("9" * 100 + "h", None),
        ("٣h", None),
    ],
)
def test_a_duration_is_a_number_and_a_unit_the_larger_first(text, millis):
    assert parse_duration(text) == millis


def told(obj):
    workload = read_workload(obj)
    return workload.duration_ms, workload.duration_source


EXPECTED = {EXPECTED_DURATION: "13h"}


def test_what_people_expect_goes_before_every_limit():
    labels = {MAX_EXEC_TIME: "60"}
    obj = job(gpus(8), metadata={"annotations": EXPECTED, "labels": labels}, activeDeadlineSeconds=120)
    assert told(obj) == (13 * HOUR_MS, EXPECTED_DURATION)


def test_the_expectation_may_be_a_label_or_stand_on_the_pod_template():
    assert told(job(gpus(8), metadata={"labels": EXPECTED})) == (13 * HOUR_MS, EXPECTED_DURATION)
    assert told(job(template(container(), annotations=EXPECTED))) == (13 * HOUR_MS, EXPECTED_DURATION)


def test_an_expectation_that_nobody_can_read_leaves_the_word_to_the_next():
    obj = job(gpus(8), metadata={"annotations": {EXPECTED_DURATION: "soon"}}, activeDeadlineSeconds=120)
    assert told(obj) == (120_000, "activeDeadlineSeconds")


def test_a_deadline_of_the_job_goes_before_the_limit_of_its_queue():
    labels = {MAX_EXEC_TIME: "60"}
    assert told(job(gpus(8), metadata={"labels": labels}, activeDeadlineSeconds=120))[0] == 120_000
    assert told(job(gpus(8), metadata={"labels": labels})) == (60_000, MAX_EXEC_TIME)


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (pod(container(), activeDeadlineSeconds=60), (60_000, "activeDeadlineSeconds")),
        (
            manifest("batch/v1", "CronJob", {"jobTemplate": {"spec": {"activeDeadlineSeconds": 60}}}),
            (60_000, "activeDeadlineSeconds"),
        ),
        (
            manifest(
                "jobset.x-k8s.io/v1alpha2",
                "JobSet",
                {"replicatedJobs": [{"template": {"spec": {"activeDeadlineSeconds": each}}} for each in (60, 90)]},
            ),
            (90_000, "activeDeadlineSeconds"),
        ),
        (manifest("ray.io/v1", "RayJob", {"activeDeadlineSeconds": 60}), (60_000, "activeDeadlineSeconds")),
        (
            manifest("kubeflow.org/v1", "PyTorchJob", {"runPolicy": {"activeDeadlineSeconds": 60}}),
            (60_000, "runPolicy.activeDeadlineSeconds"),
        ),
        (manifest("batch.volcano.sh/v1alpha1", "Job", {"runningEstimate": "2h"}), (2 * HOUR_MS, "runningEstimate")),
        (job(gpus(1), activeDeadlineSeconds="soon"), (None, "")),
        (job(gpus(1), activeDeadlineSeconds=2**31 - 1), (None, "")),
        (job(gpus(1)), (None, "")),
    ],
)
def test_each_kind_has_its_own_deadline(obj, expected):
    assert told(obj) == expected
