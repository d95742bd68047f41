"""One ledger for all tests of the command line, and a way to run it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from aicost.__main__ import main
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
def report(run: Callable[..., Result], ledger: Path) -> Callable[..., Result]:
    """`aicost report` on the ledger, over the three hours and the open one."""

    def call(*arguments: str) -> Result:
        return run("report", "--ledger", str(ledger), "--window", "2026-03-02/2026-03-02T04:00:00Z", *arguments)

    return call
