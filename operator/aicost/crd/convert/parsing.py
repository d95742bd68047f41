"""From an object as the API server shows it to a model, with what is wrong as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from aicost.crd.schema.base import ApiModel
from aicost.domain.reporting.spans import parse_zone

Value = TypeVar("Value")
Model = TypeVar("Model", bound=ApiModel)
_SHOWN = 80
_OWN_WORDS = "Value error, "


@dataclass(frozen=True, slots=True)
class SpecProblem:
    """One thing that is wrong with an object.

    Attributes:
        field: path of the field, as in `spec.entries[0].perGpuHour`.
        value: what stands there, cut to a readable length.
        fix: what is wrong and how to put it right.
    """

    field: str
    value: str
    fix: str

    def __str__(self) -> str:
        return f"{self.field}: {self.value}: {self.fix}"


@dataclass(frozen=True, slots=True)
class Converted(Generic[Value]):
    """What could be read of an object, and what could not.

    Attributes:
        value: None where nothing of it is usable.
        problems: what is wrong; with a value, the parts that were left out.
    """

    value: Value | None
    problems: tuple[SpecProblem, ...] = ()


def parse(model: type[Model], raw: object, where: str = "") -> Converted[Model]:
    """Read a model from JSON values.

    Args:
        model: what to read.
        raw: the value, from JSON.
        where: path of the value, put before the path of each problem.
    """
    try:
        return Converted(model.model_validate(raw))
    except ValidationError as error:
        return Converted(None, tuple(_problem(found, where) for found in error.errors(include_url=False)))


def zone_problem(zone: str, field: str) -> SpecProblem | None:
    """What is wrong with a time zone; None for one that is known here."""
    try:
        parse_zone(zone)
    except ValueError as unknown:
        return SpecProblem(field, repr(zone), str(unknown))
    return None


def shortened(value: object) -> str:
    """A value as a problem shows it: cut to a readable length."""
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."


def _problem(found: Mapping[str, Any], where: str) -> SpecProblem:
    return SpecProblem(
        field=_path(where, found["loc"]),
        value=shortened(found["input"]),
        fix=str(found["msg"]).removeprefix(_OWN_WORDS),
    )


def _path(where: str, steps: tuple[int | str, ...]) -> str:
    path = where
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")
