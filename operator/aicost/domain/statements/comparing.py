"""Whether two statements are of the same thing, so that one can be led to the other by adjustments."""

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


def other_subject(earlier: Document, now: Document) -> str:
    """Why an earlier statement is none of the same payer, time and rule; empty where it is."""
    told = [(_payer(one), _time(one), _rule(one)) for one in (earlier, now)]
    for was, wanted in zip(*told, strict=True):
        if was != wanted:
            return f"it is {was}, and not {wanted}"
    if earlier["period"]["to"] > now["period"]["to"]:
        return f"it reaches to {earlier['period']['to']}, and this one to {now['period']['to']}"
    return ""


def _payer(one: Document) -> str:
    named = ", ".join(f"{key} {value}" for key, value in sorted(one["payer"].items()))
    return f"of {named}" if named else f"by {' and '.join(one['payer_keys'])}"


def _time(one: Document) -> str:
    return f"from {one['period']['from']} on"


def _rule(one: Document) -> str:
    rule = one["shared_rule"]
    buckets = f" of {', '.join(rule['buckets'])}" if rule["buckets"] else ""
    shares = f" ({', '.join(f'{payer} {share}' for payer, share in rule['shares'].items())})" if rule["shares"] else ""
    return f"by the rule {rule['spread']}{buckets}{shares}"
