"""The node agent is small: what it takes grows with the processes of its node, and stays within its budget."""

import json
import subprocess
import sys
from pathlib import Path

from support.benchmark import FULL

TESTS = Path(__file__).parents[1]
MOST_SECONDS, MOST_KIB = 0.02, 80 * 1024
"""2 % of a core with a round each second, and 80 MiB."""


def cost(gpus: int, processes: int, rounds: int) -> dict[str, float]:
    """Processor seconds of a round, and resident memory."""
    command = [sys.executable, "-m", "support.gpus.load", str(gpus), str(processes), str(rounds)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=TESTS, timeout=110)
    return json.loads(run.stdout)


def test_a_round_over_8_gpus_and_200_processes_stays_within_its_budget(show) -> None:
    found = cost(8, 200, 60 if FULL else 10)
    size = "8 GPUs, 200 processes"
    show("round of the node agent", size, f"{found['seconds'] * 1000:.1f} ms of a core", "< 20 ms, with its double")
    show("memory of the node agent", size, f"{found['kib'] / 1024:.0f} MiB", "< 80 MiB, with its double")
    assert found["kib"] < MOST_KIB
    if FULL:
        assert found["seconds"] < MOST_SECONDS
