"""An exporter's answer to one scrape: text, or the trouble that the script asks for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from fleet.exporter.rows import ExporterView, Labels, Row
from fleet.faults import FaultKind
from fleet.script import Fleet

TEXT = "text/plain; version=0.0.4; charset=utf-8"
HUGE_BYTES = 10_000_000
PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in to continue</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a scrape gets. `status` 0: the connection is dropped without an answer. `delay_ms` is real time."""

    status: int
    content_type: str
    body: bytes
    delay_ms: int = 0

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Exporter:
    """One exporter of one node."""

    def __init__(self, fleet: Fleet, node: str, index: int = 0) -> None:
        self.view = ExporterView(fleet, fleet.node(node), index)

    def answer(self, at_ms: int) -> Answer:
        """The answer to a scrape at a moment, faults included."""
        if not self.view.exporter.serves(at_ms):
            return Answer(0, TEXT, b"")
        kind = next((kind for kind in _TROUBLE if self.view.has(kind, at_ms)), None)
        body = b"" if kind in _WITHOUT_ROWS else self.text(at_ms).encode()
        return Answer(200, TEXT, body, self._delay_ms(at_ms)) if kind is None else _TROUBLE[kind](body)

    def text(self, at_ms: int) -> str:
        """The exposition at a moment, with spoiled values and labels but without the faults of the whole answer."""
        stamp_ms = at_ms + self.view.node.clock_skew_ms if self.view.exporter.stamped else None
        return render(self.view.rows(at_ms), stamp_ms)

    def _delay_ms(self, at_ms: int) -> int:
        slow = (f for f in self.view.node.faults if f.kind is FaultKind.SLOW)
        return max((f.amount for f in slow if f.touches(at_ms, exporter=self.view.index)), default=0)


def render(rows: Iterable[Row], stamp_ms: int | None = None) -> str:
    """Rows as exposition text; a stamp follows each value if there is one."""
    tail = "" if stamp_ms is None else f" {stamp_ms}"
    lines = []
    for field, group in groupby(rows, key=lambda row: row.field):
        lines += [f"# HELP {field.name} {field.text}", f"# TYPE {field.name} {field.kind}"]
        lines += [f"{field.name}{label_text(row.labels)} {row.number}{tail}" for row in group]
    return "".join(f"{line}\n" for line in lines)


def label_text(labels: Labels) -> str:
    """Labels in braces, with the three escapes of the format."""
    pairs = (f'{name}="{escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def escaped(value: str) -> str:
    """A label value as it stands between quotes."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _half(body: bytes) -> bytes:
    """The first half of the text, cut inside a row's labels."""
    middle = body.rfind(b'="', 0, len(body) // 2 + 1)
    return body[: middle + 2]


_TROUBLE: dict[FaultKind, Callable[[bytes], Answer]] = {
    FaultKind.GAP: lambda _: Answer(0, TEXT, b""),
    FaultKind.UNAVAILABLE: lambda _: Answer(503, "text/plain", b"service unavailable\n"),
    FaultKind.HTML: lambda _: Answer(200, "text/html; charset=utf-8", PAGE.encode()),
    FaultKind.HALF_LINE: lambda body: Answer(200, TEXT, _half(body)),
    FaultKind.HUGE: lambda _: Answer(200, TEXT, b"x" * HUGE_BYTES),
    FaultKind.EMPTY: lambda _: Answer(200, TEXT, b""),
}
_WITHOUT_ROWS = _TROUBLE.keys() - {FaultKind.HALF_LINE}
