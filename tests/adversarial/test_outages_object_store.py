"""An object store that hangs holds up nobody but who asks it."""

import signal
import threading
import time
from contextlib import suppress

import pytest

from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.inputs.store import DeltaInputs
from aicost.ports.errors import LedgerUnavailable
from support.ledger_rows import CLUSTER, HOUR_0, make_posting, make_row
from support.object_store import options, place

HASTY = {"max_retries": "0", "retry_timeout": "2s", "timeout": "2s"}
ASKED = {
    "whether there is a table": lambda ledger: ledger.version(),
    "rows": lambda ledger: ledger.last_window(CLUSTER),
    "to write": lambda ledger: ledger.post(make_posting(make_row(2), window=HOUR_0)),
    "for inputs": lambda ledger: DeltaInputs(ledger.place, "0").prune(1),
}


@pytest.fixture
def hanging(store):
    """A ledger on a server that takes connections and answers nothing."""
    ledger = DeltaLedger(place(store), {**options(store), **HASTY})
    ledger.post(make_posting(make_row(1)))
    assert store._child is not None
    store._child.process.send_signal(signal.SIGSTOP)
    yield ledger
    store._child.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("asked", ASKED)
def test_while_an_object_store_hangs_other_threads_go_on(hanging, asked):
    def ask() -> None:
        with suppress(LedgerUnavailable):
            ASKED[asked](hanging)

    thread = threading.Thread(target=ask)
    thread.start()
    beats = 0
    while thread.is_alive():
        time.sleep(0.01)
        beats += 1
    assert beats > 20, "probes and the Lease would have stood still"
