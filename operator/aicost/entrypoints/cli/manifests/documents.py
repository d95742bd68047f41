"""Kubernetes objects in files, folders and standard input, each with the lines that it stands on."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aicost.ports.errors import InvalidRequest

STDIN = "-"
_STDIN_NAME = "<stdin>"
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})
_LARGEST = 64 * 2**20
_DEEPEST = 200
_TEMPLATE_OF_HELM = "# Source: "
_TIMESTAMP = "tag:yaml.org,2002:timestamp"
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc] # the C loader has the same methods
    """Reads as the API server does: a date is a text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 -- as the base class declares it
        first: [pair for pair in pairs if pair[0] != _TIMESTAMP]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


@dataclass(frozen=True, slots=True)
class Document:
    """One object.

    Attributes:
        source: file that it stands in, or `<stdin>`.
        origin: template that Helm says it comes from, empty where nothing says it.
        body: the object.
        node: where its parts stand.
    """

    source: str
    origin: str
    body: Mapping[str, Any]
    node: yaml.Node

    @property
    def kind(self) -> str:
        """Its kind, empty where it names none."""
        return str(self.body.get("kind") or "")

    @property
    def line(self) -> int:
        """The line that it begins on, counted from 1."""
        return int(self.node.start_mark.line) + 1


def read_documents(places: Sequence[str]) -> tuple[Document, ...]:
    """All objects of files, of folders with all that is in them, and of standard input (`-`). Lists are taken apart.

    What names no kind is no object and is left out: values of a chart, settings of other tools.

    Raises:
        InvalidRequest: a file cannot be read, or is no YAML; the message names it, and the line.
    """
    texts = [text for place in places for text in _texts(place)]
    return tuple(document for source, text in texts for document in parse_documents(source, text))


def parse_documents(source: str, text: str) -> Iterator[Document]:
    """The objects of a text with several YAML documents, or of JSON."""
    lines = text.splitlines()
    loader = _Loader(text)
    try:
        _refuse_depth(source, text)
        while loader.check_node():
            node = loader.get_node()
            yield from _objects(source, _origin(lines, node), node, loader.construct_document(node))
    except yaml.YAMLError as problem:
        raise InvalidRequest(_no_yaml(source, text, problem)) from problem
    except (RecursionError, ValueError, TypeError) as problem:
        raise InvalidRequest(f"{source}: cannot be read as YAML: {problem}") from problem
    finally:
        loader.dispose()


def _refuse_depth(source: str, text: str) -> None:
    """Look at the nesting before anything is built: building goes as deep as the text, and the stack does not."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise InvalidRequest(f"{source} line {line}: is nested more than {_DEEPEST} deep")


def _texts(place: str) -> Iterator[tuple[str, str]]:
    if place == STDIN:
        yield _STDIN_NAME, sys.stdin.read()
        return
    path = Path(place)
    if not path.is_dir():
        yield place, _read(path)
        return
    files = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    if not files:
        raise InvalidRequest(f"{place}: no .yaml, .yml or .json file is in it: name a folder with manifests")
    yield from ((str(file), _read(file)) for file in files)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise InvalidRequest(f"{path}: is larger than {_LARGEST >> 20} MiB: name the files that are manifests")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidRequest(f"{path}: cannot be read: {problem}") from problem


def _objects(source: str, origin: str, node: yaml.Node, body: Any) -> Iterator[Document]:
    if not isinstance(body, dict) or not isinstance(body.get("kind"), str):
        return
    items = child(node, "items")
    if body["kind"].endswith("List") and isinstance(items, yaml.SequenceNode):
        for inner, value in zip(items.value, body["items"], strict=True):
            yield from _objects(source, origin, inner, value)
        return
    yield Document(source, origin, body, node)


def entry(node: yaml.Node | None, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    """A key of a mapping with its value."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next(((name, value) for name, value in pairs if name.value == key), None)


def child(node: yaml.Node | None, step: str) -> yaml.Node | None:
    """The value of a key, or the item at a place."""
    if isinstance(node, yaml.SequenceNode):
        inside = step.isdecimal() and int(step) < len(node.value)
        return node.value[int(step)] if inside else None
    found = entry(node, step)
    return found[1] if found else None


def _origin(lines: Sequence[str], node: yaml.Node) -> str:
    """What the comment says that Helm writes above each document."""
    for line in reversed(lines[: node.start_mark.line]):
        if line.startswith(_TEMPLATE_OF_HELM):
            return line.removeprefix(_TEMPLATE_OF_HELM).strip()
        if not line.startswith("#"):
            break
    return ""


def _no_yaml(source: str, text: str, problem: yaml.YAMLError) -> str:
    mark = getattr(problem, "problem_mark", None)
    line = f" line {mark.line + 1}" if mark else ""
    what = getattr(problem, "problem", None) or str(problem)
    hint = ". It looks like a template: render it first (helm template . | aicost ... -f -)" if "{{" in text else ""
    return f"{source}{line}: is no YAML: {what}{hint}"
