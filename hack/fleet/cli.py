"""The simulator's command line."""

import argparse
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path

from fleet import demo, kubernetes, truth
from fleet.clocks import accelerated, real_clock
from fleet.live.record import load
from fleet.live.run import run
from fleet.script import HOUR_MS, Fleet
from fleet.series import Shape, openmetrics, series
from fleet.server import FleetServer
from fleet.sharing import scenario
from fleet.sharing.claims import nodes_of_drivers, slice_object
from fleet.sharing.split import Mode

SCENARIOS: dict[str, Callable[[int], Fleet]] = {"demo": demo.fleet, "shared": scenario.fleet}
GROUPS = ("namespace", "team", "pod", "node", "model", "bucket", "device")


def main(arguments: list[str] | None = None) -> None:
    """Run one command."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s fleet %(message)s", datefmt="%H:%M:%S")
    options.command(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fleet", description="Simulates a GPU fleet.")
    commands = parser.add_subparsers(required=True)

    live = commands.add_parser("live", help="serve the exporters of the pods of a cluster")
    live.add_argument("--kubeconfig", type=Path, required=True)
    live.add_argument("--record", type=Path, help="write the truth to this file, as JSON lines")
    live.set_defaults(command=_live)

    serve = commands.add_parser("serve", help="serve a fleet without a cluster")
    _add_scenario(serve)
    serve.add_argument("--pod-ips", action="store_true", help="on 127.10.x.y:9400 instead of free ports")
    serve.add_argument("--speed", type=int, default=1, help="how many times as fast as real time")
    serve.set_defaults(command=_serve)

    nodes = commands.add_parser("nodes", help="print a fleet's nodes, for kubectl create -f -")
    _add_scenario(nodes)
    nodes.set_defaults(command=_nodes)

    bill = commands.add_parser("truth", help="print the true bill of a record, or of a fleet that begins then")
    source = bill.add_mutually_exclusive_group(required=True)
    source.add_argument("--record", type=Path)
    source.add_argument("--scenario", choices=SCENARIOS)
    bill.add_argument("--from-ms", type=int, required=True)
    bill.add_argument("--to-ms", type=int, required=True)
    bill.add_argument("--by", choices=GROUPS, default="namespace")
    bill.add_argument("--known-for-ms", type=int, default=0, help="how long a value may be carried into a gap")
    bill.add_argument("--split", choices=list(Mode), type=Mode, default=Mode.TWO_PART, help="how shared GPUs are split")
    bill.set_defaults(command=_truth)

    backfill = commands.add_parser("openmetrics", help="print an hour of a fleet, for a backfill")
    _add_scenario(backfill)
    backfill.add_argument("--from-ms", type=int, required=True)
    backfill.add_argument("--interval-ms", type=int, default=30_000)
    backfill.set_defaults(command=_openmetrics)
    return parser


def _add_scenario(command: argparse.ArgumentParser) -> None:
    command.add_argument("--scenario", choices=SCENARIOS, default="demo", help="which fleet")


def _live(options: argparse.Namespace) -> None:
    run(options.kubeconfig, options.record, real_clock)


def _serve(options: argparse.Namespace) -> None:
    start_ms = real_clock()
    with FleetServer(
        SCENARIOS[options.scenario](start_ms), accelerated(start_ms, options.speed), pod_ips=options.pod_ips
    ) as server:
        for name, urls in server.urls.items():
            print(name, *urls, flush=True)
        while True:
            time.sleep(3600)


def _nodes(options: argparse.Namespace) -> None:
    now_ms = real_clock()
    fleet = SCENARIOS[options.scenario](now_ms)
    items = [kubernetes.node_object(node, now_ms) for node in fleet.nodes]
    items += [slice_object(node, now_ms) for node in nodes_of_drivers(fleet)]
    print(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2))


def _truth(options: argparse.Namespace) -> None:
    if options.scenario is None:
        fleet = load(options.record, demo.PRICES)
    else:
        fleet = SCENARIOS[options.scenario](options.from_ms)
    span, rules = (options.from_ms, options.to_ms), truth.Rules(options.split)
    bill = truth.amounts(fleet, *span, known_for_ms=options.known_for_ms, rules=rules)
    for group, amount in sorted(truth.totals(fleet, bill, options.by).items(), key=lambda item: str(item[0])):
        figures = {"gpu_milliseconds": amount.gpu_ms, "cost_nanos": amount.nanos, "unpriced_ms": amount.unpriced_ms}
        print(json.dumps({options.by: group} | {name: round(value) for name, value in figures.items()}))


def _openmetrics(options: argparse.Namespace) -> None:
    begin = options.from_ms
    samples = series(
        SCENARIOS[options.scenario](begin), begin, begin + HOUR_MS, options.interval_ms, shape=Shape.PROMETHEUS
    )
    print(openmetrics(samples), end="")
