"""The cost API of a provider, played by a server that behaves like it, faults included."""

from urllib.parse import parse_qsl, urlsplit

from aicost.domain.exact.windows import DAY_MS, from_rfc3339, to_rfc3339

RESULT = {"amount": "123.45", "currency": "USD", "model": "claude-sonnet-5", "workspace_id": "w1"}
"""$1.2345 of a day: the API counts in cents."""


class Anthropic:
    """Pages of at most `limit` days; `faults` are answered first, one for each question.

    Attributes:
        repeats: a fault tells the key that it was asked with.
    """

    def __init__(self, limit=7, faults=(), results=(RESULT,)):
        self.limit, self.faults, self.results, self.asked = limit, list(faults), list(results), []
        self.repeats = False

    def __call__(self, request):
        asked = dict(parse_qsl(urlsplit(request.handler.path).query))
        self.asked.append((asked, {name.lower(): value for name, value in request.headers.items()}))
        if self.faults:
            status, headers = self.faults.pop(0)
            request.answer(f"busy {request.headers.get('x-api-key')}" if self.repeats else "busy", status, **headers)
            return
        start = from_rfc3339(asked.get("page") or asked["starting_at"])
        end = from_rfc3339(asked["ending_at"])
        stop = min(end, start + min(self.limit, int(asked["limit"])) * DAY_MS)
        data = [
            {"starting_at": to_rfc3339(at), "ending_at": to_rfc3339(at + DAY_MS), "results": self.results}
            for at in range(start, stop, DAY_MS)
        ]
        more = stop < end
        request.answer_json({"data": data, "has_more": more, "next_page": to_rfc3339(stop) if more else None})
