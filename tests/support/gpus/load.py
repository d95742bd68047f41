"""The agent on a large node, in a process of its own: prints what a round costs, as JSON. The double's part is in it.

Arguments: GPUs, processes, rounds.
"""

import json
import sys
import time
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

import aicost.entrypoints.agent.main  # noqa: F401 # what the real process has in memory
from support.gpus.node import Node
from support.gpus.nvml import installed
from support.gpus.truth import Card, Process


def _node(folder: Path, gpus: int, processes: int) -> Node:
    pods = [str(uuid.UUID(int=(1 << 100) + number)) for number in range(max(processes // 2, 1))]
    programs = [
        Process(1000 + number, pods[number % len(pods)], gpu=number % gpus, on_us=20_000 + 1000 * number)
        for number in range(processes)
    ]
    node = Node(folder, [Card(f"GPU-{number}") for number in range(gpus)], programs)
    for number, uid in enumerate(pods):
        node.tree.named(uid, "ml", f"p{number}")
    return node


def _resident_kib() -> int:
    words = [line.split() for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:")]
    return int(words[0][1])


def main(gpus: int, processes: int, rounds: int) -> None:
    with TemporaryDirectory() as folder:
        node = _node(Path(folder), gpus, processes)
        with installed(node.nvml):
            node.run(3)
            spent = 0.0
            for number in range(rounds):
                node.truth.advance(1)
                node.tree.update()
                began = time.process_time()
                node.agent.round()
                if number % 15 == 0:
                    node.agent.tell()
                spent += time.process_time() - began
            node.gpus.close()
        sys.stdout.write(json.dumps({"seconds": spent / rounds, "kib": _resident_kib()}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
