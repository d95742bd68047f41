"""Objects that nobody means well with: reading them says nothing wrong, takes no time and never raises."""

import pytest

from aicost.domain.workloads.kinds import KINDS
from aicost.domain.workloads.reading import read_workload
from support.manifests import asking, claim_template, container, exactly, gpus, job, manifest, pod, template

LONG = "x" * 10_000_000
NAN, INFINITE = float("nan"), float("inf")
JUNK = (None, True, 0, -1, 2**63, NAN, INFINITE, "", "*", LONG, [], [None], [[]], {}, {"*": {"*": 1}}, {1: 2}, {"": []})


def brief(value):
    return repr(value)[:12]


def api_version(kind):
    return f"{kind.group}/{kind.versions[0]}" if kind.group else kind.versions[0]


def planted(tokens, value):
    """An object with a value at the end of a pointer, and lists or maps on the way."""
    for token in reversed(tokens):
        value = [value] if token == "*" else {token: value}
    return value


def holding(kind, written, value):
    return {"apiVersion": api_version(kind), "kind": kind.kind, **planted(written.split("/")[1:], value)}


def pointers(kind):
    """Every pointer of a kind, and each of their beginnings."""
    numbers = [number for place in kind.places for number in (*place.counts, place.most) if number]
    ends = {place.at for place in kind.places} | {each for number in numbers for each in number.at}
    ends |= {*kind.models, *kind.inner, *kind.deadlines, *kind.durations, kind.selector, kind.queue, "/metadata/labels"}
    return sorted(
        {end[:cut] for end in ends for cut in (*(i for i, c in enumerate(end) if c == "/" and i), len(end))} - {""}
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.group}/{kind.kind}")
def test_junk_at_any_place_of_any_kind_is_read_without_an_error(kind):
    for written in pointers(kind):
        for value in JUNK:
            assert read_workload(holding(kind, written, value)) is not None


@pytest.mark.parametrize("junk", [*JUNK, "Pod", [{"kind": "Pod"}]], ids=brief)
def test_what_is_no_object_is_no_workload(junk):
    assert read_workload(junk) is None


@pytest.mark.parametrize("junk", JUNK, ids=brief)
def test_junk_for_a_container_or_its_demand_is_read_without_an_error(junk):
    for obj in (
        pod(junk),
        manifest("v1", "Pod", {"containers": junk, "initContainers": junk, "resourceClaims": junk, "affinity": junk}),
        pod(container(resources=junk)),
        pod(container(resources={"limits": junk, "requests": junk})),
        pod(container(env=junk, command=junk, args=junk)),
        pod(container(), nodeSelector=junk, schedulingGroup=junk, resourceClaims=[junk]),
        pod(container(), metadata={"labels": junk, "annotations": junk, "ownerReferences": junk, "name": junk}),
        pod(container(), metadata={"annotations": {"gpu-fraction": junk, "gpu-memory": junk}}),
    ):
        assert read_workload(obj, [junk]).kind == "Pod"


@pytest.mark.parametrize(
    "quantity",
    [None, True, NAN, INFINITE, -1, "-1", "", "lots", "1e99", "٣", 10**12, LONG, [], {}, "1/0", "0x10"],
    ids=brief,
)
def test_a_number_of_gpus_that_nobody_can_believe_has_no_size_and_is_not_nought(quantity):
    workload = read_workload(pod(asking({"nvidia.com/gpu": quantity})))
    assert (workload.gpu_milli, workload.wants_gpus) == (None, True)


@pytest.mark.parametrize("replicas", [-1, "many", NAN, 1.5, None, True, 2**31, LONG, []], ids=brief)
def test_a_number_of_pods_that_nobody_can_read_says_nothing(replicas):
    [only] = read_workload(manifest("apps/v1", "Deployment", {"replicas": replicas, "template": gpus(1)})).templates
    assert only.replicas == 1


def test_the_largest_number_of_pods_is_believed():
    obj = manifest("apps/v1", "Deployment", {"replicas": 2**31 - 1, "template": gpus(8)})
    assert read_workload(obj).gpu_milli == 8000 * (2**31 - 1)


@pytest.mark.parametrize("junk", JUNK, ids=brief)
def test_junk_in_a_claim_is_read_without_an_error(junk):
    uses = job(template(container(), resourceClaims=[{"resourceClaimTemplateName": "wanted"}]))
    for beside in (
        manifest("resource.k8s.io/v1", "ResourceClaimTemplate", junk, metadata={"name": "wanted"}),
        claim_template("wanted", junk),
        claim_template("wanted", exactly("gpu.nvidia.com", junk, count=junk, capacity=junk)),
        claim_template("wanted", {"exactly": junk, "firstAvailable": junk}),
        claim_template("wanted", exactly("gpu.nvidia.com"), constraints=junk),
    ):
        assert read_workload(uses, [beside]).kind == "Job"


def wrapped(depth):
    obj = pod(asking({"nvidia.com/gpu": 1}))
    for _ in range(depth):
        obj = manifest("workload.codeflare.dev/v1beta2", "AppWrapper", {"components": [{"template": obj}]})
    return obj


def test_objects_inside_objects_are_read_as_far_as_anybody_means():
    assert read_workload(wrapped(3)).gpu_milli == 1000
    assert read_workload(wrapped(200)).templates == ()


def test_an_object_that_holds_itself_comes_to_an_end():
    obj = manifest("workload.codeflare.dev/v1beta2", "AppWrapper", {"components": []})
    obj["spec"]["components"] = [{"template": obj}]
    assert read_workload(obj).templates == ()


def deep(levels):
    value = {}
    for _ in range(levels):
        value = {"template": value, "spec": value, "*": [value]}
    return value


def test_depth_is_no_danger():
    assert read_workload(manifest("apps/v1", "Deployment", deep(5_000))).gpu_milli == 0


def test_thousands_of_templates_are_counted_one_by_one():
    jobs = [{"name": str(n), "template": {"spec": {"template": gpus(1)}}} for n in range(2_000)]
    assert (
        read_workload(manifest("jobset.x-k8s.io/v1alpha2", "JobSet", {"replicatedJobs": jobs})).gpu_milli == 2_000_000
    )


def test_a_workflow_that_calls_itself_ever_more_often_is_cut_short():
    steps = [{"name": f"t{n}", "steps": [[{"template": f"t{n + 1}"}] * 50]} for n in range(50)]
    obj = manifest("argoproj.io/v1alpha1", "Workflow", {"entrypoint": "t0", "templates": [*steps, {"name": "t50"}]})
    assert read_workload(obj).templates == ()


def test_little_is_kept_of_a_command_line_however_long():
    [only] = read_workload(pod(container(command=["run", LONG], args=["--x"] * 100_000))).templates
    [kept] = only.containers
    assert kept.args[0] == "run"
    assert sum(map(len, kept.args)) <= 8_192


def test_a_secret_in_the_environment_is_not_kept_beside_the_object_itself():
    workload = read_workload(pod(container(env=[{"name": "AWS_SECRET_ACCESS_KEY", "value": "5ecre7"}])))
    kept = [getattr(workload, name) for name in workload.__slots__ if name != "raw"]
    assert "5ecre7" not in repr(kept)
