"""Whole statements, as they are printed: a change of one character is seen here.

Where it is meant, write the files anew and read what changed: `PYTHONPATH=operator:tests python FILE`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aicost.entrypoints.cli.output.statement.markdown import as_markdown
from aicost.entrypoints.cli.output.statement.page import as_page
from aicost.entrypoints.cli.output.statement.screen import as_screen
from aicost.entrypoints.cli.output.statement.sheet import as_sheet
from aicost.entrypoints.cli.output.statement.view import view_of
from aicost.entrypoints.cli.terminal import Terminal
from aicost.usecases.build_statement import StatementRequest, build_statement
from support.statements import ISSUED_MS, month

FOLDER = Path(__file__).parent / "statements"
FORMS: dict[str, Callable[[dict], str]] = {
    "md": lambda document: as_markdown(view_of(document)),
    "html": lambda document: as_page(view_of(document)),
    "txt": lambda document: as_screen(view_of(document), Terminal(100)) + "\n",
    "csv": as_sheet,
}
STATEMENTS = {
    "team-vision": {"payer": {"team": "vision"}, "shared": "cost"},
    "cost-center": {"payer": {"cost-center": "cc-100"}},
    "all-teams": {"per": "team", "shared": "fixed", "shares": {"vision": "50%", "recs": "25%"}},
}


def documents() -> Iterator[tuple[str, dict]]:
    for name, options in STATEMENTS.items():
        request = StatementRequest("2026-10", time_zone="Europe/Berlin", **options)
        marks = [{"place": "./ledger", "version": 14}]
        yield name, build_statement(month(), request, ISSUED_MS, ledgers=marks)


CASES = [(name, document, form) for name, document in documents() for form in FORMS]


@pytest.mark.parametrize(("name", "document", "form"), CASES, ids=[f"{name}.{form}" for name, _, form in CASES])
def test_a_statement_is_printed_as_it_was(name, document, form) -> None:
    expected = (FOLDER / f"{name}.{form}").read_text(encoding="utf-8")
    assert FORMS[form](document) == expected


def test_the_guide_shows_what_is_printed() -> None:
    guide = (Path(__file__).parents[2] / "docs/guide/statements.md").read_text(encoding="utf-8")
    shown = as_screen(view_of(dict(documents())["team-vision"]), Terminal(120))
    assert f"```text\n{shown}\n```" in guide


if __name__ == "__main__":
    for name, document, form in CASES:
        (FOLDER / f"{name}.{form}").write_text(FORMS[form](document), encoding="utf-8")
