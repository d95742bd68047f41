"""What a policy says of the models, GPU types and providers that an object uses."""

from collections.abc import Iterator, Mapping, Sequence

from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.normalise import normalise
from aicost.domain.inventory.machines import machine_type
from aicost.domain.inventory.node_labels import INSTANCE_TYPE_LABELS, first_label
from aicost.domain.policy.decisions import Problem, ProblemCode
from aicost.domain.policy.judging.hearing import Hearing
from aicost.domain.policy.judging.places import Place
from aicost.domain.policy.policies import Mode, UseRule
from aicost.domain.policy.texts import one_line, quoted, some_of
from aicost.domain.policy.wildcards import matches_any

_CLOUDS = {
    "eks.amazonaws.com/": "aws",
    "karpenter.k8s.aws/": "aws",
    "k8s.amazonaws.com/": "aws",
    "cloud.google.com/": "gcp",
    "kubernetes.azure.com/": "azure",
    "karpenter.azure.com/": "azure",
    "doks.digitalocean.com/": "digitalocean",
}
"""Labels that only the nodes of one cloud have."""

_NO_GPU_MODEL = "does not say which GPU it wants, so it may get any"
_KINDS = {ProblemCode.MODEL: "model", ProblemCode.GPU_MODEL: "gpu", ProblemCode.PROVIDER: "provider"}


def judge_use(hearing: Hearing, rule: UseRule) -> Iterator[Problem]:
    """All that an object uses and a rule does not permit. Each rule that speaks of the object holds by itself.

    What the object does not name is not judged, but for the GPU type: one that leaves it out gets a warning at most.
    """
    places = [place for place in hearing.running if _speaks_of(rule, hearing, place)]
    if not places:
        return
    if rule.models:
        yield from _not_permitted(hearing, rule, ProblemCode.MODEL, _models(hearing, places), rule.models)
    for place in places:
        yield from _hardware(hearing, rule, place)


def _speaks_of(rule: UseRule, hearing: Hearing, place: Place) -> bool:
    of_team = not rule.teams or hearing.value(Dimension.TEAM, place) in rule.teams
    return of_team and (not rule.stages or hearing.value(Dimension.STAGE, place) in rule.stages)


def _hardware(hearing: Hearing, rule: UseRule, place: Place) -> Iterator[Problem]:
    template = place.template
    if template is None:
        return
    hints = template.hints
    if rule.providers:
        found = providers(hints.node_labels)
        yield from _not_permitted(hearing, rule, ProblemCode.PROVIDER, found, rule.providers, place.name)
    if rule.gpu_models:
        yield from _not_permitted(hearing, rule, ProblemCode.GPU_MODEL, hints.models, rule.gpu_models, place.name)
        if not hints.models and (template.demand or template.claims or template.gpu_milli != 0):
            yield _problem(hearing, rule, ProblemCode.GPU_MODEL, "", rule.gpu_models, place.name)


def _models(hearing: Hearing, places: Sequence[Place]) -> tuple[str, ...]:
    """The AI models that an object names, in normal form: in what it runs, and as a label."""
    labelled = (hearing.value(Dimension.MODEL, place) for place in places)
    forms = (normalise(Dimension.MODEL, raw[:1024]) for raw in (*hearing.workload.models, *labelled))
    return tuple(dict.fromkeys(form for form in forms if form))


def providers(node_labels: Mapping[str, str]) -> tuple[str, ...]:
    """Providers that a pod's wishes for its node tell, as price books name them."""
    machine = machine_type(first_label(node_labels, INSTANCE_TYPE_LABELS))
    of_clouds = (name for prefix, name in _CLOUDS.items() if any(key.startswith(prefix) for key in node_labels))
    return tuple(dict.fromkeys((*([machine.provider] if machine else []), *of_clouds)))


def _not_permitted(
    hearing: Hearing,
    rule: UseRule,
    code: ProblemCode,
    values: Sequence[str],
    patterns: Sequence[str],
    template: str = "",
) -> Iterator[Problem]:
    for value in values:
        if not matches_any(patterns, value):
            yield _problem(hearing, rule, code, value, patterns, template)


def _problem(
    hearing: Hearing, rule: UseRule, code: ProblemCode, value: str, patterns: Sequence[str], template: str
) -> Problem:
    mode = rule.mode or hearing.mode
    if not value and mode is not Mode.AUDIT:
        mode = Mode.WARN
    what = f"{_KINDS[code]} {quoted(value)} is not permitted" if value else f"it {_NO_GPU_MODEL}"
    notes = [f"permitted by {rule.name}: {some_of(patterns)}", one_line(rule.hint)]
    notes.append(f"ask {one_line(rule.approval)}" if rule.approval else "")
    text = f"{what} ({'; '.join(note for note in notes if note)})"
    return Problem(code, hearing.policy.name, _KINDS[code], value, text, mode, template)
