"""Specs of our own kinds that each break one rule, with what the API server must say."""

from dataclasses import dataclass
from typing import Any

from support import account_samples, budget_samples, policy_samples
from support.crd_samples import BASE


@dataclass(frozen=True)
class Refused:
    """A spec that breaks one rule: where the server sees it, and what the message must say."""

    kind: str
    change: dict[str, Any]
    where: str
    message: str
    whole: bool = False

    @property
    def spec(self) -> dict[str, Any]:
        return self.change if self.whole else {**BASE[self.kind], **self.change}


def _entry(**change: Any) -> dict[str, Any]:
    price = {} if "perGpuHour" in change or "perNodeHour" in change or "none" in change else {"perGpuHour": "2"}
    change.pop("none", None)
    return {"entries": [{"name": "h100", "match": {"gpuModel": "h100"}, **price, **change}]}


POWER = {"ratedWatts": 10200, "loadFactor": "0.6", "pue": "1.35", "pricePerKwh": "0.21"}


def _owned(owned: dict[str, Any] | None = None, **change: Any) -> dict[str, Any]:
    machine = {"purchasePrice": "300000", "inService": "2025-01-01", "lifetimeMonths": 60, **(owned or {})}
    return _entry(none=True, amortisation=machine, **change)


def _discount(**change: Any) -> dict[str, Any]:
    return {"discounts": [{"name": "edp", "percent": "7.5", **change}]}


def _exchange(**change: Any) -> dict[str, Any]:
    rate = {"base": "EUR", "target": "USD", "rate": "1.08", "from": "2026-10-01"}
    return {"exchangeRates": [{**rate, **change}]}


def _rung(**change: Any) -> dict[str, Any]:
    return {"ladder": [{"name": "half", "gate": "Notify", "basis": "Actual", **change}]}


def _target(**change: Any) -> dict[str, Any]:
    return {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat", **change}}


_STEEP = [
    {"name": "half", "gate": "DenyNew", "basis": "Actual", "atPercent": 50},
    {"name": "full", "gate": "Notify", "basis": "Actual", "atPercent": 100},
]
_FORECAST_FREEZE = {"gate": "FreezeGrowth", "basis": "Forecast", "atPercent": 90}
_BOTH = {"window": "7d", "range": {"from": "2026-01-01", "to": "2026-02-01"}}

REFUSED: tuple[Refused, ...] = (
    Refused("AIWorkload", _target(), "spec", "give exactly one of targetRef and selector"),
    Refused("AIWorkload", {"selector": {}}, "spec.selector", "an empty selector selects everything"),
    Refused("AIWorkload", {"selector": {"matchLabels": {}}}, "spec.selector", "an empty selector selects everything"),
    Refused("AIWorkload", {"selector": {"matchLabels": {"a": "b c"}}}, "matchLabels", "write a label value"),
    Refused(
        "AIWorkload",
        {"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
        "spec.selector.matchExpressions[0]",
        "In and NotIn need values",
    ),
    Refused(
        "AIWorkload",
        {"selector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}},
        "spec.selector.matchExpressions[0]",
        "Exists and DoesNotExist take none",
    ),
    Refused(
        "AIWorkload",
        {"selector": {"matchExpressions": [{"key": "a b", "operator": "Exists"}]}},
        "spec.selector.matchExpressions[0].key",
        "write a label key",
    ),
    Refused("AIWorkload", _target(apiVersion="apps"), "spec.targetRef.apiVersion", "write group and version"),
    Refused("AIWorkload", _target(kind="deployment"), "spec.targetRef.kind", "write the kind as the API does"),
    Refused("AIWorkload", _target(name="Chat"), "spec.targetRef.name", "write the name of an object"),
    Refused("AIWorkload", {"model": "my model"}, "spec.model", "write the model's name without blanks"),
    Refused("AIWorkload", {"dimensions": {"team": "Team A"}}, "spec.dimensions.team", "use lower-case letters"),
    Refused("AIWorkload", {"dimensions": {"team": "-a"}}, "spec.dimensions.team", "use lower-case letters"),
    Refused("AIWorkload", {"telemetry": {"path": "metrics"}}, "spec.telemetry.path", "write a path that starts"),
    Refused(
        "AIWorkload",
        {"telemetry": {"modelAliases": ["our model"]}},
        "spec.telemetry.modelAliases[0]",
        "write the model's name without blanks",
    ),
    Refused(
        "AIWorkload",
        {"telemetry": {"modelAliases": ["smart", "Smart"]}},
        "spec.telemetry.modelAliases",
        "name each alias once",
    ),
    Refused(
        "AIWorkload",
        {"unitMetric": {"name": "run", "targetPrice": "1"}},
        "spec.unitMetric",
        "a target price needs its currency",
    ),
    Refused(
        "AIWorkload",
        {"unitMetric": {"name": "run", "successes": {"metric": "ok_total"}}},
        "spec.unitMetric",
        "successes are a part of units",
    ),
    Refused(
        "AIWorkload",
        {"unitMetric": {"name": "run", "units": {"metric": "answers total"}}},
        "spec.unitMetric.units.metric",
        "write the name of a counter",
    ),
    Refused(
        "AIWorkload",
        {"unitMetric": {"name": "run", "units": {"metric": "a_total", "matchLabels": {"out-come": "ok"}}}},
        "spec.unitMetric.units.matchLabels",
        "write names of Prometheus labels",
    ),
    Refused("AIWorkload", {"training": {}}, "spec.training", "name one metric at least"),
    Refused(
        "AIWorkload",
        {"success": {"from": "gateway", "finishReasons": ["stop"]}},
        "spec.success",
        "take them out, or write from: engine",
    ),
    Refused(
        "AIWorkload",
        {"success": {"from": "engine", "statuses": ["200"]}},
        "spec.success",
        "take them out, or write from: gateway",
    ),
    Refused(
        "AIWorkload",
        {"success": {"from": "gateway", "statuses": ["2x"]}},
        "spec.success.statuses[0]",
        "write a status such as 200",
    ),
    Refused("AIWorkload", {"success": {"from": "query"}}, "spec.success", "from: query and query go together"),
    Refused(
        "AIWorkload",
        {"training": {"quality": {"metric": "loss"}, "checkpoint": {"metric": "saved"}}},
        "spec.training",
        "give steps too",
    ),
    Refused(
        "AIWorkload",
        {"training": {"quality": {"metric": "loss", "point": "0"}}},
        "spec.training.quality.point",
        "must be above zero",
    ),
    Refused("PriceBook", {"currency": "usd"}, "spec.currency", "write an ISO 4217 code"),
    Refused("PriceBook", {"asOf": "2026-02-30"}, "spec.asOf", "write a day such as"),
    Refused("PriceBook", {"asOf": "31.01.2026"}, "spec.asOf", "write a day such as"),
    Refused("PriceBook", _entry(none=True), "spec.entries[0]", "give a price"),
    Refused("PriceBook", _entry(perGpuHour="0.00"), "spec.entries[0].perGpuHour", "must be above zero"),
    Refused("PriceBook", _entry(perGpuHour="-2"), "spec.entries[0].perGpuHour", 'for example "2.49"'),
    Refused("PriceBook", _entry(perGpuHour="NaN"), "spec.entries[0].perGpuHour", 'for example "2.49"'),
    Refused("PriceBook", _entry(perGpuHour="1e3"), "spec.entries[0].perGpuHour", 'for example "2.49"'),
    Refused("PriceBook", _entry(perNodeHour="1.0000000001"), "spec.entries[0].perNodeHour", 'for example "2.49"'),
    Refused("PriceBook", _entry(perGpuHour="about two"), "spec.entries[0].perGpuHour", 'for example "2.49"'),
    Refused("PriceBook", _entry(match={}), "spec.entries[0].match", "an empty match prices every node"),
    Refused("PriceBook", _entry(name="H100"), "spec.entries[0].name", "name the item with lower-case"),
    Refused("PriceBook", _entry(perNodeHour="9", split="gpuShare"), "spec.entries[0]", "gpuShare goes with split"),
    Refused("PriceBook", _entry(perNodeHour="9", gpuShare="0.9"), "spec.entries[0]", "gpuShare goes with split"),
    Refused("PriceBook", _entry(split="ratio"), "spec.entries[0]", "there is nothing to split"),
    Refused(
        "PriceBook",
        _entry(perNodeHour="9", split="gpuShare", gpuShare="1.1"),
        "spec.entries[0].gpuShare",
        "write a decimal string from 0 to 1",
    ),
    Refused(
        "PriceBook",
        _entry(**{"from": "2026-07-01", "to": "2026-07-01T00:00:00Z"}),
        "spec.entries[0]",
        "from must be before to: the price holds",
    ),
    Refused("PriceBook", _owned(perNodeHour="9"), "spec.entries[0]", "amortisation is the price"),
    Refused("PriceBook", _owned(commitment={"nodes": 3}), "spec.entries[0]", "amortisation is the price"),
    Refused(
        "PriceBook",
        _owned(owned={"residualValue": "300000.01"}),
        "spec.entries[0].amortisation",
        "residualValue is more than purchasePrice",
    ),
    Refused(
        "PriceBook",
        _owned(owned={"inService": "2026-13-01"}),
        "spec.entries[0].amortisation.inService",
        "write a day such as",
    ),
    Refused(
        "PriceBook",
        _owned(owned={"purchasePrice": "0"}),
        "spec.entries[0].amortisation.purchasePrice",
        "must be above zero",
    ),
    Refused(
        "PriceBook",
        _owned(owned={"power": {**POWER, "pue": "0.9"}}),
        "spec.entries[0].amortisation.power.pue",
        "write a decimal string of 1 or more and below 10",
    ),
    Refused(
        "PriceBook",
        _owned(owned={"power": {**POWER, "loadFactor": "1.2"}}),
        "spec.entries[0].amortisation.power.loadFactor",
        "write a decimal string from 0 to 1",
    ),
    Refused(
        "PriceBook",
        _entry(none=True, commitment={"upfront": "9"}),
        "spec.entries[0]",
        "commitment.upfront is spread over the time of the promise",
    ),
    Refused(
        "PriceBook",
        _entry(commitment={"upfront": "9"}, **{"from": "2026-01-01", "to": "2027-01-01"}),
        "spec.entries[0]",
        "commitment.upfront is paid for a whole node",
    ),
    Refused("PriceBook", _entry(commitment={}), "spec.entries[0].commitment", "say what was promised"),
    Refused("PriceBook", _discount(percent="0.0"), "spec.discounts[0].percent", "must be above zero: write the"),
    Refused("PriceBook", _discount(percent="100"), "spec.discounts[0].percent", "write a percentage above 0"),
    Refused("PriceBook", _discount(percent="-5"), "spec.discounts[0].percent", "write a percentage above 0"),
    Refused("PriceBook", _discount(match={}), "spec.discounts[0].match", "an empty match prices every node"),
    Refused(
        "PriceBook",
        _discount(**{"from": "2026-07-01", "to": "2026-07-01"}),
        "spec.discounts[0]",
        "from must be before to: it holds",
    ),
    Refused("PriceBook", _exchange(base="USD"), "spec.exchangeRates[0]", "base and target are the same currency"),
    Refused("PriceBook", _exchange(rate="0"), "spec.exchangeRates[0].rate", "must be above zero"),
    Refused("PriceBook", _exchange(target="usd"), "spec.exchangeRates[0].target", "write an ISO 4217 code"),
    Refused("PriceBook", _exchange(to="2026-09-30"), "spec.exchangeRates[0]", "from must be before to: it holds"),
    Refused("AICostReport", _BOTH, "spec", "give window or range, not both"),
    Refused("AICostReport", {"filter": {"namespace": ["b"]}}, "spec", "an AICostReport covers its own namespace"),
    Refused("AICostReport", {"window": "fortnight"}, "spec.window", "write today, yesterday"),
    Refused("AICostReport", {"window": "3650d"}, "spec.window", "write today, yesterday"),
    Refused("AICostReport", {"window": "-7d"}, "spec.window", "write today, yesterday"),
    Refused("AICostReport", {"window": "58w"}, "spec.window", "write today, yesterday"),
    Refused("AICostReport", {"window": "9601h"}, "spec.window", "write today, yesterday"),
    Refused(
        "AICostReport",
        {"range": {"from": "2026-02-01", "to": "2026-01-01"}},
        "spec.range",
        "from must be before to: swap",
    ),
    Refused(
        "AICostReport",
        {"range": {"from": "2016-01-01", "to": "2026-01-01"}},
        "spec.range",
        "a report spans at most 400 days",
    ),
    Refused("AICostReport", {"timeZone": "+01:00"}, "spec.timeZone", "write an IANA time zone"),
    Refused("AICostReport", {"filter": {"Team": ["a"]}}, "spec.filter", "filter by"),
    Refused("AICostReport", {"groupBy": ["team", "team"]}, "spec.groupBy", "name each key once"),
    Refused("ClusterAICostReport", {"groupBy": ["Team"]}, "spec.groupBy[0]", "group by one of"),
    Refused("Budget", {"limit": "0"}, "spec.limit", "must be above zero"),
    Refused(
        "Budget",
        {"period": {"type": "Rolling", "length": "30d"}, "rollover": {"mode": "Unused"}},
        "spec",
        "only a Calendar period has a next one",
    ),
    Refused(
        "Budget",
        {"period": {"type": "Rolling", "length": "30d"}, "plannedAmounts": [{"from": "2026-01-01", "amount": "1"}]},
        "spec",
        "plannedAmounts belong to a Calendar period",
    ),
    Refused(
        "Budget",
        {"period": {"type": "Rolling", "length": "30d", "unit": "Day"}},
        "spec.period",
        "unit and startDay belong",
    ),
    Refused("Budget", {"period": {"type": "Rolling"}}, "spec.period", "length belongs to type: Rolling"),
    Refused("Budget", {"period": {"type": "Total"}}, "spec.period", "start belongs to type: Total"),
    Refused("Budget", {"period": {"end": "2026-01-01"}}, "spec.period", "end belongs to type: Total"),
    Refused(
        "Budget",
        {"period": {"type": "Total", "start": "2026-02-01", "end": "2026-01-01"}},
        "spec.period",
        "start must be before end",
    ),
    Refused("Budget", {"period": {"unit": "Week", "startDay": 9}}, "spec.period", "startDay is 1 to 7"),
    Refused("Budget", {"period": {"unit": "Day", "startDay": 1}}, "spec.period", "startDay is 1 to 7"),
    Refused(
        "Budget",
        {"period": {"type": "Rolling", "length": "a month"}},
        "spec.period.length",
        "write a whole number above zero and a unit",
    ),
    Refused(
        "Budget",
        {"rollover": {"mode": "Unused", "maxAmount": "-1"}},
        "spec.rollover.maxAmount",
        'for example "5000"',
    ),
    Refused("Budget", {"ladder": _STEEP}, "spec.ladder", "the ladder ascends"),
    Refused("Budget", _rung(), "spec.ladder[0]", "atPercent belongs to basis"),
    Refused("Budget", _rung(basis="BurnRate"), "spec.ladder[0]", "atBurnRate belongs to basis"),
    Refused("Budget", _rung(basis="CommittedRate"), "spec.ladder[0]", "atRatePerHour belongs to basis"),
    Refused("Budget", _rung(basis="BurnRate", atBurnRate="fast"), "spec.ladder[0].atBurnRate", 'for example "1.5"'),
    Refused("Budget", _rung(atPercent=50, exitPercent=50), "spec.ladder[0]", "exitPercent must be below atPercent"),
    Refused(
        "Budget",
        _rung(basis="Forecast", atPercent=90, gate="Suspend"),
        "spec.ladder[0]",
        "a forecast may open Notify, Annotate and FreezeGrowth only",
    ),
    Refused("Budget", _rung(**_FORECAST_FREEZE), "spec", "only with enforcement.forecastMayFreezeGrowth"),
    Refused(
        "Budget",
        {"redlines": [{"name": "bad", "metric": "TotalCost"}]},
        "spec.redlines[0]",
        "give exactly one of above and below",
    ),
    Refused(
        "Budget",
        {"scope": {"dimensions": {"namespace": ["b"]}}},
        "spec.scope.dimensions",
        "choose by one of team",
    ),
    *(Refused(*case) for case in budget_samples.REFUSED),
    *(Refused("CostLabelPolicy", *case) for case in policy_samples.REFUSED),
    *(Refused("ProviderAccount", *case) for case in account_samples.REFUSED),
    Refused("CostLabelPolicy", *policy_samples.EMPTY, whole=True),
    Refused("ProviderAccount", *account_samples.ELSEWHERE, whole=True),
)
"""One case or more for each rule."""
