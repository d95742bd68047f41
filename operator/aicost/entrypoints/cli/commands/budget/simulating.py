"""`aicost budget simulate`: what a budget would have done to the past."""

import os
import shlex
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from aicost.domain.budgets.gates import GATES, Gate, Mode
from aicost.domain.reporting.spans import FORMS
from aicost.entrypoints.cli.commands.budget.options import show, stdout
from aicost.entrypoints.cli.options import CONTEXT, KUBECONFIG, in_form
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest


class Form(StrEnum):
    """What a simulation is printed as."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be simulated, as it was said on the command line.

    Attributes:
        budget: name of a budget; empty where the file holds one alone.
        filename: a manifest; empty where the budget is in the cluster.
        limit: another limit, in the budget's currency; empty for its own.
        max_gate, mode: others than its own; None for those. A mode that does not act leaves everybody running.
        assume_labelled: whether label coverage is taken as good enough.
        ledger: directory or URL of a ledger to read; None asks the query API.
        ledger_cluster: which cluster of that ledger.
        namespace: the one that was named; None for none.
    """

    budget: str
    cluster: bool
    filename: str
    window: str
    time_zone: str
    limit: str = ""
    max_gate: Gate | None = None
    mode: Mode | None = None
    assume_labelled: bool = False
    ledger: str | None = None
    ledger_cluster: str | None = None
    namespace: str | None = None
    kubeconfig: Path | None = None
    context: str | None = None

    def __post_init__(self) -> None:
        if not (self.budget or self.filename):
            raise InvalidRequest("no budget: name one that is in the cluster, or a manifest by -f")
        if self.filename and self.ledger and (self.kubeconfig or self.context):
            raise InvalidRequest("-f and --ledger take no cluster: leave --kubeconfig and --context out")
        if self.ledger_cluster and not self.ledger:
            raise InvalidRequest(f"--ledger-cluster {self.ledger_cluster} needs a ledger to read: name it by --ledger")
        if self.filename and self.cluster:
            raise InvalidRequest("--cluster: the manifest says what kind of budget it is: leave it out")

    @property
    def again(self) -> tuple[str, ...]:
        """The words that ask for the same, but for what is tried on the gates."""
        valued = {
            "-f": self.filename,
            "-n": self.namespace,
            "--window": self.window,
            "--limit": self.limit,
            "--ledger": self.ledger,
            "--ledger-cluster": self.ledger_cluster,
            "--context": self.context,
        }
        flags = {"--cluster": self.cluster, "--assume-labelled": self.assume_labelled}
        words = [word for name, value in valued.items() if value for word in (name, shlex.quote(value))]
        return (*filter(None, [self.budget]), *words, *(name for name, given in flags.items() if given))


_EPILOG = f"""\b
WINDOWS
  {FORMS}
  Days, weeks and months begin at midnight in the budget's time zone.

\b
EXAMPLES
  aicost budget simulate month -n research                              last month, as the budget is now
  aicost budget simulate -f budget.yaml --window 2026-10                one that is not applied yet
  aicost budget simulate month -n research --limit 800 --max-gate Suspend
  aicost budget simulate company --cluster --mode Observe               the gates alone, nobody is stopped
  aicost budget simulate -f budget.yaml --ledger ./ledger -o json       a ledger, without a cluster
"""
_Command = Callable[..., None]


def _options(command: _Command) -> _Command:
    """The options; they come as one argument, `trial`."""

    def with_trial(*, form: str, max_gate: str | None, mode: str | None, budget: str | None, **more: Any) -> None:
        gate, acting = Gate(max_gate) if max_gate else None, Mode(mode) if mode else None
        command(Form(form), Trial(budget=budget or "", max_gate=gate, mode=acting, **more))

    with_trial.__doc__ = command.__doc__
    for option in reversed(_ALL):
        with_trial = option(with_trial)
    return with_trial


_ALL = (
    click.argument("budget", required=False, metavar="[BUDGET]"),
    click.option("--cluster", is_flag=True, help="BUDGET is a ClusterBudget."),
    click.option(
        "--filename", "-f", default="", metavar="FILE|-", help="A manifest; BUDGET chooses among several in it."
    ),
    click.option("--window", "-w", default="last-month", show_default=True, metavar="WINDOW", help="The time; below."),
    click.option("--limit", default="", metavar="AMOUNT", help="Try another limit, in the budget's currency."),
    click.option("--max-gate", type=click.Choice([gate.value for gate in GATES]), help="Try another hardest gate."),
    click.option(
        "--mode",
        type=click.Choice([mode.value for mode in Mode]),
        help="Try another mode; Observe and Advise stop nobody. Default: as Enforce would act, whatever it says.",
    ),
    click.option("--assume-labelled", is_flag=True, help="Take it that enough of the cost has its labels."),
    click.option(
        "--time-zone", default="UTC", show_default=True, metavar="ZONE", help="Zone of a budget that names none."
    ),
    in_form(Form, "json: everything, integers beside texts.", Form.TABLE.value),
    click.option("--namespace", "-n", metavar="NAME", help="Namespace. Default: the manifest's, or the kubeconfig's."),
    click.option("--ledger", metavar="DIR|URL", help="Read this ledger; with -f no cluster is asked."),
    click.option("--ledger-cluster", metavar="ID", help="Which cluster, where that ledger holds several."),
    KUBECONFIG,
    CONTEXT,
)


@click.command("simulate", epilog=_EPILOG, short_help="What a budget would have done to the past, and saved.")
@_options
def simulate(form: Form, trial: Trial) -> None:
    """Run a budget against what was spent: when each gate would have opened, on whom, and what that saves.

    The budget need not be applied. Every moment is decided by the function that the controller decides by. Whom it
    would have stopped follows from stage and recorded cost alone; what cannot be known of the past is said below.
    """
    from aicost.entrypoints.cli.commands.budget.work.simulating import run  # noqa: PLC0415 -- numpy, pydantic, aiohttp
    from aicost.entrypoints.cli.output.budget.simulation import document, screen  # noqa: PLC0415 -- as above

    done = run(trial, _waiting)
    if form is Form.JSON:
        click.echo(document.as_json(done))
    else:
        program = click.get_current_context().find_root().command_path
        show(screen.simulation_screen(done, program, stdout()))


def _waiting(doing: str) -> AbstractContextManager[None]:
    """A sign of life while something is read."""
    return progress(doing, sys.stderr, detect(sys.stderr, dict(os.environ)))
