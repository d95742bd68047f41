"""No user takes all the room that there is for questions."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from aicost.entrypoints.queryapi.statuses import Refusal

EACH = 12
"""Questions of one user at once; a third of what the desk has room for."""


@dataclass(slots=True)
class Crowd:
    """Who is being answered."""

    each: int = EACH
    _inside: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def place(self, user: str) -> Iterator[None]:
        """A place for one question.

        Raises:
            Refusal: 429 where the user has as many already as one may.
        """
        if self._inside[user] >= self.each:
            message = f"{self.each} questions of yours are being answered: ask again soon"
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, message)
        self._inside[user] += 1
        try:
            yield
        finally:
            self._inside[user] -= 1
            if not self._inside[user]:
                del self._inside[user]
