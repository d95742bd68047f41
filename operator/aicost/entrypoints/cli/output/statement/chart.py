"""A bar chart as SVG within a page: no script, no file of its own, and it prints."""

from collections.abc import Iterator, Sequence
from html import escape

from aicost.entrypoints.cli.output.statement.view import Bar
from aicost.entrypoints.cli.output.table import cut, printable

_MOST = 12
_WIDTH, _LABEL, _TEXT, _ROW, _BAR = 720, 230, 90, 24, 14
_ROOM = _WIDTH - _LABEL - _TEXT
_LONGEST_LABEL = 34
_COLOURS = {"used": "#1f5fbf", "own": "#1f5fbf", "idle": "#e0912b", "shared": "#7a58b5", "other": "#93a0af"}
_INK = "#1b2430"


def chart(bars: Sequence[Bar]) -> str:
    """The largest bars, each with its parts; empty where there is nothing to compare."""
    shown = sorted((bar for bar in bars if _length(bar) > 0), key=lambda bar: -_length(bar))
    if len(shown) < 2:
        return ""
    kept, widest = shown[:_MOST], _length(shown[0])
    kinds = list(dict.fromkeys(name for bar in kept for name, nanos in bar.parts if nanos > 0))
    height = len(kept) * _ROW + 28
    more = f" The {len(kept)} largest of {len(shown)}." if len(shown) > len(kept) else ""
    body = [piece for index, bar in enumerate(kept) for piece in _bar(bar, index, widest)]
    body += _legend(kinds, len(kept) * _ROW + 18, more)
    return (
        f'<svg class="chart" role="img" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'xmlns="http://www.w3.org/2000/svg" font-size="12" fill="{_INK}">'
        f"<title>Cost in bars</title>{''.join(body)}</svg>"
    )


def _length(bar: Bar) -> int:
    return sum(max(0, nanos) for _, nanos in bar.parts)


def _bar(bar: Bar, index: int, widest: int) -> Iterator[str]:
    top = index * _ROW
    base = top + _BAR
    label = escape(cut(printable(bar.label), _LONGEST_LABEL))
    yield f'<text x="{_LABEL - 8}" y="{base}" text-anchor="end">{label}</text>'
    before = 0
    for name, nanos in bar.parts:
        start, end = (_ROOM * 10 * at // widest for at in (before, before + max(0, nanos)))
        before += max(0, nanos)
        if end > start:
            yield (
                f'<rect fill="{_COLOURS[name]}" x="{_LABEL + start // 10}.{start % 10}" y="{top + 3}" '
                f'width="{(end - start) // 10}.{(end - start) % 10}" height="{_BAR}"/>'
            )
    after = _LABEL + _ROOM * before // widest + 6
    yield f'<text x="{after}" y="{base}">{escape(printable(bar.text))}</text>'


def _legend(kinds: Sequence[str], y: int, more: str) -> Iterator[str]:
    for index, name in enumerate(kinds):
        x = _LABEL + index * 90
        yield f'<rect fill="{_COLOURS[name]}" x="{x}" y="{y - 9}" width="10" height="10"/>'
        yield f'<text x="{x + 15}" y="{y}">{name}</text>'
    if more:
        yield f'<text x="{_WIDTH}" y="{y}" text-anchor="end">{more.strip()}</text>'
