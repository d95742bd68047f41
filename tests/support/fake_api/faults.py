"""What the fake API server is told to do wrong."""

import asyncio
from dataclasses import dataclass, field


@dataclass
class Faults:
    """Each count is used up by the requests that it strikes.

    Attributes:
        refuse: status codes that the next requests are answered with; 429 carries `retry_after`.
        forbid: pairs of verb and plural that RBAC does not allow.
        hole: while it is clear, requests are accepted and never answered, and watches fall silent.
        cut_after: lines of the next watches after which the connection is cut in the middle of a line.
        twice: each event of a watch is sent two times.
        expire_pages: continue tokens that are refused as too old.
        streamed_lists: False refuses `sendInitialEvents`, as servers before WatchList do.
        error_after: lines of the next watches after which an ERROR event with this code follows: (lines, code).
        end_at_once: watches that end as soon as they began.
        garbage: bodies that the next requests are answered with, with status 200.
    """

    refuse: list[int] = field(default_factory=list)
    retry_after: str = "1"
    forbid: set[tuple[str, str]] = field(default_factory=set)
    hole: asyncio.Event = field(default_factory=asyncio.Event)
    cut_after: list[int] = field(default_factory=list)
    twice: bool = False
    expire_pages: int = 0
    streamed_lists: bool = True
    error_after: list[tuple[int, int]] = field(default_factory=list)
    end_at_once: int = 0
    garbage: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hole.set()
