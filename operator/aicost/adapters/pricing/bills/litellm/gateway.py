"""One LiteLLM gateway that is asked page by page, and what is left out of its answers."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from aicost.adapters.pricing.bills.keys import AccountKey
from aicost.adapters.pricing.bills.wire import Wire
from aicost.ports.errors import InvalidRequest

READINGS = 3
"""How often pages that do not agree with each other are read."""
MOST_PAGES = 20_000


@dataclass(slots=True)
class Gateway:
    """What its readers share; each is a port `BillSource`.

    Attributes:
        name: what people call the way in which it is asked.
        path: what is asked for.
        key: its master key, or that of an administrator: another one sees its own requests alone.
        base: its address.
        timeout_s: patience for one answer.
        wait: how time passes between tries.
        page_rows: rows that are asked for at once.

    Raises:
        InvalidRequest: there is no address.
    """

    name: ClassVar[str]
    path: ClassVar[str]
    key: AccountKey
    base: str | None
    timeout_s: float = 30.0
    wait: Callable[[float], None] = time.sleep
    page_rows: int = 100
    _wire: Wire = field(init=False)
    _left_out: Counter[str] = field(init=False, default_factory=Counter)

    def __post_init__(self) -> None:
        if not self.base:
            raise InvalidRequest(f"{self.name} has no address of its own: say where yours is, as a URL")
        url = f"{self.base.rstrip('/')}{self.path}"
        self._wire = Wire(url, self.key, ("Authorization", "Bearer "), {}, self.timeout_s, self.wait)

    @property
    def notes(self) -> Sequence[str]:
        """What was left out the last time, for people."""
        return [f"{count:,} {what}" for what, count in sorted(self._left_out.items())]
