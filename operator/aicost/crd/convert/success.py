"""What an AIWorkload says of success, as the domain knows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aicost.crd.convert.parsing import Converted, SpecProblem, parse, shortened
from aicost.crd.models.aiworkload import AIWorkloadSpec
from aicost.crd.models.success import Success
from aicost.domain.serving.outcomes.judged import USUAL_REASONS
from aicost.domain.serving.outcomes.queries import BadQuery, bind
from aicost.domain.serving.outcomes.rules import USUAL_STATUSES, SuccessRule
from aicost.ports.measured.successes import SuccessQuery
from aicost.ports.measured.units import WorkloadKey

_ANY = 'namespace=""'


@dataclass(frozen=True, slots=True)
class WorkloadSuccess:
    """What counts as a success of a workload, and what to ask for it; None where nothing needs to be asked."""

    workload: WorkloadKey
    rule: SuccessRule
    query: SuccessQuery | None = None


def workload_success(body: Mapping[str, Any]) -> Converted[WorkloadSuccess]:
    """Read what an AIWorkload says of success; nothing for one that says nothing of it."""
    read = parse(AIWorkloadSpec, body.get("spec") or {}, "spec")
    said = None if read.value is None else read.value.success
    if said is None:
        return Converted(None, read.problems)
    if problems := _problems(said):
        return Converted(None, problems)
    namespace, name = str(body["metadata"]["namespace"]), str(body["metadata"]["name"])
    rule = SuccessRule(
        said.from_, frozenset(said.finish_reasons or USUAL_REASONS), tuple(said.statuses or USUAL_STATUSES)
    )
    query = None
    if said.query is not None:
        query = SuccessQuery(namespace, name, said.query.successes, said.query.failures or "")
    return Converted(WorkloadSuccess((namespace, name), rule, query))


def _problems(said: Success) -> tuple[SpecProblem, ...]:
    """Queries that cannot be held to a namespace are never asked."""
    found = []
    for name, text in (
        ("successes", said.query and said.query.successes),
        ("failures", said.query and said.query.failures),
    ):
        try:
            bind(text or "any", _ANY, "1h")
        except BadQuery as problem:
            found.append(SpecProblem(f"spec.success.query.{name}", shortened(text), str(problem)))
    return tuple(found)
