"""ProviderAccounts: the least, the fullest, and specs that break one rule each."""

from typing import Any

BASE: dict[str, Any] = {"provider": "anthropic", "secretRef": {"name": "llm-keys", "key": "anthropic"}}
FULL: dict[str, Any] = {
    "provider": "openai",
    "account": "openai-main",
    "secretRef": {"name": "llm-keys", "key": "openai.admin"},
    "url": "http://cost-proxy.finops.svc:8080/v1",
    "mapping": [
        {"tag": "project_id", "dimension": "team", "values": [{"value": "Proj_01", "name": "Search"}]},
        {"tag": "user_id", "dimension": "customer"},
        {"tag": "payer", "dimension": "namespace", "values": [{"value": "Proj_01", "name": "team-a"}]},
    ],
    "capture": {"minPercent": 75, "through": [{"tag": "api_key_id", "values": ["key_gw", "key_gw2"]}]},
    "since": "60d",
    "interval": "1h",
    "suspend": True,
}
STATUS: dict[str, Any] = {
    "observedGeneration": 1,
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Fetched",
            "message": "Asked for 35 days: 1 new in the ledger, 2 restated.",
            "lastTransitionTime": "2026-11-20T10:00:00Z",
            "observedGeneration": 1,
        }
    ],
    "account": "openai-main",
    "lastFetch": "2026-11-20T10:00:00Z",
    "dataThrough": "2026-11-20T00:00:00Z",
    "monthToDate": {
        "month": "2026-11",
        "cost": "$1,234.56",
        "amounts": [{"currency": "USD", "cost": "$1,234.56", "costNanos": 1_234_560_000_000}],
    },
    "daysRestated": 2,
    "capture": {
        "start": "2026-10-16T00:00:00Z",
        "end": "2026-11-20T00:00:00Z",
        "currency": "USD",
        "billed": "$1,234.56",
        "billedNanos": 1_234_560_000_000,
        "seen": "$1,000.00",
        "seenNanos": 1_000_000_000_000,
        "percent": "81.0%",
        "shadow": "$234.56",
        "shadowNanos": 234_560_000_000,
        "unbilledDays": 1,
    },
}
_KEY = {"name": "llm-keys", "key": "k"}

REFUSED: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"account": "Main"}, "spec.account", "write lower-case letters, digits and -._:/"),
    ({"secretRef": {**_KEY, "name": "LLM"}}, "spec.secretRef.name", "write the name of an object"),
    ({"secretRef": {**_KEY, "key": "a b"}}, "spec.secretRef.key", "name a key of the Secret"),
    ({"url": "http://costs.example"}, "spec.url", "write an address that begins with https://"),
    ({"url": "https://me:secret@costs.example"}, "spec.url", "without a user"),
    ({"url": "https://costs.example/?a=b"}, "spec.url", "without a user, a query"),
    ({"url": "http://x.svc.example.com/v1"}, "spec.url", "write an address that begins with https://"),
    ({"mapping": [{"tag": "t", "dimension": "squad"}]}, "spec.mapping[0].dimension", "name a dimension: "),
    ({"since": "5h"}, "spec.since", "write whole days"),
    ({"since": "0d"}, "spec.since", "write whole days"),
    ({"interval": "30m"}, "spec.interval", "write whole hours or days, at least 1h"),
    ({"interval": "0h"}, "spec.interval", "at least 1h"),
    ({"capture": {"minPercent": 101}}, "spec.capture.minPercent", "less than or equal to 100"),
    ({"provider": "counters"}, "spec", "counters has no key and takes none"),
    ({"provider": "litellm"}, "spec", "a gateway has no usual address: give url"),
    ({"provider": "litellm-daily"}, "spec", "a gateway has no usual address: give url"),
)
"""Change, where it is wrong, what is said."""
ELSEWHERE = (
    {"provider": "counters", "url": "https://prometheus.example"},
    "spec",
    "counters are read from the Prometheus of the settings: leave url out",
)
"""A whole spec that breaks a rule."""
