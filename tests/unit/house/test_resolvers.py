"""The table of resolvers in code is the table in the methodology."""

import re
from pathlib import Path

from aicost.domain.attribution.resolvers.scene import ASSUMED, IGNORED, MOVED
from aicost.domain.attribution.resolvers.table import RESOLVERS

METHODOLOGY = Path(__file__).parents[3] / "docs" / "methodology.md"


def rows(heading: str) -> list[tuple[str, ...]]:
    text = METHODOLOGY.read_text(encoding="utf-8")
    section = re.split(r"^## ", text.partition(f"## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [tuple(cell.strip() for cell in line) for line in lines]


def test_each_way_to_hold_a_gpu_is_documented_in_the_words_and_the_order_of_the_code():
    documented = [row for row in rows("What a pod holds") if row[0] != "Way"]
    assert documented == [(one.name, one.sign, one.share, one.trap) for one in RESOLVERS]


def test_each_flag_is_explained():
    explained = {row[0].strip("`") for row in rows("What the marks on a row mean")}
    assert {ASSUMED, IGNORED, MOVED} <= explained
