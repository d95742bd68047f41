"""What the product has stands in its reference, and what the documents name is there.

Each test asks the product itself, not the generator: a generator that forgets something is found out too.
"""

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from pydantic import BaseModel

from aicost.crd.reasons import CONDITIONS
from aicost.entrypoints.agent.main import agent
from aicost.entrypoints.cli.main import cli
from aicost.settings import Settings
from aicost.telemetry.agent import AGENT_METRICS
from aicost.telemetry.metrics import METRICS, Kind, Metrics
from support.documents import REFERENCE, ROOT, anchors, code_blocks, documents, links, row_names, section

DOCUMENTS = documents()
CRDS = sorted((ROOT / "crds").glob("*.yaml"))


def _reference(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def _settings(model: type[BaseModel], prefix: str = "") -> list[str]:
    found: list[str] = []
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        inner = field.annotation
        nested = isinstance(inner, type) and issubclass(inner, BaseModel)
        found += _settings(inner, f"{path}.") if nested else [path]
    return found


def _leaves(document: Any, prefix: str = "") -> list[str]:
    if not isinstance(document, dict) or not document:
        return [prefix.removesuffix(".")]
    return [leaf for key, value in document.items() for leaf in _leaves(value, f"{prefix}{key}.")]


def _schema_paths(schema: dict[str, Any], path: str) -> list[str]:
    inner, prefix = (schema["items"], f"{path}[]") if "items" in schema else (schema, path)
    below = inner.get("properties", {}).items()
    return [path, *(one for name, field in below for one in _schema_paths(field, f"{prefix}.{name}"))]


def test_each_setting_stands_in_the_reference_and_nothing_else_does() -> None:
    assert sorted(row_names(_reference("settings.md"))) == sorted(_settings(Settings))


def test_each_metric_stands_in_the_reference_and_nothing_else_does() -> None:
    assert row_names(_reference("metrics.md")) == [spec.name for spec in METRICS]


def test_each_metric_of_the_node_agent_stands_in_its_reference_and_nothing_else_does() -> None:
    assert row_names(_reference("agent-metrics.md")) == [metric.name for metric in AGENT_METRICS]


def test_the_names_in_the_reference_are_the_names_on_the_page() -> None:
    metrics = Metrics()
    takes = {Kind.COUNTER: metrics.count, Kind.GAUGE: metrics.show, Kind.HISTOGRAM: metrics.observe}
    for spec in METRICS:
        takes[spec.kind](spec.name, 1, **dict.fromkeys(spec.labels, "x"))
    text = metrics.exposition().decode()
    shown = set(re.findall(r"^(\w+?)(?:_bucket|_sum|_count)?(?:\{.*\})? ", text, re.MULTILINE))
    assert shown == set(row_names(_reference("metrics.md")))


def test_each_chart_value_stands_in_the_reference() -> None:
    values = yaml.safe_load((ROOT / "charts/aicost/values.yaml").read_text(encoding="utf-8"))
    told = set(row_names(_reference("chart.md")))
    untold = [leaf for leaf in _leaves(values) if not any(leaf == one or leaf.startswith(f"{one}.") for one in told)]
    assert untold == []
    assert [one for one in told if not any(f"{leaf}.".startswith(f"{one}.") for leaf in _leaves(values))] == []


@pytest.mark.parametrize("path", CRDS, ids=lambda path: path.stem)
def test_each_field_of_a_resource_stands_in_the_reference(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    text = section(_reference("crds.md"), f"## {document['spec']['names']['kind']}")
    schema = document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    paths = [one for part in ("spec", "status") for one in _schema_paths(schema[part], part)]
    fields = {one for one in paths if ".conditions" not in one}
    assert len(fields) > 5
    assert fields - set(row_names(text)) == set()


@pytest.mark.parametrize("kind", CONDITIONS)
def test_each_reason_of_a_condition_stands_in_the_reference(kind: str) -> None:
    text = section(section(_reference("crds.md"), f"## {kind}"), "### Conditions")
    told = set(re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \| \S", text, re.MULTILINE))
    stated = {
        (str(condition), str(cause.status), str(cause.reason))
        for condition, causes in CONDITIONS[kind].items()
        for cause in causes
    }
    assert told == stated


def _commands(command: click.Command, words: tuple[str, ...]) -> list[tuple[str, click.Command]]:
    inner = command.commands.items() if isinstance(command, click.Group) else ()
    below = [one for name, each in inner if not each.hidden for one in _commands(each, (*words, name))]
    return [(" ".join(words), command), *below]


def test_each_verb_and_option_of_the_command_line_stands_in_the_reference() -> None:
    text = _reference("cli.md")
    for words, command in [*_commands(cli, ("aicost",)), ("aicost agent", agent)]:
        assert f"`{words}`" in text or f" {words}\n" in text, f"{words} is not in docs/reference/cli.md"
        for option in (name for parameter in command.params for name in parameter.opts if name.startswith("--")):
            assert option in text, f"{words} {option} is not in docs/reference/cli.md"


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_links_lead_somewhere(path: Path) -> None:
    for link in links((ROOT / path).read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (ROOT / path).parent / target if target else ROOT / path
        assert file.exists(), f"{path}: {link} leads nowhere"
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), f"{path}: {link}: no such heading"


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_make_targets_that_a_document_names_are_there(path: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = (ROOT / path).read_text(encoding="utf-8")
    inline = re.findall(r"`make ([a-z0-9-]+)", text)
    named = {*inline, *re.findall(r"^\s*(?:\$ )?make ([a-z0-9-]+)", code_blocks(text), re.MULTILINE)}
    assert named <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_files_that_a_document_names_are_there(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    named = re.findall(r"(?<![\w/.-])((?:charts|hack|docs|examples|crds|operator|tests)/[\w./-]*\w)", text)
    gone = {name for name in named if not (ROOT / name).exists() and not (ROOT / path).parent.joinpath(name).exists()}
    assert gone == set()


def _command_lines(path: Path) -> list[str]:
    """Commands in blocks of code, continued lines joined, prompts and remarks cut off."""
    text = code_blocks((ROOT / path).read_text(encoding="utf-8")).replace("\\\n", " ")
    return [re.sub(r"^\s*\$ ", "", line).partition(" #")[0].strip() for line in text.splitlines()]


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_chart_values_that_a_document_sets_are_there(path: Path) -> None:
    known = set(_leaves(yaml.safe_load((ROOT / "charts/aicost/values.yaml").read_text(encoding="utf-8"))))
    for line in _command_lines(path):
        if "charts/aicost" in line:
            for name in re.findall(r"--set(?:-string)?[ =]'?([\w.-]+)[={\[]", line):
                assert any(name == one or name.startswith(f"{one}.") for one in known), f"{path}: {line}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_commands_of_ours_that_a_document_gives_are_understood(path: Path) -> None:
    servers = {"admission", "controller", "query"}
    for line in _command_lines(path):
        words = re.sub(r"^(?:\S*/)?(kubectl aicost|kubectl-aicost|aicost)(?= |$)", "aicost", line).split()
        if path.name == "cli.md" or words[:1] != ["aicost"] or servers & set(words[1:2]):
            continue
        command: click.Command = agent if words[1:2] == ["agent"] else cli
        for word in words[1:]:
            if not isinstance(command, click.Group) or word.startswith("-"):
                break
            assert word in command.commands, f"{path}: {line}: there is no {word}"
            command = command.commands[word]
        options = {name for parameter in command.params for name in parameter.opts} | {"--help", "-h"}
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert given <= options, f"{path}: {line}"


def test_metrics_that_a_document_names_are_there() -> None:
    known = {spec.name for spec in (*METRICS, *AGENT_METRICS)}
    for path in DOCUMENTS:
        named = set(re.findall(r"`(aicost_[a-z_]+)(?:\{[^`]*)?`", (ROOT / path).read_text(encoding="utf-8")))
        assert named <= known, path
