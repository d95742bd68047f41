"""`aicost backfill`: what it cost before aicost was installed, from the Prometheus that is there."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import SECOND_MS, Window
from aicost.domain.reporting.spans import parse_span
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest

if TYPE_CHECKING:  # pydantic takes long to import
    from aicost.adapters.prometheus.config import PrometheusConfig
    from aicost.entrypoints.cli.sources.backfill import Asked
    from aicost.settings import PrometheusSettings, Settings

_MATCHER = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*(\"[^\"]*\"|[^\"~!=]*)")
_INTERVAL_MS = 15 * SECOND_MS
_EPILOG = """\b
EXAMPLES
  kubectl -n monitoring port-forward svc/prometheus-operated 9090 &
  aicost backfill --prometheus http://localhost:9090 --dry-run             what there is, and what would rest on what
  aicost backfill --prometheus http://localhost:9090 --since 30d --list-prices --ledger ./ledger
  aicost report --ledger ./ledger --window 30d --by team

\b
Nothing is installed, and nothing is written but the ledger's directory. Stop it at any time: the same command goes on
where it stopped.
"""


def _server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How the Prometheus is reached."""
    file = click.Path()
    options = (
        click.option("--prometheus", "url", metavar="URL", help="Base address of the Prometheus API."),
        click.option("--config", type=file, metavar="FILE", help="Settings file: telemetry.prometheus says how."),
        click.option(
            "--match", "matchers", multiple=True, metavar="LABEL=VALUE", help="Only series with this label. Repeatable."
        ),
        click.option("--bearer-token-file", type=file, metavar="FILE", help="File with a bearer token."),
        click.option("--basic-user", metavar="NAME", help="User name of basic authentication."),
        click.option("--basic-password-file", type=file, metavar="FILE", help="File with its password."),
        click.option("--ca-file", type=file, metavar="FILE", help="Authority that signed the server's certificate."),
        click.option("--client-cert-file", type=file, metavar="FILE", help="Client certificate."),
        click.option("--client-key-file", type=file, metavar="FILE", help="Its key."),
        click.option("--insecure-skip-verify", is_flag=True, help="Do not check the server's certificate."),
        click.option("--tenant", metavar="NAME", help="Tenant, for stores that keep several apart."),
        click.option("--tenant-header", metavar="NAME", help="Header of the tenant. Default: X-Scope-OrgID."),
        click.option(
            "--timeout", "timeout_seconds", type=click.IntRange(1, 600), metavar="S", help="Seconds for one answer."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("backfill", epilog=_EPILOG, short_help="What it cost before aicost, from your Prometheus.")
@_server_options
@click.option(
    "--since", default="30d", show_default=True, metavar="WINDOW", help="How far back: 30d, 12h, 2026-10, FROM/TO."
)
@click.option("--ledger", default="./ledger", show_default=True, metavar="DIR|URL", help="Where the amounts go.")
@click.option(
    "--cluster", default="", metavar="NAME", help="Name of the cluster in the ledger. Default: as its series say."
)
@click.option("--prices", multiple=True, metavar="FILE", help="PriceBooks. Repeatable.")
@click.option(
    "--gpu-price",
    "gpu_prices",
    multiple=True,
    metavar="MODEL=AMOUNT",
    help="A price per GPU-hour by model: h100-80gb=2.50, a10g=1.10EUR. Repeatable.",
)
@click.option("--list-prices", is_flag=True, help="Public list prices, where no book of --prices has one.")
@click.option("--aiworkloads", multiple=True, metavar="FILE", help="AIWorkloads that claim pods. Repeatable.")
@click.option(
    "--policies", multiple=True, metavar="FILE", help="CostLabelPolicies: aliases, defaults, rules. Repeatable."
)
@click.option("--dry-run", is_flag=True, help="Only look: what there is, what would rest on what, and what to mend.")
def backfill(  # noqa: PLR0913 -- one parameter per option
    *,
    since: str,
    ledger: str,
    cluster: str,
    prices: Sequence[str],
    gpu_prices: Sequence[str],
    list_prices: bool,
    aiworkloads: Sequence[str],
    policies: Sequence[str],
    dry_run: bool,
    **server: Any,
) -> None:
    """Compute what GPUs cost in the past, from series of dcgm-exporter that a Prometheus kept.

    With kube-state-metrics it knows pods, owners, labels and times as they were; without, it takes what the kubelet's
    and the GPUs' own series show. Each row says what it rests on. Without prices, GPU-hours are counted all the same.
    """
    from aicost.entrypoints.cli.sources.backfill import Asked  # noqa: PLC0415 -- pydantic and Delta take long to import

    settings = _settings(server.pop("config"))
    asked = Asked(
        config=_config(settings.telemetry.prometheus, **server),
        span=_span(since),
        ledger=ledger,
        cluster=cluster,
        prices=prices,
        list_prices=list_prices,
        gpu_prices=gpu_prices,
        claims=aiworkloads,
        policies=policies,
        counting=settings.components.counting,
        sharing=settings.sharing.policy,
        host_matchers=settings.telemetry.prometheus.host_matchers,
        collection_ms=settings.telemetry.collection_seconds * SECOND_MS,
    )
    _run(asked, dry_run=dry_run)


def _run(asked: "Asked", *, dry_run: bool) -> None:
    from aicost.entrypoints.cli.output.backfill.progress import Line  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.output.backfill.screen import preflight, summary  # noqa: PLC0415
    from aicost.entrypoints.cli.sources.backfill import prepare, wire  # noqa: PLC0415

    error, out = (detect(stream, dict(os.environ)) for stream in (sys.stderr, sys.stdout))
    line = Line(sys.stderr, error)
    with progress(f"looking at {asked.config.url}", sys.stderr, error):
        prepared = prepare(asked, line.wait)
    click.echo(preflight(prepared, out), color=True)
    if dry_run:
        return
    running = wire(prepared, now_ms())
    late = running.backfill.late()
    if late:
        click.echo(f"note: {late}", err=True)
    due = running.backfill.due(now_ms())
    try:
        for done in line.follow(running.backfill(now_ms()), len(due), running.inventory.pods_at):
            del done
        with progress("counting tokens and requests", sys.stderr, error):
            heard = sum(one.rows > 0 for one in running.counting.catch_up(prepared.asked.span, prepared.given.said))
    except KeyboardInterrupt:
        line.stop()
        click.echo("Stopped. The same command goes on where it stopped.", err=True)
        raise
    finally:
        line.stop()
    click.echo(summary(prepared, running.reader, line.tally, out), color=True)
    if heard:
        click.echo(f"Engines or gateways counted in {heard:,} windows: see aicost units --ledger {asked.ledger}")


def _span(since: str) -> Window:
    """The time to compute, in the words of a report's window."""
    try:
        return parse_span(since, now_ms())
    except ValueError as problem:
        raise InvalidRequest(f"--since: {problem}") from problem


def _settings(file: str | None) -> "Settings":
    from aicost.settings import load_settings  # noqa: PLC0415 -- as above

    return load_settings(Path(file) if file else None)


def _config(
    settings: "PrometheusSettings", url: str | None, matchers: Sequence[str], **named: Any
) -> "PrometheusConfig":
    """The server, by the settings file and what options say beside it.

    Args:
        settings: of the file.
        url: base address.
        matchers: label matchers.
        named: options that are called as the settings are.
    """
    from aicost.bootstrap import prometheus_config  # noqa: PLC0415 -- as above

    address = url or settings.url
    if not address:
        raise InvalidRequest("--prometheus is missing: name the base address, such as http://localhost:9090")
    said = {name: value for name, value in named.items() if value}
    said["matchers"] = {**settings.matchers, **dict(map(_matcher, matchers))}
    return prometheus_config(settings.model_copy(update=said), address, _INTERVAL_MS)


def _matcher(text: str) -> tuple[str, str]:
    match = _MATCHER.fullmatch(text.strip())
    if match is None:
        raise InvalidRequest(f"--match {text!r}: write LABEL=VALUE, such as cluster=prod-eu; only equality is known")
    return match[1], match[2].strip().strip('"')
