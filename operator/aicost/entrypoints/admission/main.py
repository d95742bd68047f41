"""`aicost admission`: the webhook that judges cost labels, as a process."""

import asyncio
import os
import signal
from pathlib import Path

import click

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.config import ClusterConfig, load
from aicost.entrypoints.admission.server import Webhook
from aicost.ports.errors import AicostError
from aicost.settings import Settings, load_settings
from aicost.telemetry.logs import configure_logs


async def run(settings: Settings, config: ClusterConfig) -> None:
    """Judge until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with KubeClient(config) as client:
        await Webhook(settings, client).run(stop)


@click.command("admission")
@click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file. Without one everything is as documented."
)
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig. Without one: the pod's own account.")
def command(config: Path | None, kubeconfig: Path | None) -> None:
    """Judge cost labels when the API server asks: the webhook behind CostLabelPolicies."""
    try:
        settings = load_settings(config)
        configure_logs(settings.log_level, settings.log_format)
        asyncio.run(run(settings, load(dict(os.environ), now_ms, kubeconfig=kubeconfig)))
    except AicostError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"cannot listen: {error.strerror or error}") from error


def main(arguments: list[str]) -> int:
    """Entry of `aicost admission`; gives the exit code."""
    try:
        command.main(arguments, prog_name="aicost admission", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as end:
        return end.exit_code
    return 0
