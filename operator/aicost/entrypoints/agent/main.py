"""`aicost agent`: measures what the pods of this node do on its GPUs."""

import logging
import os
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from aicost.entrypoints.agent.serving import Serving
from aicost.entrypoints.agent.table import table
from aicost.entrypoints.agent.wiring import Places, make
from aicost.telemetry.logs import configure_logs
from aicost.usecases.agent.measure import MeasurePods

_FILE = click.Path(path_type=Path)
_EPILOG = """\b
EXAMPLES
  aicost agent --once                     what the GPUs of this machine do now
  aicost agent --state ./counters.json    serve /metrics, and keep the counters
"""


@click.command("agent", epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--once", is_flag=True, help="Measure for a short while, print a table, and end.")
@click.option(
    "--seconds",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0.2, 3600),
    metavar="SECONDS",
    help="With --once: for how long to measure.",
)
@click.option("--address", default="", metavar="ADDRESS", help="Address to listen on. Default: all.")
@click.option(
    "--port", default=9410, show_default=True, type=click.IntRange(0, 65535), metavar="PORT", help="Port of /metrics."
)
@click.option(
    "--interval",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.2, 60),
    metavar="SECONDS",
    help="Time between two readings.",
)
@click.option(
    "--state", type=_FILE, metavar="FILE", help="Keep the counters here over restarts. Default: they begin again."
)
@click.option("--proc", type=_FILE, default=Path("/proc"), metavar="DIR", help="The host's /proc.")
@click.option(
    "--pod-logs",
    type=_FILE,
    default=Path("/var/log/pods"),
    metavar="DIR",
    help="Folder of pods' logs; the names of its folders are read, and nothing in them.",
)
@click.option(
    "--pod-resources",
    type=_FILE,
    default=Path("/var/lib/kubelet/pod-resources/kubelet.sock"),
    metavar="SOCKET",
    help="The kubelet's socket that says which pod holds which device.",
)
@click.option("--node", metavar="NAME", help="Name of the node. Default: NODE_NAME, else the name of the host.")
@click.option(
    "--log-level",
    default="info",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="Least severe lines to log.",
)
@click.option(
    "--log-format", default="json", show_default=True, type=click.Choice(["json", "text"]), help="Format of log lines."
)
def agent(**options: Any) -> None:
    """Measure what the pods of this node do on its GPUs.

    Serves monotonic counters per pod: GPU-seconds, SM-seconds, memory and energy. Reads the NVIDIA driver, and changes
    nothing. Without a driver it says so: with --once it ends, else it waits for one.
    """
    places = Places(options["state"], options["proc"], options["pod_logs"], options["pod_resources"])
    if options["once"]:
        configure_logs("error", "text")
        click.echo(_once(make(replace(places, state=None)), options["seconds"], options["interval"]))
        return
    configure_logs(options["log_level"], options["log_format"])
    node = options["node"] or os.environ.get("NODE_NAME") or socket.gethostname()
    Serving(make(places), node, options["interval"]).run(options["address"], options["port"])


def _once(measure: MeasurePods, seconds: float, interval: float) -> str:
    """The table, or why there is none."""
    seen = measure.round()
    began = time.monotonic_ns()
    end = began + int(seconds * 1e9)
    if not seen.states:
        return f"Nothing to measure: {seen.problem}."
    while (left := end - time.monotonic_ns()) > 0:
        time.sleep(min(interval, left / 1e9))
        measure.round()
    return table(measure.tell(at_once=True), time.monotonic_ns() - began)


def main(arguments: list[str]) -> int:
    """The entry of `aicost agent`: takes the arguments after the name, gives the exit code."""
    try:
        agent.main(arguments, prog_name="aicost agent", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as end:
        return end.exit_code
    except OSError as error:
        logging.getLogger(__name__).exception("cannot serve")
        click.ClickException(f"cannot listen: {error.strerror or error}").show()
        return 1
    return 0
