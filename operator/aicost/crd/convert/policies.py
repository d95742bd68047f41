"""A CostLabelPolicy as the domain knows it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from aicost.crd.convert.claims import label_selector
from aicost.crd.convert.keys import first_of_each, label_key, repeated
from aicost.crd.convert.parsing import Converted, SpecProblem, parse, shortened
from aicost.crd.convert.scopes import namespace_scope
from aicost.crd.fields.amounts import fraction_ppm
from aicost.crd.fields.text import moment_ms
from aicost.crd.models.policy import uses as api
from aicost.crd.models.policy.keys import LabelKeyPolicy
from aicost.crd.models.policy.resource import CostLabelPolicySpec
from aicost.crd.models.policy.rules import AttributionRule as ApiRule
from aicost.crd.models.policy.rules import RuleMatch as ApiMatch
from aicost.crd.schema.base import ApiModel
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.normalise import normalise
from aicost.domain.inventory.gpu_models import FAMILIES, canonical_model
from aicost.domain.policy.policies import AttributionRule, Exemption, LabelPolicy, ModeOverride, RuleMatch, UseRule

Model = TypeVar("Model", bound=ApiModel)
Value = TypeVar("Value")
_LISTS = ("keys", "uses", "exemptions", "attributionRules")
_Read = tuple[tuple[Value, ...], tuple[SpecProblem, ...]]


def label_policy(body: Mapping[str, Any]) -> Converted[LabelPolicy]:
    """Read a CostLabelPolicy. A key, rule or exemption that is not usable is left out and told; the rest holds.

    Mode, scope and mode overrides say how strict the policy is and where: where they cannot be read, nothing holds.
    """
    spec = body.get("spec") or {}
    if not isinstance(spec, Mapping):
        return Converted(None, (SpecProblem("spec", shortened(spec), "write a mapping"),))
    head = parse(CostLabelPolicySpec, {**spec, **{name: [] for name in _LISTS if name in spec}}, "spec")
    if head.value is None:
        return Converted(None, head.problems)
    keys, bad_keys = _each(LabelKeyPolicy, spec, "keys", label_key)
    uses, bad_uses = _each(api.UseRule, spec, "uses", _use)
    exemptions, bad_exemptions = _each(api.Exemption, spec, "exemptions", _exemption)
    rules, bad_rules = _each(ApiRule, spec, "attributionRules", _rule)
    metadata = body["metadata"]
    policy = LabelPolicy(
        name=str(metadata["name"]),
        uid=str(metadata.get("uid", "")),
        generation=int(metadata.get("generation") or 0),
        mode=head.value.mode,
        keys=first_of_each(keys),
        uses=uses,
        exemptions=exemptions,
        overrides=_overrides(head.value),
        rules=rules,
        kinds=tuple(head.value.kinds or ()),
        namespaces=namespace_scope(head.value.namespaces),
        engine=head.value.engine,
        help_url=head.value.help_url or "",
        contact=head.value.contact or "",
        min_coverage_ppm=fraction_ppm(head.value.min_coverage),
        unused_days=head.value.unused_days,
    )
    return Converted(policy, (*bad_keys, *repeated(keys), *bad_uses, *bad_exemptions, *bad_rules))


def _each(
    model: type[Model], spec: Mapping[str, Any], name: str, read: Callable[[Model, str], Converted[Value]]
) -> _Read[Value]:
    """The usable items of a list, and what is wrong with the others."""
    raw = spec.get(name) or []
    if not isinstance(raw, list):
        return (), (SpecProblem(f"spec.{name}", shortened(raw), "write a list"),)
    found = [_item(model, item, f"spec.{name}[{place}]", read) for place, item in enumerate(raw)]
    usable = tuple(one.value for one in found if one.value is not None)
    return usable, tuple(problem for one in found for problem in one.problems)


def _item(
    model: type[Model], raw: object, where: str, read: Callable[[Model, str], Converted[Value]]
) -> Converted[Value]:
    parsed = parse(model, raw, where)
    return Converted(None, parsed.problems) if parsed.value is None else read(parsed.value, where)


def _use(use: api.UseRule, where: str) -> Converted[UseRule]:  # noqa: ARG001
    rule = UseRule(
        name=use.name,
        teams=tuple(use.teams or ()),
        stages=tuple(use.stages or ()),
        models=tuple(pattern.lower() for pattern in use.models or ()),
        gpu_models=tuple(_gpu_pattern(pattern) for pattern in use.gpu_models or ()),
        providers=tuple(pattern.lower() for pattern in use.providers or ()),
        mode=use.mode,
        hint=use.hint or "",
        approval=use.approval or "",
    )
    return Converted(rule)


def _gpu_pattern(pattern: str) -> str:
    """A pattern over canonical GPU models. A model that is sold in several sizes means all of them."""
    if "*" in pattern:
        return pattern.lower()
    model = canonical_model(pattern) or pattern.lower()
    sized = any(family.name == model and family.sizes_gb for family in FAMILIES)
    return f"{model}-*" if sized else model


def _exemption(exemption: api.Exemption, where: str) -> Converted[Exemption]:  # noqa: ARG001
    read = Exemption(
        name=exemption.name,
        until_ms=moment_ms(exemption.until),
        approved_by=exemption.approved_by,
        reason=exemption.reason or "",
        namespaces=namespace_scope(exemption.namespaces),
        selector=label_selector(exemption.selector),
        keys=tuple(exemption.keys or ()),
    )
    return Converted(read)


def _overrides(spec: CostLabelPolicySpec) -> tuple[ModeOverride, ...]:
    found = ((namespace_scope(one.namespaces), one.mode) for one in spec.mode_overrides or ())
    return tuple(ModeOverride(scope, mode) for scope, mode in found if scope is not None)


def _rule(rule: ApiRule, where: str) -> Converted[AttributionRule]:
    """A rule with its values in normal form; one that says nothing (`untagged`) is told and left out."""
    values: dict[Dimension, str] = {}
    problems: list[SpecProblem] = []
    for name, raw in rule.dimensions.items():
        value = normalise(Dimension(name), raw)
        if value is None:
            fix = "the value names nothing: write a name, or leave the dimension out"
            problems.append(SpecProblem(f"{where}.dimensions.{name}", repr(raw), fix))
        else:
            values[Dimension(name)] = value
    read = AttributionRule(rule.name, _match(rule.match), values, rule.override) if values else None
    return Converted(read, tuple(problems))


def _match(match: ApiMatch) -> RuleMatch:
    return RuleMatch(
        namespaces=_patterns(match.namespaces),
        labels=label_selector(match.labels),
        owners=_patterns(match.owners),
        images=_patterns(match.images),
        models=_patterns(match.models),
        service_accounts=_patterns(match.service_accounts),
        nodes=_patterns(match.nodes),
    )


def _patterns(patterns: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(patterns or ())
