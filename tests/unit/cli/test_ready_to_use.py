"""What people copy works: the hooks for pre-commit, the pipelines, and the outputs that the guide shows."""

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from aicost.entrypoints.cli.main import cli
from support.documents import ROOT

GUIDE = ROOT / "docs/guide/estimate-and-check.md"
PIPELINES = sorted((ROOT / "examples/ci").glob("*.yaml"))


def understood(line):
    """Parse a command of ours as the command line would, without running it."""
    _, name, *arguments = shlex.split(re.split(r" [|>] | \|\| ", line)[0])
    command = cli.commands[name]
    return command.make_context(name, arguments, resilient_parsing=False)


def commands(path):
    lines = (line.strip().removeprefix("- ").removeprefix("run: ") for line in path.read_text().splitlines())
    return [re.sub(r"^COLUMNS=\d+ ", "", line) for line in lines if re.match(r"(COLUMNS=\d+ )?aicost ", line)]


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)
def test_pipelines_are_yaml_and_their_commands_are_understood(path):
    assert yaml.safe_load(path.read_text())
    found = [understood(line).info_name for line in commands(path)]
    assert {"estimate", "check"} <= set(found)


def test_hooks_name_commands_that_take_files():
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()):
        context = understood(f"{hook['entry']} one.yaml two.yaml")
        assert context.params["files"] == ("one.yaml", "two.yaml")
        assert hook["require_serial"] is True


def test_hooks_that_the_guide_names_are_there():
    block = re.search(r"^repos:.*?(?=```)", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    (repo,) = yaml.safe_load(block[0])["repos"]
    offered = {hook["id"]: hook["entry"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    for hook in repo["hooks"]:
        assert isinstance(understood(f"{offered[hook['id']]} {' '.join(hook['args'])} x.yaml"), click.Context)


SHOWN = re.findall(r"^\$ aicost ([^\n]*)\n(.*?)(?=^```)", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("arguments", "output"), SHOWN, ids=[shlex.split(line)[0] for line, _ in SHOWN])
def test_the_guide_shows_what_the_commands_print(run, monkeypatch, arguments, output):
    monkeypatch.chdir(ROOT)
    result = run(*shlex.split(arguments))
    assert (result.err + result.out).split() == output.split()


def test_the_guide_shows_both_commands():
    assert [line.split()[0] for line, _ in SHOWN] == ["estimate", "check"]
    assert all(Path(ROOT / shlex.split(line)[2]).is_file() for line, _ in SHOWN)
