"""A Prometheus of our own on a free loopback port, for tests and the demo."""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import urllib3

from devcluster.controlplane import free_ports
from devcluster.host import processes
from devcluster.host.processes import Child
from devcluster.host.progress import step

__all__ = ["Prometheus"]


class Prometheus:
    """One Prometheus with its data in a folder. A context manager; ``url`` is its address.

    ``configuration`` is the content of ``prometheus.yml`` as a value. Static and file targets only: the program is
    built without service discovery.
    """

    def __init__(self, program: Path, folder: Path, configuration: dict[str, Any], *flags: str) -> None:
        self._program, self._folder, self._flags = program, folder.resolve(), flags
        self._configuration = configuration
        self._child: Child | None = None
        self.url = ""

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            Failure: it did not start; the text shows the end of its log.
        """
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "prometheus.yml"
        config.write_text(json.dumps(self._configuration))
        arguments = [
            f"--config.file={config}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            *self._flags,
        ]
        self._child = processes.start("prometheus", [str(self._program), *arguments], self._folder)
        try:
            with step("starting Prometheus"):
                message, log = "Prometheus did not become ready", self._child.log
                processes.wait_until(self._is_ready, message, log, self._child)
        except BaseException:
            self.stop()
            raise

    def _is_ready(self) -> bool:
        try:
            return urllib3.request("GET", f"{self.url}/-/ready", retries=False, timeout=2).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def stop(self) -> None:
        """Stop it; its data stay."""
        if self._child:
            processes.stop(self._child)
            self._child = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
