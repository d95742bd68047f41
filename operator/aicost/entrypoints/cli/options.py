"""Options that several commands have: one definition of each."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

KUBECONFIG = click.option("--kubeconfig", type=click.Path(path_type=Path), metavar="FILE", help="Kubeconfig to use.")
CONTEXT = click.option("--context", metavar="NAME", help="Context of the kubeconfig to use.")
OBJECTS = click.option(
    "--objects", multiple=True, metavar="FILE", help="AIWorkloads beside --prometheus, `-` for stdin."
)
POST = click.option("--post", is_flag=True, help="Post the differences. Without it nothing is written.")


def of_a_cluster(command: Command) -> Command:
    """Which cluster: `kubeconfig` and `context`."""
    return KUBECONFIG(CONTEXT(command))


def beside_counters(command: Command) -> Command:
    """What AIWorkloads say beside a Prometheus: `objects`, or the cluster of `kubeconfig` and `context`."""
    return OBJECTS(of_a_cluster(command))


def in_form(forms: Iterable[str], about: str, default: str | None = None) -> Callable[[Command], Command]:
    """How the answer is written: `form`.

    Args:
        forms: what it may be.
        about: what those that need words are.
        default: the usual one, shown; None where the command finds out by itself.
    """
    return click.option(
        "--output",
        "-o",
        "form",
        default=default,
        show_default=default is not None,
        type=click.Choice([str(one) for one in forms]),
        help=about,
    )
