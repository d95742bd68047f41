"""A container sees its volumes at their mount paths, with and without namespaces of the kernel."""

import json
import sys

import pytest

from devcluster.kubelet.local import sandbox
from devcluster.kubelet.local.sandbox import Mount, Process


@pytest.fixture
def folders(tmp_path):
    """Three volumes: one with a file, and two that are empty."""
    for name in ("config", "data", "inner"):
        (tmp_path / name).mkdir()
    (tmp_path / "config" / "f").write_text("hello")
    return tmp_path


async def _run(mode: str, process: Process) -> tuple[int, str]:
    log = process.folder / "log"
    running = await sandbox.start(process, mode, log)
    return await running.wait(), log.read_text()


def _shell(folders, text: str, *mounts: Mount, **more: object) -> Process:
    return Process(["sh", "-c", text], {}, mounts, folders / "work", "pod", **more)


@pytest.fixture
def mode(tmp_path):
    found = sandbox.isolation(tmp_path / "trial")
    if not found:
        pytest.skip("this machine allows no mount namespaces; paths would be rewritten instead")
    return found


async def test_volumes_are_at_paths_that_the_machine_does_not_have(mode, folders):
    mounts = [Mount(folders / "config", "/etc/aicost/deep", read_only=True), Mount(folders / "data", "/no-such-place")]
    code, output = await _run(mode, _shell(folders, "cat /etc/aicost/deep/f; echo x > /no-such-place/x", *mounts))
    assert (code, output) == (0, "hello")
    assert (folders / "data" / "x").read_text() == "x\n"


async def test_what_the_machine_has_beside_a_mount_path_stays_visible(mode, folders):
    mounts = [Mount(folders / "config", "/usr/lib/aicost/config")]
    code, output = await _run(mode, _shell(folders, "ls / /usr && python -c 'import json'", *mounts))
    assert code == 0, output
    assert {"usr", "etc", "bin", "lib"} <= set(output.split())


async def test_a_volume_can_lie_inside_another_one(mode, folders):
    mounts = [Mount(folders / "inner", "/vol/inner"), Mount(folders / "data", "/vol")]
    code, output = await _run(mode, _shell(folders, "echo a > /vol/a; echo b > /vol/inner/b", *mounts))
    assert code == 0, output
    assert (folders / "data" / "a").exists()
    assert (folders / "inner" / "b").exists()


async def test_a_file_can_be_mounted_over_a_file(mode, folders):
    mounts = [Mount(folders / "config" / "f", "/etc/passwd")]
    assert await _run(mode, _shell(folders, "cat /etc/passwd", *mounts)) == (0, "hello")


async def test_read_only_volumes_and_a_read_only_root_cannot_be_written(mode, folders):
    mounts = [Mount(folders / "config", "/config", read_only=True), Mount(folders / "data", "/data")]
    text = "touch /config/x; touch /etc/x; touch /data/x && echo fine; echo x > /dev/null && echo null"
    _, output = await _run(mode, _shell(folders, text, *mounts, read_only_root=True))
    assert output.count("Read-only file system") == 2
    assert output.endswith("fine\nnull\n")


async def test_a_volume_over_a_folder_of_the_interpreter_does_not_hide_the_interpreter(mode, folders):
    above = "/" + sys.base_prefix.strip("/").split("/")[0]
    code, output = await _run(mode, _shell(folders, "python -c 'print(1)'", Mount(folders / "data", above)))
    assert (code, output) == (0, "1\n")


async def test_the_user_is_the_one_that_the_pod_asks_for(mode, folders):
    if mode != "user":
        pytest.skip("this machine allows no user namespaces")
    assert await _run(mode, _shell(folders, "id -u; id -g; hostname", uid=4711, gid=42)) == (0, "4711\n42\npod\n")


async def test_the_exit_code_is_the_one_of_the_process(mode, folders):
    assert (await _run(mode, _shell(folders, "exit 7")))[0] == 7
    assert (await _run(mode, _shell(folders, "sh -c 'kill -9 $$'; exit $?")))[0] == 137


async def test_a_missing_program_is_named(mode, folders):
    process = Process(["no-such-program"], {}, (), folders / "work", "pod")
    assert await _run(mode, process) == (1, "exec: no-such-program: No such file or directory\n")


async def test_nothing_of_our_own_environment_leaks(mode, folders, monkeypatch):
    monkeypatch.setenv("OUR_SECRET", "1")
    process = Process(
        ["python", "-c", "import json, os; print(json.dumps(dict(os.environ)))"], {"A": "b"}, (), folders, "p"
    )
    _, output = await _run(mode, process)
    environment = json.loads(output)
    assert environment["A"] == "b"
    assert "OUR_SECRET" not in environment


async def test_the_instructions_which_may_hold_secrets_are_gone_once_it_runs(mode, folders):
    await _run(mode, _shell(folders, "true"))
    assert not (folders / "work" / "instructions.json").exists()


async def test_without_namespaces_paths_in_arguments_and_environment_are_rewritten(folders):
    mounts = [Mount(folders / "config", "/etc/aicost")]
    process = Process(["sh", "-c", "cat /etc/aicost/f; echo $FILE"], {"FILE": "/etc/aicost/g"}, mounts, folders, "p")
    assert await _run("", process) == (0, f"hello{folders / 'config' / 'g'}\n")
