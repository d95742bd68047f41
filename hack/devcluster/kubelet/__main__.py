"""Run the local kubelet as a program of its own: ``python -m devcluster.kubelet --state DIR --server URL``."""

import argparse
import asyncio
import contextlib
import logging
import shlex
import signal
from pathlib import Path

from devcluster.kubelet.agent import Kubelet
from devcluster.kubelet.client import KubeletClient
from devcluster.kubelet.config import KubeletConfig, default_images
from devcluster.pki import Pki


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="state directory of the cluster")
    parser.add_argument("--server", required=True, help="address of the API server")
    parser.add_argument("--image", action="append", default=[], metavar="NAME=COMMAND", help="run an image locally")
    return parser.parse_args()


def _images(pairs: list[str]) -> dict[str, tuple[str, ...]]:
    extra = (pair.partition("=") for pair in pairs)
    return {**default_images(), **{name: tuple(shlex.split(command)) for name, _, command in extra}}


async def _run(config: KubeletConfig) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    async with KubeletClient(config) as client:
        with contextlib.suppress(asyncio.CancelledError):
            await Kubelet(config, client).run()


def main() -> None:
    """Start, and stop on SIGTERM or SIGINT."""
    arguments = _parse()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    pki = Pki(arguments.state / "pki")
    config = KubeletConfig(
        server=arguments.server,
        authority=pki.cluster.certificate,
        identity=pki.kubelet,
        state=arguments.state,
        images=_images(arguments.image),
    )
    asyncio.run(_run(config))


if __name__ == "__main__":
    main()
