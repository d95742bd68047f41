"""`aicost record`: a window of a live cluster as a bundle, for a replay or a bug report."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import Window, to_rfc3339
from aicost.domain.reporting.spans import FORMS, parse_span
from aicost.entrypoints.cli.options import of_a_cluster
from aicost.entrypoints.cli.terminal import Doing, detect, progress
from aicost.ports.errors import InvalidRequest

if TYPE_CHECKING:
    from aicost.entrypoints.cli.record.run import Recorded

_UNITS = {"s": 1, "m": 60, "h": 3_600}
_EPILOG = f"""\b
TIMES
  {FORMS}

\b
EXAMPLES
  aicost record --since 6h --out ./bundle                         what is there now, and six hours of samples
  aicost record --for 30m --out ./bundle                          follow the cluster for half an hour
  aicost record --since 2h --out ./bundle --anonymise             for a bug report: names become pseudonyms
  aicost record --window 2026-11-25T08:00:00Z/2026-11-25T12:00:00Z --out ./bundle --prometheus http://localhost:9090
"""


@click.command("record", epilog=_EPILOG, short_help="Record a window of the cluster as a bundle.")
@click.option("--since", "-s", metavar="TIME", help="Record from then until now, such as 24h.")
@click.option("--window", "-w", "span", metavar="FROM/TO", help="Record this window.")
@click.option(
    "--for", "following", metavar="TIME", help="Follow the cluster for so long, such as 10m, and record what happens."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new directory.")
@click.option("--prometheus", metavar="URL", help="Where samples are. Default: the Prometheus that the cluster shows.")
@click.option("--no-samples", is_flag=True, help="Record objects alone.")
@click.option("--anonymise", is_flag=True, help="Replace names by pseudonyms, the same ones in objects and samples.")
@click.option("--cluster", metavar="NAME", help="Key of the cluster. Default: the UID of kube-system.")
@of_a_cluster
def record(  # noqa: PLR0913 -- one parameter per option
    *,
    since: str | None,
    span: str | None,
    following: str | None,
    out: Path,
    prometheus: str | None,
    no_samples: bool,
    anonymise: bool,
    cluster: str | None,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Write a bundle: the objects of the cluster as they are now, what happens while we look, and raw samples.

    Objects that are gone by now are not in it: the API server does not remember them. Secrets and values of environment
    variables are never written, nor anything else that no cost rests on.
    """
    window, seconds = _window(since, span), _seconds(following)
    if window is None and not seconds:
        raise InvalidRequest("say which time to record: --since 24h, --window FROM/TO, or --for 10m from now on")
    if prometheus and no_samples:
        raise InvalidRequest("--prometheus and --no-samples contradict: leave one out")
    doing = Doing("asking the cluster")
    with progress(doing, sys.stderr, detect(sys.stderr, dict(os.environ))):
        done = _record(
            kubeconfig, context, doing, window=window, seconds=seconds, out=out, prometheus=prometheus,
            samples=not no_samples, cluster=cluster, anonymise=anonymise,
            grows=since is not None,
        )  # fmt: skip
    _show(done)


def _window(since: str | None, span: str | None) -> Window | None:
    """The window that is named; None for none."""
    if since and span:
        raise InvalidRequest("--since and --window contradict: leave one out")
    text = since or (span or "").replace("..", "/")
    if not text:
        return None
    try:
        return parse_span(text, now_ms())
    except ValueError as problem:
        raise InvalidRequest(str(problem).replace("window:", f"--{'since' if since else 'window'}:", 1)) from problem


def _seconds(following: str | None) -> float:
    if following is None:
        return 0.0
    number, unit = following[:-1], following[-1:]
    if unit not in _UNITS or not number.isdecimal() or not int(number):
        raise InvalidRequest(f"--for {following!r}: write a length of time such as 10m, 90s or 1h")
    return float(int(number) * _UNITS[unit])


def _record(
    kubeconfig: Path | None, context: str | None, doing: Doing, *, prometheus: str | None, **wanted: object
) -> "Recorded":
    from aicost.adapters.prometheus.config import PrometheusConfig  # noqa: PLC0415 -- aiohttp takes long to import
    from aicost.entrypoints.cli.record.run import Wanted  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.record.run import record as run  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.sources.cluster import find_cluster  # noqa: PLC0415 -- as above

    config = find_cluster(kubeconfig, context, instead="a bundle is recorded from a live cluster")
    server = PrometheusConfig(prometheus) if prometheus else None
    return run(Wanted(prometheus=server, **wanted), config, doing.say)  # type: ignore[arg-type] # the options above


def _show(done: "Recorded") -> None:
    """What was recorded, what was not, and how to go on."""
    events = ", ".join(f"{kind} {count:,}" for kind, count in sorted(done.events.items()))
    click.echo(f"{done.out}: {to_rfc3339(done.window.start_ms)} to {to_rfc3339(done.window.end_ms)}")
    click.echo(f"events: {events}")
    click.echo(f"samples: {done.samples:,}" + (f" from {done.source}" if done.source else ""))
    for gap in dict.fromkeys(done.gaps):
        click.echo(f"not in it: {gap}", err=True)
    click.echo(f"now: aicost replay {done.out} --ledger DIR")
