"""Statements computed again in a process of their own, which gets inputs and nothing else (port `Replayer`).

The process has no argument, no setting and no variable that names a ledger: what it answers comes from the inputs that
it reads from its standard input.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aicost.adapters.ledger.inputs.codec import decode_rows, encode
from aicost.adapters.ledger.inputs.parts import join, split
from aicost.domain.attribution.window import WindowInput, state_window
from aicost.domain.ledger.rows import Row
from aicost.ports.errors import ReplayFailed

COMMAND = "recompute"
"""The subcommand of `aicost` that the process runs."""
_LONGEST_S = 1_800
_ROOT = Path(__file__).parents[4]
"""The folder that holds the package."""
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TZ")
_LONGEST = 300


class ProcessReplayer:
    """Starts one process for each call."""

    def __call__(self, inputs: Sequence[WindowInput]) -> Sequence[Sequence[Row]]:
        """The rows of each of the inputs; see the port."""
        asked = msgspec.msgpack.encode([split(given) for given in inputs])
        try:
            done = subprocess.run(  # noqa: S603 -- our own program, no shell
                [sys.executable, "-m", "aicost", COMMAND],
                input=asked,
                capture_output=True,
                check=False,
                env=_environment(),
                cwd=Path(sys.executable).anchor,
                timeout=_LONGEST_S,
            )
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise ReplayFailed(f"the process that computes it again did not come to an end: {failure}") from failure
        if done.returncode:
            said = " ".join(done.stderr.decode(errors="replace").split())[-_LONGEST:] or f"exit code {done.returncode}"
            raise ReplayFailed(f"the process that computes it again failed: {said}")
        try:
            return decode_rows(done.stdout)
        except ValueError as problem:
            raise ReplayFailed(
                f"the process that computes it again answered what cannot be read: {problem}"
            ) from problem


def recompute(asked: bytes) -> bytes:
    """What the process does: inputs in, rows out.

    Raises:
        ValueError: the inputs cannot be read.
    """
    inputs = [join(parts) for parts in msgspec.msgpack.decode(asked, type=list[dict[str, bytes]])]
    return encode(tuple(tuple(state_window(given).rows) for given in inputs))


def _environment() -> dict[str, str]:
    """Nothing but what Python needs to start."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed, "PYTHONPATH": str(_ROOT), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
