"""The way through NVIDIA's binding and the loader into a real shared object, which no double in Python goes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "support/gpus/library.c"
COMPILER = shutil.which("cc") or shutil.which("gcc")


@pytest.mark.skipif(COMPILER is None, reason="no C compiler here: the library of this test is written in C")
def test_a_shared_object_is_loaded_and_what_it_lacks_is_said(tmp_path) -> None:
    target = tmp_path / "libnvidia-ml.so.1"
    subprocess.run(
        [str(COMPILER), "-shared", "-fPIC", "-o", target, SOURCE], check=True, capture_output=True, timeout=60
    )
    options = ["--seconds", "1", "--interval", "0.25", "--proc", str(tmp_path)]
    run = subprocess.run(
        [sys.executable, "-m", "aicost", "agent", "--once", *options],
        env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert re.search(r"^GPU-of-the-library +GPU in C +ok +[1-9]\d? % +\d+ W$", run.stdout, re.MULTILINE)
    assert re.search(r"outside pods +GPU-of-the-library +0\.[1-9]", run.stdout), (
        "a process that is not there is in no pod"
    )
    lacking = run.stdout.splitlines()[-1]
    assert "nvmlDeviceGetMigMode" in lacking
    assert "nvmlDeviceGetGraphicsRunningProcesses_v3" in lacking
    assert "nvmlGpmSampleGet" not in lacking
