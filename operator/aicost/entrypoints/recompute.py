"""`aicost recompute`: the process that computes statements again. Inputs come in on standard input, rows go out.

It is started by `aicost explain`. It opens no file and knows no ledger.
"""

import sys

from aicost.adapters.ledger.inputs.replaying import recompute


def main(arguments: list[str]) -> int:
    """Run it; gives the exit code."""
    if arguments:
        print(f"recompute takes no arguments, and got {arguments[0]!r}", file=sys.stderr)  # noqa: T201
        return 2
    sys.stdout.buffer.write(recompute(sys.stdin.buffer.read()))
    return 0
