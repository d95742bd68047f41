"""Columns line up and fit."""

from aicost.entrypoints.cli.output.table import Column, Line, cut, display_width, draw
from aicost.entrypoints.cli.terminal import Style, Terminal

COLUMNS = (
    Column("TEAM", shrinks=True),
    Column("COST", right=True),
    Column("HOURS", right=True, drop=1),
    Column("UTIL", right=True, drop=2),
)
LINES = (
    Line(("研究チーム", "$1.00", "12.00", "9.9%")),
    Line(("café", "$1,000.00", "1.00", "99.0%")),
    Line(("a-very-long-name-of-a-team-indeed", "$20.00", "1.00", "-")),
)


def test_numbers_end_and_texts_begin_in_one_column_whatever_the_script():
    lines = draw(COLUMNS, [LINES], Terminal()).lines
    ends = {display_width(line[: line.index("%") + 1]) for line in lines if "%" in line}
    assert len(ends) == 1
    assert {display_width(line[: line.index("$")].rstrip()) <= 33 for line in lines[1:]} == {True}
    cost_ends = {display_width(line[: line.index(".00") + 3]) for line in lines[1:]}
    assert len(cost_ends) == 1


def test_wide_and_combining_characters_are_counted_as_they_are_shown():
    assert [display_width(text) for text in ("研究", "cafe\u0301", "a\u200bb", "│")] == [4, 4, 2, 1]
    assert cut("研究チーム", 6) == "研究…"
    assert display_width(cut("研究チーム", 6)) <= 6


def test_a_pipe_gets_everything():
    drawn = draw(COLUMNS, [LINES], Terminal(None))
    assert drawn.dropped == ()
    assert any("a-very-long-name-of-a-team-indeed" in line for line in drawn.lines)


def test_a_narrow_terminal_gets_lines_that_fit_and_is_told_what_is_missing():
    for width in range(24, 80):
        drawn = draw(COLUMNS, [LINES], Terminal(width))
        assert max(map(display_width, drawn.lines)) <= width
    narrow = draw(COLUMNS, [LINES], Terminal(30))
    assert narrow.dropped == ("HOURS", "UTIL")
    assert any("…" in line for line in narrow.lines)


def test_the_column_that_matters_least_goes_first():
    assert draw(COLUMNS, [LINES], Terminal(36)).dropped == ("UTIL",)


def test_sections_are_parted_by_a_rule_as_wide_as_the_table():
    drawn = draw(COLUMNS, [LINES[:1], (), LINES[1:]], Terminal())
    rules = [line for line in drawn.lines if set(line) == {"─"}]
    assert len(rules) == 1
    assert len(rules[0]) == max(map(display_width, drawn.lines))


def test_nothing_that_moves_the_cursor_reaches_the_terminal():
    evil = Line(("\x1b[2Jteam\n\u202e", "$1.00", "1.00", "-"))
    text = "\n".join(draw(COLUMNS, [[evil]], Terminal(colour=False)).lines)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("\n") == 1


def test_colour_is_only_there_where_it_is_shown():
    loud = Line(("a", "b", "c", "d"), Style.HEAD)
    assert "\x1b[1m" in draw(COLUMNS, [[loud]], Terminal(colour=True)).lines[1]
    assert "\x1b" not in "".join(draw(COLUMNS, [[loud]], Terminal(colour=False)).lines)
