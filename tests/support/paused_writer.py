"""An old leader that is stopped in the worst moment: it asked whether it leads, it judged the ledger, and now commits.

Run as a program it leads for ever by its own word, begins a term, and posts one window. Right before the commit it
stops
itself, as a machine that is suspended would; whoever lets it go on reads what became of its posting.
"""

import os
import signal
import sys

from aicost.adapters.held import FencedWriter
from aicost.adapters.ledger import delta
from aicost.ports.errors import AicostError
from support.ledger_rows import CLUSTER, hour, make_posting, make_row

_write = delta.write_deltalake


def _stop_first(*words, **named):
    sys.stdout.write("before the commit\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGSTOP)
    return _write(*words, **named)


def main() -> None:
    """Post one window, stopped before its commit."""
    place, index, options = sys.argv[1], int(sys.argv[2]), dict(word.split("=", 1) for word in sys.argv[3:])
    ledger = delta.DeltaLedger(place, options)
    writer = FencedWriter(ledger, lambda: True, ledger)
    writer.begin(CLUSTER)
    delta.write_deltalake = _stop_first
    try:
        done = writer.post(make_posting(make_row(99, window=hour(index)), window=hour(index)))
    except AicostError as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")
    else:
        sys.stdout.write(f"posted: {done}\n")


if __name__ == "__main__":
    main()
