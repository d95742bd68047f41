"""An hour of 500 engines and 5,000 tenants is counted, kept and joined with its cost: how fast, in how much memory."""

import itertools
import json
import os
import subprocess
import sys
from functools import partial

from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.ledger.place import LedgerPlace
from aicost.usecases.economics.keep_counts import KeepCounts
from support.bench.filling import fill
from support.bench.serving import (
    IDLE_NANOS,
    STEPS,
    TENANT,
    USED_NANOS,
    fill_ledger,
    output_of,
    raw_series,
    series,
)
from support.benchmark import operations, processor_seconds, ratio, sizes
from support.big_cluster import WINDOW
from support.history.stage import prometheus
from support.ledger_rows import CLUSTER

TOLERANCE = 0.2
MOST_MIB = 1_024
MOST_ROWS = 100_000
BOUNDS = {
    "read": "unpacking of chunks, labels of series",
    "counted": "Python for each series: labels, growth; then who asked",
    "kept": "a row for each count, Arrow columns, a Delta commit",
    "joined": "sums of counts and of money; the split among tenants",
}
"""Step -> what bounds it."""
PROGRAM = """
import gc, json, sys, time
from pathlib import Path
from aicost.__main__ import YOUNG_OBJECTS
from aicost.adapters.ledger.counts.store import DeltaCounts
from aicost.adapters.ledger.delta import DeltaLedger
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.engines import PrometheusEngines
from aicost.adapters.prometheus.remote.reading import RemoteRead
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.usecases.economics.cost_units import UnitQuestion, cost_counted
from aicost.usecases.economics.keep_counts import KeepCounts

gc.set_threshold(YOUNG_OBJECTS)
url, place, cluster, span = sys.argv[1], sys.argv[2], sys.argv[3], Window(int(sys.argv[4]), int(sys.argv[5]))
told = {}

def timed(name, work):
    def timing(*given, **named):
        wall, ours = time.perf_counter(), time.process_time()
        found = work(*given, **named)
        told[name] = (time.perf_counter() - wall, time.process_time() - ours)
        return found
    return timing

class Shown:
    def __init__(self, behind, **steps):
        self._behind = behind
        for method, step in steps.items():
            setattr(self, method, timed(step, getattr(behind, method)))
    def __getattr__(self, name):
        return getattr(self._behind, name)

ledger = DeltaLedger(place)
config = PrometheusConfig(url, timeout_s=120.0)
store, source = DeltaCounts(ledger.place), PrometheusEngines(config, remote=RemoteRead(config))
keep = KeepCounts(cluster, Shown(store, keep="kept"), ledger, Shown(source, series="read"))
question = UnitQuestion(("namespace", "controller"), tenants=Dimension.CUSTOMER, rounds=True)

def whole():
    counted = timed("count", keep.count)(span)
    return counted.rows, timed("joined", cost_counted)(ledger, store, span, question, cluster=cluster)

rows, report = timed("all", whole)()
told["counted"] = [of - read - kept for of, read, kept in zip(told.pop("count"), told["read"], told["kept"])]
shares = [one for line in report.lines for one in line.tenancy.shares]
status = Path("/proc/self/status").read_text()
print(json.dumps({
    "steps": told, "rows": rows, "lines": len(report.lines),
    "mib": int(status.partition("VmHWM:")[2].split()[0]) / 1024,
    "cost": sum(line.costs.spent.cost_nanos for line in report.lines),
    "borne": sum(one.cost_nanos for one in shares), "idle": sum(one.idle_nanos for one in shares),
    "tenants": len({one.tenant for one in shares if one.tenant}),
    "output": sum(line.costs.did.output for line in report.lines),
    "claimed": sum(one.asked.output for one in shares if one.tenant),
}))
"""


class Given:
    """Series that are there already (port `EngineSource`)."""

    def __init__(self, engines, tenants):
        self._series = raw_series(engines, tenants)

    def series(self, _span):
        return self._series

    def before(self, _pods, _span):
        return ()


def joined(url, place):
    """What a process of its own says of itself: it counts, keeps and joins the hour."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", PROGRAM, url, place, CLUSTER, str(WINDOW.start_ms), str(WINDOW.end_ms)]
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout)


def test_an_hour_of_engines_and_tenants_is_joined_over_prometheus(show, tmp_path):
    (engines,), (tenants,) = sizes((20,), (500,)), sizes((200,), (5_000,))
    place = str(tmp_path / "ledger")
    fill_ledger(place, engines)
    with prometheus(tmp_path / "prometheus") as url:
        samples = fill(url, series(engines, tenants))
        told = joined(url, place)
    cost = engines * (USED_NANOS + IDLE_NANOS)
    assert (told["cost"], told["borne"], told["idle"]) == (cost, cost, engines * IDLE_NANOS)
    assert told["output"] == STEPS * sum(map(output_of, range(engines)))
    assert (told["tenants"], told["claimed"]) == (tenants, STEPS * tenants * TENANT["output"])
    size = f"{engines:,} engines, {tenants:,} tenants"
    wall, ours = told["steps"]["all"]
    show("an hour of unit costs", size, f"{wall:.1f} s, {ours:.1f} s of ours", "below 10 s, shown")
    for step, bounds in BOUNDS.items():
        wall, ours = told["steps"][step]
        show(f"  of it: {step}", f"{samples:,} samples", f"{wall:.1f} s, {ours:.1f} s of ours", bounds=bounds)
    show("  rows beside the ledger", size, f"{told['rows']:,} rows", f"{MOST_ROWS:,}")
    show("  memory of the process", size, f"{told['mib']:,.0f} MiB at most", f"{MOST_MIB:,} MiB")
    assert told["rows"] <= MOST_ROWS
    assert told["mib"] < MOST_MIB


def test_the_count_is_linear_in_engines_and_tenants(show, tmp_path):
    few, many = sizes((20, 80), (50, 500))
    folders = itertools.count()
    given = {engines: Given(engines, 10 * engines) for engines in (few, many)}

    def count(engines):
        place = LedgerPlace(str(tmp_path / str(next(folders))))
        counted = KeepCounts(CLUSTER, DeltaCounts(place), DeltaLedger(place.uri), given[engines]).count(WINDOW)
        assert counted.rows > engines

    counts = {engines: operations(partial(count, engines)) for engines in given}
    seconds = {engines: processor_seconds(partial(count, engines)) for engines in given}
    size = f"{few:,} to {many:,} engines"
    grown = ratio(counts[few], counts[many], many / few)
    show("  growth", size, f"operations x {grown:.3f} per engine", "1 +- 0.2")
    shown = ratio(seconds[few], seconds[many], many / few)
    show("  growth", size, f"processor x {shown:.2f} per engine", "up to 1.2, shown")
    assert 1 - TOLERANCE < grown < 1 + TOLERANCE
