"""A writer that is really killed, at any point, loses nothing that it was told is kept, and leaves nothing torn."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing

import pytest

from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.journal.samples import SampleJournal
from aicost.domain.exact.windows import Window
from support.builders import T0

SERIES = 24
ALWAYS = Window(0, T0 * 2)

WRITER = f"""
import sys
from pathlib import Path
from aicost.adapters.journal.inventory import InventoryJournal
from aicost.adapters.journal.samples import SampleJournal
from aicost.domain.sampling.scrapes import ScrapeTarget, SeriesKey
from support.builders import T0, make_pod

folder, start = Path(sys.argv[1]), int(sys.argv[2])
inventory, samples = InventoryJournal(folder / "inventory.db", T0), SampleJournal(folder / "samples.db", 15_000)
step = start
while True:
    step += 1
    for exporter in range(5):
        target = ScrapeTarget(f"exporter-{{exporter}}")
        keys = [SeriesKey("m", (("UUID", f"GPU-{{index}}"), ("pod", f"p{{step // 20}}"))) for index in range({SERIES})]
        samples.append(target, T0 + step, [(key, float(step)) for key in keys])
    samples.flush()
    pod = make_pod("team", f"p{{step}}").gpus(1).bound(T0 + step * 1_000).running()
    inventory.pod_seen(pod.facts(), T0 + step * 1_000, live=True)
    inventory.pod_gone(make_pod("team", f"p{{step - 1}}").facts().uid, T0 + step * 1_000)
    inventory.flush()
    print(step, flush=True)
"""


def run_and_kill(folder, start, after_s):
    """Start a writer, kill it after it has told some steps and a while more; gives the last step that it told."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", WRITER, str(folder), str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as writer:
        try:
            told = [writer.stdout.readline() for _ in range(3)]
            time.sleep(after_s)
        finally:
            writer.send_signal(signal.SIGKILL)
        told += writer.stdout.read().splitlines(keepends=True)
    whole = [line for line in told if line.endswith("\n")]
    assert whole, "the writer did not come to write"
    return int(whole[-1])


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder whose writer was killed again and again, and the steps that it told before each kill."""
    folder = tmp_path_factory.mktemp("journal")
    chance, last, told = random.Random(20_261_125), 0, []
    for _ in range(4):
        first = last + 1
        last = run_and_kill(folder, last, chance.uniform(0.0, 0.12))
        told.append(range(first, last + 1))
    return folder, told


def test_no_scrape_that_was_flushed_is_lost_and_none_is_torn(killed):
    folder, told = killed
    with closing(SampleJournal(folder / "samples.db", 15_000)) as journal:
        found = journal.samples(ALWAYS)
    steps = {step for run in told for step in run}
    by_series = {}
    for series in found:
        identity = (series.labels["UUID"], series.labels["pod"])
        times = [at_ms - T0 for at_ms in series.at_ms.tolist()]
        assert times == series.value.astype(int).tolist()
        by_series.setdefault(identity, []).append(sorted(times))
    kept = {step for copies in by_series.values() for step in copies[0]}
    assert kept >= steps
    for (uuid, pod), copies in by_series.items():
        assert len(copies) == 5, f"an exporter of {uuid} {pod} is missing"
        assert all(copy == copies[0] for copy in copies), "a flush of five exporters was torn"
    for pod in {pod for _, pod in by_series}:
        of_pod = [copies[0] for (_, each), copies in by_series.items() if each == pod]
        assert len(of_pod) == SERIES
        assert all(times == of_pod[0] for times in of_pod), "a scrape was torn"


def test_no_lifetime_that_was_flushed_is_lost(killed):
    folder, told = killed
    with closing(InventoryJournal(folder / "inventory.db", T0 * 2)) as journal:
        pods = {pod.facts.name: pod for pod in journal.facts(ALWAYS).pods}
        assert journal.epoch_ms == T0
    for run in told:
        for step in run:
            assert pods[f"p{step}"].facts.bound_ms == T0 + step * 1_000
        for step in run[:-1]:
            assert pods[f"p{step}"].held_until_ms == T0 + (step + 1) * 1_000
