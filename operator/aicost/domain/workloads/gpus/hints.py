"""Which GPUs a pod would run on, as far as its spec says."""

from collections.abc import Iterator, Mapping
from typing import Any

from aicost.domain.inventory.gpu_models import MODEL_LABELS, canonical_model, known_model
from aicost.domain.inventory.machines import machine_type
from aicost.domain.inventory.node_labels import INSTANCE_TYPE_LABELS, first_label
from aicost.domain.workloads.foreign import Json, at, items, mapping, text, texts
from aicost.domain.workloads.shapes import GpuHints

_REQUIRED = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
_GPU_TYPE_ANNOTATIONS = ("nvidia.com/use-gputype", "hami.io/use-gputype", "volcano.sh/use-gputype")
_GPU_WORDS = ("gpu", "accelerator")
_SAGEMAKER = "ml."
"""Before the names of machines that SageMaker lends."""
_LONGEST = 256


def gpu_hints(spec: Json, annotations: Mapping[str, str], claimed: tuple[str, ...] = ()) -> GpuHints:
    """Read node selectors, required affinity, annotations and what claims select.

    The sources narrow each other down, so the first that names models counts: claims, annotations, selectors.

    Args:
        spec: the pod's.
        annotations: the pod's.
        claimed: models that its DRA claims select.
    """
    wanted, choices = texts(spec.get("nodeSelector")), list(_terms(spec))
    if len(choices) == 1:
        wanted = {**{key: values[0] for key, values in choices[0].items() if len(values) == 1}, **wanted}
    models = claimed or _annotated(annotations) or _selected(wanted) or _chosen(choices)
    return GpuHints(tuple(dict.fromkeys(models)), wanted)


def _terms(spec: Json) -> Iterator[dict[str, tuple[str, ...]]]:
    """Each alternative of the required node affinity, as label -> values that will do."""
    for term in items(at(spec, _REQUIRED)):
        expressions = [mapping(each) for each in items(mapping(term).get("matchExpressions"))]
        yield {
            key: values
            for each in expressions
            if each.get("operator") == "In" and (key := text(each.get("key"))) and (values := _values(each))
        }


def _values(expression: Json) -> tuple[str, ...]:
    return tuple(each for each in items(expression.get("values")) if isinstance(each, str))


def _selected(labels: Mapping[str, str]) -> list[str]:
    """The one model that labels of a node name; a machine type names one too."""
    named = [model for key, value in labels.items() if (model := _model(key, value))]
    if named:
        return named[:1]
    machine = machine_type(first_label(labels, INSTANCE_TYPE_LABELS)[:_LONGEST].removeprefix(_SAGEMAKER))
    return [machine.gpu_model] if machine else []


def _chosen(choices: list[dict[str, tuple[str, ...]]]) -> list[str]:
    """The models of all alternatives; none where an alternative leaves the model open."""
    each = [
        [model for key, values in choice.items() for value in values for model in _selected({key: value})]
        for choice in choices
    ]
    return [model for models in each for model in models] if all(each) else []


def _annotated(annotations: Mapping[str, str]) -> list[str]:
    named = first_label(annotations, _GPU_TYPE_ANNOTATIONS)[:_LONGEST]
    return [model for part in named.split(",") if (model := known_model(part))]


def _model(key: str, value: str) -> str | None:
    """The model that a label names: any name under the labels made for it, a known one under similar labels."""
    if len(value) > _LONGEST:
        return None
    if key in MODEL_LABELS:
        return canonical_model(value)
    name = key.rpartition("/")[2].lower()
    return known_model(value) if any(word in name for word in _GPU_WORDS) else None


def selected_models(expressions: Any) -> tuple[str, ...]:
    """Models that CEL selectors of a DRA request name: the texts beside `productName` that are known models."""
    return tuple(model for each in items(expressions) for model in _in_cel(text(at(each, ("cel", "expression")))))


def _in_cel(expression: str) -> list[str]:
    if "productName" not in expression or "!" in expression or len(expression) > 4 * _LONGEST:
        return []
    quoted = expression.replace('"', "'").split("'")[1::2]
    return [model for each in quoted if (model := known_model(each.strip("^$.*()?i")))]
