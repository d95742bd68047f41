"""The open window is replaced while it is read: what is read is of one moment, whole."""

import threading

from aicost.adapters.ledger.delta import DeltaLedger
from support.ledger_rows import CLUSTER, hour, make_row

READS = 60


def test_whoever_reads_while_it_is_replaced_sees_one_version_or_the_next(tmp_path):
    writer, reader = DeltaLedger(str(tmp_path)), DeltaLedger(str(tmp_path))
    versions = [
        [make_row(cost, device=f"GPU-{n}", window=hour(0)) for n in range(rows)] for cost, rows in ((1, 3), (2, 900))
    ]
    writer.replace_provisional(CLUSTER, hour(0), versions[0])
    done = threading.Event()

    def replace():
        while not done.is_set():
            for version in versions:
                writer.replace_provisional(CLUSTER, hour(0), version)

    writing = threading.Thread(target=replace)
    writing.start()
    try:
        for _ in range(READS):
            rows = reader.snapshot().rows(hour(0), provisional=True)
            assert (len(rows), {row.cost_nanos for row in rows}) in ((3, {1}), (900, {2}))
    finally:
        done.set()
        writing.join()
