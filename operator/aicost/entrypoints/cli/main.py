"""The command line: reads options, asks, prints. Errors are one line, and the exit code says what kind."""

import os
import sys
from importlib.metadata import version as installed_version

import click

from aicost.entrypoints.cli.commands.backfill import backfill
from aicost.entrypoints.cli.commands.budget.group import budget
from aicost.entrypoints.cli.commands.check import check
from aicost.entrypoints.cli.commands.config import config
from aicost.entrypoints.cli.commands.coverage import coverage, inventory
from aicost.entrypoints.cli.commands.economics.margin import margin
from aicost.entrypoints.cli.commands.economics.pipeline import pipeline
from aicost.entrypoints.cli.commands.economics.training import training
from aicost.entrypoints.cli.commands.estimate import estimate
from aicost.entrypoints.cli.commands.explain import explain
from aicost.entrypoints.cli.commands.gpus.idle import idle
from aicost.entrypoints.cli.commands.gpus.telemetry import telemetry
from aicost.entrypoints.cli.commands.ledger.group import ledger
from aicost.entrypoints.cli.commands.outcomes.group import outcomes
from aicost.entrypoints.cli.commands.prices.group import prices
from aicost.entrypoints.cli.commands.record import record
from aicost.entrypoints.cli.commands.replay import replay
from aicost.entrypoints.cli.commands.report import report
from aicost.entrypoints.cli.commands.rerate import rerate
from aicost.entrypoints.cli.commands.retag import retag
from aicost.entrypoints.cli.commands.spend.group import spend
from aicost.entrypoints.cli.commands.statement import statement
from aicost.entrypoints.cli.commands.units import units
from aicost.entrypoints.cli.terminal import Style, detect
from aicost.ports.errors import AicostError, InvalidRequest

FAILURE, USAGE, INTERRUPTED = 1, 2, 130
_EPILOG = """\b
EXIT CODES
  0  done
  1  it failed: no answer, no permission, something cannot be read; or `check` found what would be denied
  2  the request makes no sense; the message names the option, its value and the fix

\b
SERVERS (the Helm chart starts them)
  aicost controller --config FILE   watch the cluster, keep the ledger and the reports
  aicost agent                      measure the GPUs of a node; --once prints a table
  aicost query --config FILE        serve query.aicost.dev behind the API server
  aicost restore --config FILE      undo all that budgets did to workloads, before the chart is removed
"""


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--server",
    metavar="URL|port-forward",
    help="Reach the query API there in place of through the API server; see docs/guide/who-sees-what.md. "
    "Default: AICOST_SERVER.",
)
def cli(server: str | None) -> None:
    """What AI workloads on Kubernetes cost, to the last GPU-second."""
    if server is not None:  # all commands read it where they look for the cluster
        os.environ["AICOST_SERVER"] = server


@cli.command()
def version() -> None:
    """Print the version."""
    click.echo(f"aicost {installed_version('aicost')}")


cli.add_command(report)
cli.add_command(explain)
cli.add_command(units)
cli.add_command(outcomes)
cli.add_command(training)
cli.add_command(pipeline)
cli.add_command(margin)
cli.add_command(backfill)
cli.add_command(statement)
cli.add_command(estimate)
cli.add_command(check)
cli.add_command(coverage)
cli.add_command(inventory)
cli.add_command(telemetry)
cli.add_command(idle)
cli.add_command(retag)
cli.add_command(rerate)
cli.add_command(record)
cli.add_command(replay)
cli.add_command(budget)
cli.add_command(prices)
cli.add_command(spend)
cli.add_command(ledger)
cli.add_command(config)


def main(arguments: list[str], program: str = "aicost") -> int:
    """Run one command; gives the exit code."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr] # a terminal that cannot show a dash
    try:
        return int(cli.main(arguments, prog_name=program, standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.UsageError as error:
        return _usage(error)
    except (click.ClickException, InvalidRequest) as error:
        return _fail(str(error), USAGE)
    except AicostError as error:
        return _fail(str(error), FAILURE)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED


def _usage(error: click.UsageError) -> int:
    """What is wrong with the command line, and where help is."""
    help_of = error.ctx.command_path if error.ctx else "aicost"
    return _fail(f"{error.format_message()} Try '{help_of} --help'.", USAGE)


def _fail(message: str, code: int) -> int:
    label = detect(sys.stderr, dict(os.environ)).paint("error:", Style.WARN)
    click.echo(f"{label} {' '.join(message.split())}", err=True, color=True)
    return code
