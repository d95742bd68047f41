"""The telemetry of nodes as it stands on the screen, drawn from its document."""

from collections.abc import Iterator, Mapping
from typing import Any

from aicost.entrypoints.cli.output.facts import Fact, fact_lines
from aicost.entrypoints.cli.output.table import Column, Line, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

Document = Mapping[str, Any]
_ABSENT = "-"
_NODES = (
    Column("NODE", shrinks=True),
    Column("TRUSTED"),
    Column("REASON"),
    Column("GPUS", right=True, drop=2),
    Column("SINCE", drop=1),
    Column("NEWEST SAMPLE", drop=3),
    Column("WHAT WAS SEEN", shrinks=True),
)
_EPISODES = (
    Column("NODE", shrinks=True),
    Column("REASON"),
    Column("FROM"),
    Column("TO", drop=1),
    Column("WHAT WAS SEEN", shrinks=True),
)
_BREAKS = "breaks"


def telemetry_screen(document: Document, terminal: Terminal) -> str:
    """Nodes in a table, what was wrong before, and what to do about each reason once."""
    lines = [terminal.paint("Telemetry of GPU nodes", Style.HEAD), terminal.paint(document["generated_at"], Style.DIM)]
    nodes = document["nodes"]
    if nodes:
        lines += ["", *draw(_NODES, [[_node(one) for one in nodes]], terminal).lines]
    over = [one for one in document["episodes"] if not _stands(one, document)]
    if over:
        table = draw(_EPISODES, [[Line(_episode(one)) for one in over]], terminal).lines
        lines += ["", terminal.paint("Before", Style.HEAD), *table]
    for facts in _blocks(document):
        lines += ["", *fact_lines(facts, terminal)]
    return "\n".join(lines)


def _node(one: Document) -> Line:
    cells = (
        one["node"], one["trusted"], one["reason"], one["gpus"], one["since"], one["newest_sample"] or _ABSENT,
        one["message"],
    )  # fmt: skip
    return Line(cells, Style.WARN if one["trusted"] == "False" else Style.PLAIN)


def _episode(one: Document) -> tuple[str, ...]:
    return one["node"], one["reason"], one["from"], one["to"], one["message"]


def _stands(episode: Document, document: Document) -> bool:
    """Whether the reason of an episode stands still, and so is told of the node."""
    standing = {(node["node"], reason["reason"]) for node in document["nodes"] for reason in node["reasons"]}
    return (episode["node"], episode["reason"]) in standing


def _blocks(document: Document) -> Iterator[list[Fact]]:
    """How many can be trusted; then each reason once, with what it does and what to do."""
    nodes = document["nodes"]
    count = sum(node["trusted"] == "True" for node in nodes)
    yield [("Trusted", f"{count} of {len(nodes)} nodes", Style.PLAIN if count == len(nodes) else Style.WARN)]
    told = {reason["reason"]: reason for node in nodes for reason in node["reasons"]}
    for reason in told.values():
        yield [
            ("Reason", reason["reason"], Style.WARN if reason["weight"] == _BREAKS else Style.HEAD),
            ("Means", reason["means"], Style.PLAIN),
            ("What to do", reason["fix"], Style.PLAIN),
            ("Read on", reason["runbook"], Style.DIM),
        ]
    if document["not_assessed"]:
        yield [("Not assessed", reason, Style.DIM) for reason in document["not_assessed"]]
