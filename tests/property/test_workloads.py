"""What holds for every object that is read."""

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.workloads.durations import parse_duration
from aicost.domain.workloads.gpus.slices import LAYOUTS, WHOLE, share_of_profile
from aicost.domain.workloads.kinds import KINDS
from aicost.domain.workloads.reading import read_workload
from support.manifests import asking, gpus, job, manifest, pod

WORDS = st.sampled_from(
    [
        "spec",
        "metadata",
        "labels",
        "annotations",
        "template",
        "containers",
        "resources",
        "limits",
        "nvidia.com/gpu",
        "replicas",
        "parallelism",
        "predictor",
        "model",
        "resource",
        "count",
        "instanceType",
        "components",
        "templates",
        "resourceClaims",
        "gpu-fraction",
        "name",
        "env",
        "nodeSelector",
        "affinity",
        "workerGroupSpecs",
        "tasks",
        "steps",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=30
)
OBJECTS = st.builds(
    lambda kind, body: {
        **body,
        "apiVersion": f"{kind.group}/{kind.versions[0]}" if kind.group else "v1",
        "kind": kind.kind,
    },
    st.sampled_from(KINDS),
    st.dictionaries(WORDS, TREES, max_size=5),
)


@given(OBJECTS, st.lists(TREES, max_size=3))
def test_reading_never_raises_and_never_counts_below_nought(obj, beside):
    workload = read_workload(obj, beside)
    for each in workload.templates:
        assert 0 <= each.replicas <= each.max_replicas
        assert each.gpu_milli is None or each.gpu_milli >= 0
        assert all(count > 0 for count in each.demand.values())
        assert each.path == "" or each.patchable
    assert workload.duration_ms is None or workload.duration_ms > 0


@given(OBJECTS)
def test_reading_leaves_the_object_as_it_is(obj):
    before = repr(obj)
    read_workload(obj)
    assert repr(obj) == before


@given(st.integers(0, 16), st.integers(0, 64), st.integers(1, 64))
def test_gpus_are_those_of_a_pod_times_the_pods_that_run_at_once(each, parallelism, completions):
    workload = read_workload(job(gpus(each), parallelism=parallelism, completions=completions))
    assert workload.gpu_milli == 1000 * each * min(parallelism, completions)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=6), st.randoms())
def test_the_order_of_containers_does_not_matter(counts, random):
    containers = [asking({"nvidia.com/gpu": count}) for count in counts]
    shuffled = random.sample(containers, len(containers))
    found = [read_workload(pod(*each)).gpu_milli for each in (containers, shuffled)]
    assert found == [1000 * sum(counts)] * 2


@given(st.sampled_from(LAYOUTS))
def test_a_partition_is_a_part_of_its_card_and_the_largest_is_all_of_it(layout):
    shares = [share_of_profile(profile, layout.models[0]) for profile in layout.profiles]
    assert all(0 < share <= WHOLE for share in shares)
    assert max(shares) == WHOLE
    assert shares == sorted(shares)


@given(st.text(max_size=30) | st.from_regex(r"(\d{1,4}[wdhms]){0,4}", fullmatch=True))
def test_a_duration_is_positive_or_unreadable(text):
    millis = parse_duration(text)
    assert millis is None or millis > 0


@given(st.integers(0, 5), st.integers(0, 8))
def test_a_wrapper_asks_for_what_it_holds(jobs, count):
    components = [{"template": job(gpus(count))} for _ in range(jobs)]
    wrapper = manifest("workload.codeflare.dev/v1beta2", "AppWrapper", {"components": components})
    assert read_workload(wrapper).gpu_milli == 1000 * jobs * count
