"""What the local kubelet decides without asking anybody."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devcluster.kubelet.addresses import Addresses
from devcluster.kubelet.backoff import backoff_seconds, restarts_after
from devcluster.kubelet.config import image_name
from devcluster.kubelet.local.environment import command_line, expand
from devcluster.kubelet.local.fields import SpecError, field_value, resource_value
from devcluster.kubelet.local.payload import File, select, write_payload
from devcluster.kubelet.local.sandbox import Mount, rewrite
from devcluster.kubelet.status import ContainerView, PodView, conditions, pod_status, running, terminated
from devcluster.kubelet.timeline import PREFIX, BadAnnotationError, Timeline, clock_skew

_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("aicost", "aicost"),
        ("aicost:1.2", "aicost"),
        ("registry:5000/team/aicost:1.2@sha256:abc", "aicost"),
        ("registry/aicost-agent", "aicost-agent"),
    ],
)
def test_an_image_is_known_by_the_last_word_of_its_repository(reference, name):
    assert image_name(reference) == name


@pytest.mark.parametrize(
    ("policy", "code", "again"),
    [("Always", 0, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_the_restart_policy_decides_by_exit_code(policy, code, again):
    assert restarts_after(policy, code) is again


def test_the_first_restart_is_at_once_and_the_next_ones_wait_twice_as_long_each_time_up_to_a_limit():
    assert [backoff_seconds(10, 300, count) for count in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]


def test_the_last_of_the_exit_codes_stays():
    timeline = Timeline.read({PREFIX + "exit-code": "137,1,0"})
    assert [timeline.exit_code(run) for run in range(4)] == [137, 1, 0, 0]


def test_without_annotations_a_pod_runs_until_it_is_deleted():
    timeline = Timeline.read({})
    assert (timeline.run, timeline.evict_after, timeline.image_pull) == (None, None, 0.0)


@pytest.mark.parametrize(("name", "text"), [("run-seconds", "soon"), ("exit-code", "one"), ("stop-seconds", "")])
def test_an_unreadable_annotation_is_named(name, text):
    with pytest.raises(BadAnnotationError, match=PREFIX + name):
        Timeline.read({PREFIX + name: text})


def test_the_clock_of_a_pod_overrides_the_clock_of_its_node():
    node = {PREFIX + "clock-skew-seconds": "-3600"}
    assert clock_skew({}, node) == -3600
    assert clock_skew({PREFIX + "clock-skew-seconds": "0"}, node) == 0


def test_addresses_are_loopback_unique_and_used_again():
    addresses = Addresses()
    taken = [addresses.take() for _ in range(600)]
    assert len(set(taken)) == 600
    assert all(address.startswith("127.") and not address.endswith((".0", ".255")) for address in taken)
    assert addresses.take("127.0.0.9") == "127.0.0.9"


def test_two_clusters_of_one_machine_do_not_share_addresses():
    first, second = Addresses("https://127.0.0.1:40001"), Addresses("https://127.0.0.1:40002")
    assert not {first.take() for _ in range(600)} & {second.take() for _ in range(600)}


def _status(view: PodView, before: dict, now: datetime) -> dict:
    entries = pod_status(view, {"status": before}, "127.0.0.1", "127.64.0.1", now)["conditions"]
    return {entry["type"]: entry for entry in entries}


def test_a_condition_keeps_its_time_while_its_status_stays():
    view = PodView("Running", [ContainerView("c", "i", state=running(_NOON), ready=True)])
    first = conditions(view, [], _NOON)
    later = _status(view, {"conditions": first}, _NOON + timedelta(minutes=5))
    assert later["Ready"]["lastTransitionTime"] == "2026-01-01T12:00:00Z"
    unready = PodView("Running", [ContainerView("c", "i", state=running(_NOON))])
    changed = _status(unready, {"conditions": first}, _NOON + timedelta(minutes=5))
    assert changed["Ready"]["lastTransitionTime"] == "2026-01-01T12:05:00Z"
    assert changed["Ready"]["message"] == "containers with unready status: [c]"


def test_a_pod_that_succeeded_is_not_ready_for_that_reason():
    view = PodView("Succeeded", [ContainerView("c", "i", state=terminated(_NOON, _NOON, 0))])
    ready = _status(view, {}, _NOON)["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "PodCompleted")


def test_the_start_of_a_pod_is_stamped_once():
    view = PodView("Running", [ContainerView("c", "i")])
    before = {"status": {"startTime": "2026-01-01T11:00:00Z"}}
    assert pod_status(view, before, "h", "p", _NOON)["startTime"] == "2026-01-01T11:00:00Z"


@pytest.mark.parametrize(
    ("text", "result"),
    [("$(A)/x", "1/x"), ("$$(A)", "$(A)"), ("$(B)", "$(B)"), ("$A", "$A"), ("$$$(A)", "$1"), ("100$", "100$")],
)
def test_variables_expand_as_the_api_says(text, result):
    assert expand(text, {"A": "1"}) == result


def test_a_command_replaces_the_entrypoint_and_arguments_follow():
    assert command_line({"args": ["$(A)"]}, ["aicost"], {"A": "1"}) == ["aicost", "1"]
    assert command_line({"command": ["sh"], "args": ["-c"]}, ["aicost"], {}) == ["sh", "-c"]


_POD = {
    "metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"b": "2", "a": '1"'}},
    "spec": {"nodeName": "node", "serviceAccountName": "robot"},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "p"),
        ("metadata.labels['b']", "2"),
        ("metadata.labels['missing']", ""),
        ("metadata.annotations['missing']", ""),
        ("metadata.labels", 'a="1\\""\nb="2"'),
        ("spec.serviceAccountName", "robot"),
        ("status.podIP", "127.64.0.1"),
        ("status.podIPs", "127.64.0.1"),
    ],
)
def test_a_pod_can_ask_about_itself(path, value):
    assert field_value(_POD, path, {"podIP": "127.64.0.1", "hostIP": "127.0.0.1"}) == value


def test_an_unknown_field_is_named():
    with pytest.raises(SpecError, match=r"status\.phase"):
        field_value(_POD, "status.phase", {})


@pytest.mark.parametrize(
    ("limit", "divisor", "value"), [("250m", "1", "1"), ("250m", "1m", "250"), ("1Gi", "1Mi", "1024"), (None, "0", "8")]
)
def test_a_resource_is_rounded_up_and_falls_back_to_the_node(limit, divisor, value):
    container = {"resources": {"limits": {"cpu": limit}}} if limit else {}
    node = {"status": {"allocatable": {"cpu": "8"}}}
    assert resource_value(container, {"resource": "limits.cpu", "divisor": divisor}, node) == value


def test_selected_keys_become_files_at_their_paths():
    values = {"a": b"1", "b": b"2"}
    assert select(values, None, None, optional=False) == {"a": File(b"1"), "b": File(b"2")}
    items = [{"key": "b", "path": "deep/b.yaml", "mode": 0o400}]
    assert select(values, items, 0o600, optional=False) == {"deep/b.yaml": File(b"2", 0o400)}
    with pytest.raises(SpecError, match="non-existent config key: c"):
        select(values, [{"key": "c", "path": "c"}], None, optional=False)


def test_files_change_together_and_old_names_go(tmp_path):
    write_payload(tmp_path, {"a": File(b"1"), "deep/b": File(b"2", 0o600)})
    held = (tmp_path / "a").open()
    write_payload(tmp_path, {"deep/b": File(b"3")})
    with held:
        assert held.read() == "1"
    assert (tmp_path / "deep" / "b").read_text() == "3"
    assert not (tmp_path / "a").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["..data", "..v2", "deep"]


def test_mount_paths_are_rewritten_as_whole_paths_only():
    mounts = [Mount(Path("/x"), "/etc/a"), Mount(Path("/y"), "/etc/a/deep")]
    assert (
        rewrite("--file=/etc/a/f /etc/a/deep/f /etc/abc /other/etc/a", mounts)
        == "--file=/x/f /y/f /etc/abc /other/etc/a"
    )
