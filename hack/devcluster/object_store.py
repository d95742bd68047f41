"""A server of our own that speaks S3, on a free loopback port, with its objects in a folder."""

import os
import secrets
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from devcluster.controlplane import free_ports
from devcluster.host import processes
from devcluster.host.processes import Child
from devcluster.host.progress import step

__all__ = ["ObjectStore"]


class ObjectStore:
    """One server with one bucket. A context manager; ``url`` is its address, ``bucket`` the bucket's name.

    ``environment`` holds what a client needs to be let in, in the names that AWS's own clients read.
    """

    def __init__(self, program: Path, folder: Path, bucket: str = "ledger") -> None:
        self._program, self._folder, self.bucket = program, folder.resolve(), bucket
        self._child: Child | None = None
        (port,) = free_ports(1)
        self._port = port
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            "AWS_ACCESS_KEY_ID": "aicost",
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16),
            "AWS_REGION": "us-east-1",
        }

    def start(self) -> None:
        """Start it and wait until it answers; what was there before is there again.

        Raises:
            Failure: it did not start; the text shows the end of its log.
        """
        (self._folder / "objects" / self.bucket).mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "ROOT_ACCESS_KEY": self.environment["AWS_ACCESS_KEY_ID"],
            "ROOT_SECRET_KEY": self.environment["AWS_SECRET_ACCESS_KEY"],
        }
        command = [str(self._program), "--port", f"127.0.0.1:{self._port}", "--quiet"]
        command += ["posix", str(self._folder / "objects")]
        self._child = processes.start("object-store", command, self._folder, environment)
        try:
            with step("starting the object store"):
                message, log = "the object store did not become ready", self._child.log
                processes.wait_until(self._answers, message, log, self._child)
        except BaseException:
            self.stop()
            raise

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        """Stop it; its objects stay."""
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
