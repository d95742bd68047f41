"""How our servers are started: their options, settings and logs, and what is said where they cannot be."""

import asyncio
import errno
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import click

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.config import ClusterConfig, load
from aicost.ports.errors import AicostError
from aicost.settings import Settings, load_settings
from aicost.telemetry.logs import configure_logs

_CANNOT_LISTEN = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES})
Run = Callable[[Settings, ClusterConfig], Coroutine[Any, Any, None]]


def server(name: str, about: str, run: Run) -> Callable[[list[str]], int]:
    """The entry of `aicost NAME`: takes the arguments after the name, gives the exit code.

    Args:
        name: how it is called.
        about: its help.
        run: serves until it is told to end.
    """

    @click.command(name, help=about)
    @click.option(
        "--config", type=click.Path(path_type=Path), help="Settings file. Without one everything is as documented."
    )
    @click.option(
        "--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig. Without one: the pod's own account."
    )
    def command(config: Path | None, kubeconfig: Path | None) -> None:
        try:
            settings = load_settings(config)
            configure_logs(settings.log_level, settings.log_format)
            asyncio.run(run(settings, load(dict(os.environ), now_ms, kubeconfig=kubeconfig)))
        except AicostError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if error.errno not in _CANNOT_LISTEN:
                raise
            raise click.ClickException(f"cannot listen: {error.strerror or error}") from error

    return lambda arguments: _exit_code(command, arguments, f"aicost {name}")


def told_to_end() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set, in the running loop."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


def _exit_code(command: click.Command, arguments: list[str], program: str) -> int:
    try:
        command.main(arguments, prog_name=program, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as end:
        return end.exit_code
    return 0
