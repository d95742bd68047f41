"""The project's own documents, as tests read them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference"
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^()\s]+)\)|!\[[^\]]*\]\(([^()\s]+)\)")
_SPAN = re.compile(r"`[^`\n]*`")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_ROW = re.compile(r"^\| `([^`]+)`\*? \|", re.MULTILINE)


def documents() -> list[Path]:
    """Each Markdown file of the project; folders with a dot and what was installed do not count."""
    parts = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    own = (path for path in parts if not any(part.startswith(".") or part == "node_modules" for part in path.parts))
    return sorted(path for path in own if path.parts[0] not in {"shared", "dist", "build"})


def prose(text: str) -> str:
    """A document without its blocks of code."""
    return _FENCE.sub("", text)


def code_blocks(text: str) -> str:
    """The blocks of code of a document, and nothing else."""
    return "\n".join(found[0] for found in _FENCE.finditer(text))


def links(text: str) -> Iterator[str]:
    """Targets of links and pictures."""
    for found in _LINK.finditer(_SPAN.sub("`code`", prose(text))):
        yield found[1] or found[2]


def anchors(text: str) -> set[str]:
    """What a link may name after `#`, as forges make it from headings."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(text)):
        words = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        number = sum(1 for one in found if re.fullmatch(rf"{re.escape(words)}(-\d+)?", one))
        found.add(f"{words}-{number}" if number else words)
    return found


def row_names(text: str) -> list[str]:
    """The names in the first column of all tables."""
    return _ROW.findall(text)


def section(text: str, heading: str) -> str:
    """The part below a heading, down to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    begin = text.index(f"\n{heading}\n") + len(heading) + 2
    end = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE).search(text, begin)
    return text[begin : end.start() if end else None]
