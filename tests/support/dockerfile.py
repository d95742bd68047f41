"""The Dockerfile as tests read it: stages of steps."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_STEP = re.compile(r"^[A-Z]+ (?:.*\\\n)*.*$", re.MULTILINE)


def stages() -> list[list[str]]:
    """The steps of each stage, each on one line, its FROM included."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    steps = [step.replace("\\\n", " ") for step in _STEP.findall(text)]
    begins = [number for number, step in enumerate(steps) if step.startswith("FROM ")]
    return [steps[begin:end] for begin, end in zip(begins, [*begins[1:], len(steps)], strict=True)]


def words_of(keyword: str, stage: list[str]) -> list[str]:
    """What follows a keyword, for each step of it."""
    return [step.partition(" ")[2] for step in stage if step.startswith(f"{keyword} ")]
