"""The spend logs of a LiteLLM gateway, played by a server that behaves like it, faults included."""

from urllib.parse import parse_qsl, urlsplit

from aicost.domain.exact.windows import from_rfc3339


def request_row(name, at="2026-03-02T10:00:00Z", **changes):
    """One request, in the gateway's own fields."""
    row = {
        "request_id": name,
        "call_type": "acompletion",
        "api_key": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
        "spend": 0.0125,
        "total_tokens": 1_500,
        "prompt_tokens": 1_000,
        "completion_tokens": 500,
        "startTime": at,
        "endTime": at,
        "model": "anthropic/claude-sonnet-5",
        "model_group": "smart",
        "custom_llm_provider": "anthropic",
        "api_base": "https://api.anthropic.com/v1/messages",
        "team_id": "3f1c9a",
        "end_user": "",
        "request_tags": [],
        "cache_hit": "False",
        "status": "success",
        "metadata": {"user_api_key_team_alias": "search"},
    }
    return row | changes


class Gateway:
    """Pages of its rows, the newest first.

    Attributes:
        rows: what it has.
        faults: answered first, one for each question: a status and headers.
        cap: more rows than this it does not count, and says so.
        meanwhile: rows that are written between the first page and the second, once.
        lost: rows that a page lacks, counted down.
    """

    def __init__(self, rows, faults=(), cap=10_000, meanwhile=(), lost=0):
        self.rows, self.faults, self.cap = list(rows), list(faults), cap
        self.meanwhile, self.lost, self.asked = list(meanwhile), lost, []

    def __call__(self, request):
        asked = dict(parse_qsl(urlsplit(request.handler.path).query))
        self.asked.append((request.path, asked, {name.lower(): value for name, value in request.headers.items()}))
        if self.faults:
            status, headers = self.faults.pop(0)
            request.answer("busy", status, **headers)
            return
        if int(asked["page"]) > 1:
            self.rows, self.meanwhile = self.rows + self.meanwhile, []
        start, end = (from_rfc3339(asked[name].replace(" ", "T") + "Z") for name in ("start_date", "end_date"))
        found = [row for row in self.rows if start <= _at(row) <= end]
        found.sort(key=_at, reverse=True)
        size, number, total = int(asked["page_size"]), int(asked["page"]), min(len(found), self.cap)
        data = found[: self.cap][(number - 1) * size : number * size]
        if self.lost and data:
            self.lost, data = self.lost - 1, data[:-1]
        request.answer_json(
            {
                "data": data,
                "total": total,
                "page": number,
                "page_size": size,
                "total_pages": -(-total // size),
                "total_is_capped": len(found) > self.cap,
            }
        )


def _at(row):
    text = row["startTime"].replace(" ", "T")
    return from_rfc3339(text if text.endswith("Z") or "+" in text else f"{text}Z")
