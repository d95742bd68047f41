"""One table of all figures at the end of the run."""

import gc

import pytest

from aicost.__main__ import YOUNG_OBJECTS
from support.benchmark import FULL, Figure

gc.set_threshold(YOUNG_OBJECTS)  # as in each of our own processes

LONGEST_SECONDS = 1_800
_figures: list[Figure] = []


def pytest_collection_modifyitems(items):
    """Full sizes take their time."""
    for item in items if FULL else ():
        item.add_marker(pytest.mark.timeout(LONGEST_SECONDS))


@pytest.fixture
def show():
    """Adds a line to the table: subject, size, value, by what it is judged, and what bounds it."""

    def add(*cells: str, bounds: str = "") -> None:
        _figures.append(Figure(*cells, bounds=bounds))

    return add


def pytest_terminal_summary(terminalreporter):
    if not _figures:
        return
    terminalreporter.section("figures" if FULL else "figures of small sizes (`make bench` has the full ones)")
    terminalreporter.write_line(f"{'what':<36}{'size':>27}{'figure':>31}   {'budget':<20}  what bounds it")
    for one in _figures:
        line = f"{one.subject:<36}{one.size:>27}{one.value:>31}   {one.judged:<20}  {one.bounds}"
        terminalreporter.write_line(line.rstrip())
