"""One table of all figures at the end of the run."""

import pytest

from support.benchmark import FULL, Figure

_figures: list[Figure] = []


@pytest.fixture
def show():
    """Adds a line to the table: subject, size, value, and by what it is judged."""

    def add(*cells: str) -> None:
        _figures.append(Figure(*cells))

    return add


def pytest_terminal_summary(terminalreporter):
    if not _figures:
        return
    terminalreporter.section("figures" if FULL else "figures of small sizes (`make bench` has the full ones)")
    terminalreporter.write_line(f"{'what':<36}{'size':>22}{'figure':>31}   budget")
    for one in _figures:
        terminalreporter.write_line(f"{one.subject:<36}{one.size:>22}{one.value:>31}   {one.judged}")
