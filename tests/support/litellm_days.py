"""The daily activity of a LiteLLM gateway: rows by day, key, model and provider, summed page by page as it does."""

from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

KEYS = {"88dc28d0f030c55e": {"key_alias": "chat-prod", "team_id": "search"}, "a73dc2": {"team_id": None}}


@dataclass(frozen=True)
class Row:
    """What one key spent on one model at one provider in a day."""

    spend: float
    model: str = "claude-sonnet-5"
    provider: str = "anthropic"
    key: str = "88dc28d0f030c55e"
    date: str = "2026-03-02"
    tokens: int = 1_000
    flat: float = 0.0


class Activity:
    """Pages of its rows.

    Attributes:
        faults: answered first, one for each question: a status and headers.
        growing: rows that come with each question, the first first.
        keys: whether models and providers are told by key.
    """

    def __init__(self, rows, faults=(), growing=(), keys=True):
        self.rows, self.faults, self.growing, self.keys, self.asked = list(rows), list(faults), list(growing), keys, []

    def __call__(self, request):
        asked = dict(parse_qsl(urlsplit(request.handler.path).query))
        self.asked.append((request.path, asked, {name.lower(): value for name, value in request.headers.items()}))
        if self.faults:
            status, headers = self.faults.pop(0)
            request.answer("busy", status, **headers)
            return
        size, number = int(asked["page_size"]), int(asked["page"])
        found = [row for row in self.rows if asked["start_date"] <= row.date <= asked["end_date"]]
        page = found[(number - 1) * size : number * size]
        if self.growing:
            self.rows.append(self.growing.pop(0))
        days = sorted({row.date for row in page})
        pages = -(-len(found) // size)
        request.answer_json(
            {
                "results": [self._day(day, [row for row in page if row.date == day]) for day in days],
                "metadata": {"page": number, "total_pages": pages, "has_more": number < pages},
            }
        )

    def _day(self, day, rows):
        models, providers = (self._by(rows, field) for field in ("model", "provider"))
        return {"date": day, "metrics": _metrics(rows), "breakdown": {"models": models, "providers": providers}}

    def _by(self, rows, field):
        found = defaultdict(list)
        for row in rows:
            found[getattr(row, field)].append(row)
        return {name: {"metrics": _metrics(mine), "metadata": {}, **self._keyed(mine)} for name, mine in found.items()}

    def _keyed(self, rows):
        keys = {key: [row for row in rows if row.key == key] for key in {row.key for row in rows}}
        told = {key: {"metrics": _metrics(mine), "metadata": KEYS.get(key, {})} for key, mine in keys.items()}
        return {"api_key_breakdown": told} if self.keys else {}


def _metrics(rows):
    """Sums of binary fractions, as the gateway makes them."""
    tokens = sum(row.tokens for row in rows)
    return {"spend": sum(row.spend for row in rows), "total_tokens": tokens, "flat_cost": sum(row.flat for row in rows)}
