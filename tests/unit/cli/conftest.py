"""One ledger for all tests of the command line, and a way to run it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aicost.__main__ import main
from support.http_server import Request, serving
from support.ledger_folder import fill


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledger")
    fill(folder, hours=3)
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.delenv("COLUMNS", raising=False)

    def call(*arguments: str) -> Result:
        code = main(list(arguments))
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return call


@pytest.fixture
def on_a_server(run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a command against an API server that gives one answer; the result and what the server was asked."""
    monkeypatch.delenv("KUBECONFIG", raising=False)

    def call(body: str, status: int, command: str, *arguments: str) -> tuple[Result, list[Request]]:
        with serving(lambda request: request.answer(body, status)) as served:
            config = tmp_path / "kubeconfig"
            config.write_text(
                f"current-context: c\nclusters: [{{name: k, cluster: {{server: '{served.url}'}}}}]\n"
                "users: [{name: u, user: {token: secret}}]\n"
                "contexts: [{name: c, context: {cluster: k, user: u, namespace: mine}}]\n"
            )
            return run(command, "--kubeconfig", str(config), *arguments), served.requests

    return call


@pytest.fixture
def report(run: Callable[..., Result], ledger: Path) -> Callable[..., Result]:
    """`aicost report` on the ledger, over the three hours and the open one."""

    def call(*arguments: str) -> Result:
        return run("report", "--ledger", str(ledger), "--window", "2026-03-02/2026-03-02T04:00:00Z", *arguments)

    return call
