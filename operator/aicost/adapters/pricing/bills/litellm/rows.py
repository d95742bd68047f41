"""Rows of LiteLLM's spend logs, one a request: what the gateway thinks that it cost, and who asked.

Its amounts are dollars at the list prices that it knows. They come as binary fractions of up to seventeen digits, and
are read to 10^-18 of a dollar.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from aicost.adapters.pricing.bills import values
from aicost.adapters.pricing.tables.reading import Wrong
from aicost.domain.exact.windows import from_rfc3339
from aicost.domain.thirdparty.lines import Basis, SpendLine
from aicost.domain.thirdparty.providers import ON_OUR_OWN, billed_by

LITELLM = "litellm"
_LARGEST = Decimal(10) ** 9
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        name: of the request; each counts once.
        at_ms: when it began.
        here: whether a server of the cluster answered: its cost is that of its GPUs.
        line: what it cost; None where the gateway knows no price.
    """

    name: str
    at_ms: int
    here: bool
    line: SpendLine | None


def read_row(row: Mapping[str, Any]) -> Asked:
    """One row of the logs.

    Raises:
        Wrong: it is none.
    """
    at_ms = _moment(row)
    provider = str(row.get("custom_llm_provider") or "").strip().lower()
    spend = row.get("spend")
    line = None
    if isinstance(spend, (int, Decimal)) and not isinstance(spend, bool):
        line = SpendLine(
            day=values.day_of(at_ms),
            provider=plain(billed_by(provider) or "unknown"),
            cost_attos=attos(Decimal(spend)),
            currency="USD",
            item=plain(row.get("call_type") or ""),
            model=_model(str(row.get("model") or ""), provider),
            quantity=values.count(str(row.get("total_tokens") or 0)),
            tags=dict(sorted(_tags(row))),
            basis=Basis.GATEWAY,
            source=LITELLM,
        )
    here = provider in ON_OUR_OWN or is_near(str(row.get("api_base") or ""))
    return Asked(str(row["request_id"]), at_ms, here, line)


def is_near(address: str) -> bool:
    """Whether an address is one within a cluster or a company's network, and no provider's."""
    host = (urlsplit(address).hostname or "") if "//" in address else ""
    if not host:
        return False
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".svc", ".local", ".internal"))


def _moment(row: Mapping[str, Any]) -> int:
    """When a request began; a time without a zone is in UTC, as the gateway's database has it."""
    text = str(row["startTime"]).strip().replace(" ", "T")
    zoned = text.endswith("Z") or "+" in text or text.count("-") > 2
    try:
        return from_rfc3339(text if zoned else f"{text}Z")
    except ValueError as problem:
        raise Wrong(f"startTime {text[:40]!r} is no time: {problem}") from problem


def attos(spend: Decimal) -> int:
    """Dollars in 10^-18.

    Raises:
        Wrong: it is no amount.
    """
    if not spend.is_finite() or abs(spend) > _LARGEST:
        raise Wrong(f"spend {str(spend)[:40]} is no amount of one request")
    return int(spend.scaleb(18).to_integral_value())


def _model(name: str, provider: str) -> str:
    """The model alone: some names begin with the provider."""
    return plain(name.removeprefix(f"{provider}/") if provider else name)


def _tags(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Who asked: the names of teams, customers and keys, and what requests say of themselves.

    Where two say the same thing, the gateway's own fields stand before what a request says.
    """
    said = row.get("metadata")
    said = said if isinstance(said, dict) else {}
    yield from _own_tags(row.get("request_tags"))
    noted = said.get("spend_logs_metadata")
    for key, value in (noted if isinstance(noted, dict) else {}).items():
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            yield plain(key), plain(value)
    own = {
        "team": said.get("user_api_key_team_alias") or row.get("team_id"),
        "team_id": row.get("team_id"),
        "customer": row.get("end_user"),
        "organization_id": row.get("organization_id"),
        "key": said.get("user_api_key_alias") or str(row.get("api_key") or "")[:12],
        "model_group": row.get("model_group"),
    }
    yield from ((name, plain(value)) for name, value in own.items() if value)


def _own_tags(tags: Any) -> Iterator[tuple[str, str]]:
    """Tags of a request: `feature:search` and `feature=search` name a thing and its value; others are left out."""
    for tag in tags if isinstance(tags, list) else ():
        text = str(tag)
        mark = next((sign for sign in (":", "=") if sign in text), "")
        name, _, value = text.partition(mark) if mark else ("", "", "")
        if name.strip() and value.strip() and name.strip().lower() != "user-agent":
            yield plain(name.strip()), plain(value.strip())


def plain(value: object) -> str:
    """What can be shown of a name."""
    return "".join(char for char in str(value)[:_LONGEST] if char.isprintable())
