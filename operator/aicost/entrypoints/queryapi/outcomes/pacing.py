"""How much one namespace may post: so much at once, and so much again each minute."""

from dataclasses import dataclass, field
from http import HTTPStatus

from aicost.domain.exact.windows import MINUTE_MS
from aicost.entrypoints.queryapi.statuses import Refusal

_MOST_NAMESPACES = 10_000


@dataclass(slots=True)
class Pace:
    """What is left to each namespace.

    Attributes:
        posts, statements: how many a namespace may send in a minute.
    """

    posts: int = 300
    statements: int = 100_000
    _left: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Namespace -> moment, posts and statements, these two times the milliseconds of a minute."""

    def take(self, namespace: str, count: int, now_ms: int) -> None:
        """Take one post with so many statements.

        Raises:
            Refusal: 429 where less is left; nothing is taken then.
        """
        full = (self.posts * MINUTE_MS, self.statements * MINUTE_MS)
        then_ms, *left = self._left.pop(namespace, (now_ms, *full))
        passed = max(0, now_ms - then_ms)
        posts, statements = (
            min(most, one + passed * each)
            for most, one, each in zip(full, left, (self.posts, self.statements), strict=True)
        )
        enough = posts >= MINUTE_MS and statements >= count * MINUTE_MS
        taken = (posts - MINUTE_MS, statements - count * MINUTE_MS) if enough else (posts, statements)
        self._left[namespace] = (max(now_ms, then_ms), *taken)
        while len(self._left) > _MOST_NAMESPACES:
            del self._left[next(iter(self._left))]
        if not enough:
            message = (
                f"namespace {namespace}: {self.posts} posts and {self.statements:,} statements a minute are the most: "
                "post many statements at once, and wait"
            )
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, message)
