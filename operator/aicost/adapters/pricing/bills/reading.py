"""Which kind of bill a file is, and its lines."""

import gzip
import io
import zlib
from dataclasses import dataclass

from aicost.adapters.pricing.bills.focus import Others, is_focus, read_focus
from aicost.adapters.pricing.bills.pages import decode, read_pages
from aicost.adapters.pricing.bills.plain import is_plain, read_plain
from aicost.adapters.pricing.tables.reading import Bounds, Table, read_table, refuse
from aicost.domain.thirdparty.lines import SpendLine
from aicost.domain.thirdparty.machines import Ignored, MachineLine
from aicost.ports.errors import InvalidRequest

_GZIPPED = b"\x1f\x8b"
_BOUNDS = Bounds(512 * 2**20, 5_000_000, "export the bill in parts, such as by day: all files of a day together")


@dataclass(frozen=True, slots=True)
class Bill:
    """What a file bills.

    Attributes:
        kind: `focus`, `table`, `anthropic` or `openai`.
        machines: lines about something else than AI that name a resource.
        ignored: all lines about something else, by service.
    """

    kind: str
    lines: tuple[SpendLine, ...]
    machines: tuple[MachineLine, ...] = ()
    ignored: tuple[Ignored, ...] = ()

    @property
    def others(self) -> int:
        """How many lines are about something else than AI."""
        return sum(one.lines for one in self.ignored)


def read_bill(content: bytes, name: str, *, provider: str = "", currency: str = "USD") -> Bill:
    """Read a bill: FOCUS or a table of one's own as CSV, or pages of a cost API as JSON; each may be packed by gzip.

    Args:
        content: the file.
        name: what it is called, for messages.
        provider: who billed, for a table that does not say it.
        currency: of its amounts, where it does not say it.

    Raises:
        InvalidRequest: it is none; the message names line, column, value and fix.
    """
    content = _unpacked(content, name)
    if content.lstrip()[:1] in {b"{", b"["}:
        kind, lines = read_pages(decode(content, name), name)
        return Bill(kind, lines)
    others = Others()
    try:
        return _of_table(read_table(content, _BOUNDS, others.begin), others, provider or "unknown", currency)
    except InvalidRequest as problem:
        raise InvalidRequest(f"{name}: {problem}") from problem


def _unpacked(content: bytes, name: str) -> bytes:
    """What a file holds that may be packed, as clouds export bills; no more of it than is read anyway."""
    if not content.startswith(_GZIPPED):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            return packed.read(_BOUNDS.bytes + 1)
    except (OSError, EOFError, zlib.error) as problem:
        raise InvalidRequest(
            f"{name}: cannot be unpacked ({problem}): export it again, or hand in the CSV"
        ) from problem


def _of_table(table: Table, others: Others, provider: str, currency: str) -> Bill:
    if is_focus(table.columns):
        bill = Bill("focus", tuple(read_focus(table)), others.machine_lines(), others.ignored_lines())
    elif is_plain(table):
        bill = Bill("table", tuple(read_plain(table, provider, currency)))
    else:
        named = ", ".join(table.columns.values())
        raise InvalidRequest(f"columns {named}: a bill has a day and an amount, or is in FOCUS format")
    refuse(table.complaints)
    return bill
