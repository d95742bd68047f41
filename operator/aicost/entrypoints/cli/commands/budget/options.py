"""What the commands over budgets share: their options, the cluster that they speak with, and where they print."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aicost.domain.budgets.plans import BudgetRef
from aicost.entrypoints.cli.options import CONTEXT, KUBECONFIG
from aicost.entrypoints.cli.terminal import Terminal, detect, progress
from aicost.ports.errors import InvalidRequest

if TYPE_CHECKING:  # aiohttp and pydantic take long to import
    from aicost.adapters.kube.config import ClusterConfig

_Command = Callable[..., None]


def place_options(command: _Command) -> _Command:
    """Which cluster and which namespace; they come as one argument, `where`."""

    @wraps(command)
    def with_where(
        *,
        namespace: str | None,
        kubeconfig: Path | None,
        context: str | None,
        all_namespaces: bool = False,
        **more: Any,
    ) -> None:
        command(where=Where(namespace, kubeconfig, context, everywhere=all_namespaces), **more)

    options = (
        click.option("--namespace", "-n", metavar="NAME", help="Namespace. Default: the kubeconfig's."),
        KUBECONFIG,
        CONTEXT,
    )
    return _wrapped(with_where, options)


def everywhere_options(command: _Command) -> _Command:
    """The same, and all namespaces."""
    everywhere = click.option("--all-namespaces", "-A", is_flag=True, help="All namespaces.")
    return _wrapped(place_options(command), (everywhere,))


def budget_options(command: _Command) -> _Command:
    """One budget, and where it is."""
    options = (
        click.argument("budget", metavar="BUDGET"),
        click.option("--cluster", is_flag=True, help="BUDGET is a ClusterBudget."),
    )
    return _wrapped(place_options(command), options)


def _wrapped(command: _Command, options: tuple[Callable[[_Command], _Command], ...]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look.

    Attributes:
        namespace: the namespace that was named, else the kubeconfig's.
        everywhere: whether all namespaces were asked for.
        program: how this program was called, for commands to copy.
    """

    config: "ClusterConfig"
    namespace: str
    everywhere: bool
    program: str

    def ref(self, budget: str, *, cluster: bool) -> BudgetRef:
        """The budget of a name."""
        return BudgetRef(budget) if cluster else BudgetRef(budget, self.namespace)


@dataclass(frozen=True, slots=True)
class Where:
    """What was said of the cluster and the namespace."""

    namespace: str | None
    kubeconfig: Path | None
    context: str | None
    everywhere: bool

    def __post_init__(self) -> None:
        if self.namespace and self.everywhere:
            raise InvalidRequest(f"--namespace {self.namespace} and --all-namespaces contradict: leave one out")

    def find(self) -> Place:
        """The cluster.

        Raises:
            InvalidRequest: there is none to speak with.
        """
        from aicost.entrypoints.cli.sources.cluster import find_cluster  # noqa: PLC0415 -- aiohttp is slow to import

        config = find_cluster(self.kubeconfig, self.context, instead="budgets are read from a cluster")
        program = click.get_current_context().find_root().command_path
        return Place(config, self.namespace or config.namespace, self.everywhere, program)


@contextmanager
def asking(place: Place) -> Iterator[None]:
    """A sign of life while the API server is asked."""
    with progress(f"asking {place.config.server}", sys.stderr, detect(sys.stderr, dict(os.environ))):
        yield


def stdout() -> Terminal:
    """What is printed to."""
    return detect(sys.stdout, dict(os.environ))


def show(screen: str) -> None:
    """Print a screen."""
    click.echo(screen, color=True)


def remark(gaps: Iterable[str]) -> None:
    """Say on standard error what could not be read."""
    for gap in gaps:
        click.echo(f"note: {gap}", err=True)
