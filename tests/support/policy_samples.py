"""CostLabelPolicies that the API server must take, changes that it must refuse, and a whole status."""

from typing import Any

BASE: dict[str, Any] = {"keys": [{"key": "team"}]}
FULL: dict[str, Any] = {
    "mode": "Warn",
    "modeOverrides": [
        {"namespaces": {"names": ["playground"]}, "mode": "Audit"},
        {"namespaces": {"selector": {"matchLabels": {"tier": "prod"}}}, "mode": "DenyNew"},
    ],
    "engine": "webhook",
    "kinds": ["Deployment", "Job", "RayCluster", "Pod"],
    "namespaces": {"selector": {"matchExpressions": [{"key": "kind", "operator": "NotIn", "values": ["infra"]}]}},
    "keys": [
        {
            "key": "team",
            "aliases": ["Team", "squad", "app.kubernetes.io/team"],
            "valueAliases": {"recs": "recommendation-engine"},
            "allowed": {
                "values": ["recommendation-engine", "vision", "search"],
                "bound": [{"value": "vision", "namespaces": {"names": ["vision", "vision-dev"]}}],
            },
            "required": "Always",
            "immutable": True,
            "groups": {"oidc:vision-people": "vision"},
        },
        {
            "key": "cost-center",
            "convention": "cc-[0-9]{3,5}",
            "conventionHint": "cc- and the number that finance gave you, for example cc-4711",
            "allowed": {"configMap": {"namespace": "finops", "name": "cost-centers", "key": "all"}},
            "required": "GpuOnly",
            "stages": ["pilot", "production"],
            "inherit": ["Namespace", "Owner"],
            "default": "cc-000",
        },
        {"key": "acme.com/owner", "case": "Keep", "allowed": {"pattern": "[A-Za-z.]+@acme"}, "inherit": []},
    ],
    "uses": [
        {
            "name": "experiments-stay-small",
            "teams": ["vision"],
            "stages": ["sandbox", "experiment"],
            "models": ["qwen/*"],
            "gpuModels": ["l4", "a100-*"],
            "providers": ["aws"],
            "mode": "Deny",
            "hint": "use an L4, or ask for more",
            "approval": "#gpu-council",
        }
    ],
    "exemptions": [
        {
            "name": "move-of-search",
            "until": "2026-12-31",
            "approvedBy": "jane@acme",
            "reason": "labels come with the move",
            "namespaces": {"names": ["search"]},
            "selector": {"matchLabels": {"app": "indexer"}},
            "keys": ["cost-center"],
        }
    ],
    "attributionRules": [
        {
            "name": "tuning",
            "match": {
                "namespaces": ["research-*"],
                "labels": {"matchLabels": {"app": "tune"}},
                "owners": ["RayCluster/tune-*"],
                "images": ["registry.acme/tune/*"],
                "models": ["qwen/*"],
                "serviceAccounts": ["tuner"],
                "nodes": ["lab-*"],
            },
            "dimensions": {"team": "research", "workload-type": "fine-tuning"},
            "override": True,
        }
    ],
    "helpUrl": "https://wiki.acme.example/labels",
    "contact": "#finops",
    "minCoverage": "0.85",
    "unusedDays": 60,
}


def _key(**change: Any) -> dict[str, Any]:
    return {"keys": [{"key": "team", **change}]}


def _use(**change: Any) -> dict[str, Any]:
    return {"uses": [{"name": "small", **change}]}


def _exempt(**change: Any) -> dict[str, Any]:
    return {"exemptions": [{"name": "late", "until": "2026-12-31", "approvedBy": "jane", **change}]}


def _rule(**change: Any) -> dict[str, Any]:
    match = {"namespaces": ["a"]}
    return {"attributionRules": [{"name": "a", "match": match, "dimensions": {"team": "a"}, **change}]}


def _bound(**scope: Any) -> dict[str, Any]:
    return _key(allowed={"bound": [{"value": "a", "namespaces": scope}]})


REFUSED: tuple[tuple[dict[str, Any], str, str], ...] = (
    (_key(key="aicost.dev/team"), "spec.keys[0].key", "write a dimension without the prefix aicost.dev/"),
    (_key(key="te am"), "spec.keys[0].key", "write a label key"),
    (_key(convention="("), "spec.keys[0].convention", "write a regular expression of the RE2 syntax"),
    (_key(convention="(?=a)b"), "spec.keys[0].convention", "write a regular expression of the RE2 syntax"),
    (_key(allowed={"pattern": "a{2,1}"}), "spec.keys[0].allowed.pattern", "write a regular expression of the RE2"),
    (_key(allowed={}), "spec.keys[0].allowed", "say which values are allowed by"),
    (_key(stages=["pilot"]), "spec.keys[0]", "stages says where the key is required"),
    (_key(stages=["pilot"], required="Never"), "spec.keys[0]", "stages says where the key is required"),
    (_key(conventionHint="cc and a number"), "spec.keys[0]", "conventionHint explains convention"),
    (_key(groups={"g": "a"}, inherit=["Owner"]), "spec.keys[0]", "groups is read where inherit has Group"),
    (_key(case="Keep"), "spec.keys[0]", "values of dimensions are lower-case"),
    (_key(aliases=["team"]), "spec.keys[0]", "a key needs no alias of its own name"),
    (_bound(), "namespaces", "an empty scope selects no namespace"),
    (_bound(names=["Team A"]), "namespaces.names[0]", "write the name of a namespace"),
    (_bound(selector={}), "namespaces.selector", "an empty selector selects everything"),
    (_use(), "spec.uses[0]", "a rule of use must permit something"),
    (_exempt(until="soon"), "spec.exemptions[0].until", "write a day such as"),
    (_exempt(name="Late"), "spec.exemptions[0].name", "name the item with lower-case letters"),
    (_rule(match={}), "spec.attributionRules[0].match", "an empty match would tag every pod"),
    (_rule(dimensions={"squad": "a"}), "spec.attributionRules[0].dimensions", "name dimensions: team"),
    ({"minCoverage": "90"}, "spec.minCoverage", "write a decimal string from 0 to 1"),
    ({"helpUrl": "wiki"}, "spec.helpUrl", "write the address of a page"),
)
"""Changes of the least policy, where the server sees what is wrong, and what its message says."""
EMPTY = ({"mode": "Deny"}, "spec", "an empty policy does nothing")
"""A whole spec that says nothing."""

STATUS: dict[str, Any] = {
    "observedGeneration": 1,
    "conditions": [
        {
            "type": "Accepted",
            "status": "True",
            "reason": "Accepted",
            "message": "All of it is usable.",
            "lastTransitionTime": "2026-11-20T10:00:00Z",
            "observedGeneration": 1,
        }
    ],
    "summary": {"coverage": "87.1%", "objects": "41.0%", "level": "1 (Walk)"},
    "keys": 3,
    "engineInUse": "webhook",
    "unsupportedByVap": [{"field": "spec.uses[0].models", "reason": "the model stands in arguments"}],
    "revision": "5f2c9a1e",
    "coverage": {
        "byCost": "87.1%",
        "byCostPpm": 871_000,
        "byObjects": "41.0%",
        "objects": 100,
        "labelled": 41,
        "keys": [
            {
                "key": "team",
                "byCost": "87.1%",
                "byCostPpm": 871_000,
                "byObjects": "41.0%",
                "objects": 100,
                "labelled": 41,
            }
        ],
    },
    "wouldDeny": 59,
    "topOffenders": [
        {
            "namespace": "research",
            "kind": "RayCluster",
            "name": "tune-7b",
            "owner": "research",
            "monthlyCost": "$12,345.00",
            "monthlyCostNanos": 12_345_000_000_000,
            "problems": ["cost-center is missing"],
        }
    ],
    "maturity": {"level": 1, "stage": "Walk", "nextStep": "label 3 more objects of research"},
    "auditedAt": "2026-11-20T10:00:00Z",
    "updatedAt": "2026-11-20T10:02:00Z",
}
"""A whole status."""
