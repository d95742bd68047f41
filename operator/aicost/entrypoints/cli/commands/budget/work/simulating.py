"""Finds the budget and the past, and lets one loose on the other."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from fractions import Fraction

from aicost.adapters.clock import now_ms
from aicost.adapters.kube.config import ClusterConfig
from aicost.crd.convert.budget.plan import budget_plan
from aicost.crd.convert.unknown import unknown_fields
from aicost.crd.models.budget.resource import BudgetSpec, ClusterBudgetSpec
from aicost.domain.budgets.gates import Mode
from aicost.domain.budgets.plans import BudgetPlan, BudgetRef
from aicost.domain.budgets.simulation.days import zone_of
from aicost.domain.budgets.simulation.record import Record
from aicost.domain.budgets.spend.scopes import scope_of
from aicost.domain.exact.amounts import parse_nanos
from aicost.domain.exact.windows import Window
from aicost.domain.reporting.spans import parse_span
from aicost.entrypoints.cli.commands.budget.simulating import Trial
from aicost.entrypoints.cli.manifests.documents import Document, read_documents
from aicost.entrypoints.cli.output.budget.reading import Body
from aicost.entrypoints.cli.output.budget.simulation.simulated import Simulated
from aicost.entrypoints.cli.sources.budgets import at_desk
from aicost.entrypoints.cli.sources.cluster import find_cluster
from aicost.entrypoints.cli.sources.spending import namespace_labels, record_of_cluster
from aicost.ports.errors import InvalidRequest
from aicost.usecases.budgets.simulate import SeriesQuestion, question_for, simulate_budget

_KINDS = ("Budget", "ClusterBudget")
Waiting = Callable[[str], AbstractContextManager[None]]


def run(trial: Trial, waiting: Waiting) -> Simulated:
    """Simulate.

    Args:
        trial: what.
        waiting: shows what is being read.

    Raises:
        InvalidRequest: something of it makes no sense, or nothing is known of that time.
        NotPermitted: the budget, or its cost, may not be read.
        ClusterUnavailable, LedgerUnavailable, InvalidAnswer: there is no answer, or one that is none.
    """
    # 1. The budget, with what is to be tried on it, and the time.
    cluster = None if trial.filename and trial.ledger else find_cluster(trial.kubeconfig, trial.context)
    own = _plan(trial, cluster, waiting)
    plan = _tried(own, trial)
    span = _span(trial, plan)
    # 2. The cost in its scope.
    scope = scope_of(plan, _namespaces(plan, cluster, waiting))
    asked = question_for(plan, scope, span)
    record, source = _record(trial, asked, cluster, plan.ref.namespace or None, waiting)
    # 3. What it would have done.
    with waiting("simulating"):
        found = simulate_budget(plan, scope, record, span, acts=trial.mode in {None, Mode.ENFORCE})
    return Simulated(found, span, source, own, trial.again)


def _record(
    trial: Trial, asked: SeriesQuestion, cluster: ClusterConfig | None, namespace: str | None, waiting: Waiting
) -> tuple[Record, str]:
    """What was spent, and where that was read, for people."""
    if trial.ledger is not None:
        from aicost.entrypoints.cli.sources.ledger import record_of_ledger  # noqa: PLC0415 -- Delta takes a second

        with waiting(f"reading the ledger at {trial.ledger}"):
            return record_of_ledger(trial.ledger, asked, trial.ledger_cluster), f"ledger {trial.ledger}"
    assert cluster is not None
    with waiting(f"asking {cluster.server}"):
        return record_of_cluster(cluster, asked, namespace), cluster.server


def _plan(trial: Trial, cluster: ClusterConfig | None, waiting: Waiting) -> BudgetPlan:
    """The budget as it is."""
    body, where = _body(trial, cluster, waiting)
    read = budget_plan(body, trial.time_zone)
    model = BudgetSpec if body["metadata"].get("namespace") else ClusterBudgetSpec
    odd = unknown_fields(model, body.get("spec")) if trial.filename else ()
    if problems := [*(() if read.value else read.problems), *odd]:
        raise InvalidRequest(f"{where}: {'; '.join(map(str, problems))}")
    assert read.value is not None
    return read.value


def _body(trial: Trial, cluster: ClusterConfig | None, waiting: Waiting) -> tuple[Body, str]:
    """The object, and what it is for people."""
    if trial.filename:
        found = _chosen(read_documents([trial.filename]), trial)
        return _placed(found, trial, cluster), f"{found.source} line {found.line}"
    assert cluster is not None
    ref = BudgetRef(trial.budget, "" if trial.cluster else trial.namespace or cluster.namespace)
    with waiting(f"asking {cluster.server}"):
        return at_desk(cluster, lambda desk: desk.budget(ref)), str(ref)


def _chosen(documents: Sequence[Document], trial: Trial) -> Document:
    """The budget that is meant."""
    budgets = [one for one in documents if one.kind in _KINDS and _name(one)]
    named = [one for one in budgets if trial.budget in {"", _name(one)}]
    if len(named) == 1:
        return named[0]
    there = ", ".join(map(_name, budgets))
    if not budgets:
        raise InvalidRequest(f"{trial.filename}: no Budget or ClusterBudget with a name is in it")
    if trial.budget:
        raise InvalidRequest(f"budget: {trial.budget!r} is not one alone in {trial.filename}, which has {there}")
    raise InvalidRequest(f"{trial.filename}: several budgets are in it: name one of {there}")


def _name(document: Document) -> str:
    metadata = document.body.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, Mapping) else ""


def _placed(document: Document, trial: Trial, cluster: ClusterConfig | None) -> Body:
    """The object in its namespace; a ClusterBudget has none."""
    metadata = {key: value for key, value in document.body["metadata"].items() if key != "namespace"}
    if document.kind == "ClusterBudget":
        return {**document.body, "metadata": metadata}
    own = document.body["metadata"].get("namespace")
    if own and trial.namespace not in {None, own}:
        raise InvalidRequest(f"--namespace {trial.namespace}: the manifest says {own}: leave one out")
    namespace = own or trial.namespace or (cluster.namespace if cluster else None)
    if not namespace:
        raise InvalidRequest(f"{document.source}: {_name(document)} names no namespace: add -n NAMESPACE")
    return {**document.body, "metadata": {**metadata, "namespace": namespace}}


def _tried(plan: BudgetPlan, trial: Trial) -> BudgetPlan:
    """The budget with what is to be tried on it."""
    if trial.limit:
        plan = replace(plan, limits=((-(2**63), _limit(trial.limit)),))
    if trial.assume_labelled:
        plan = replace(plan, safety=replace(plan.safety, enough_labels=Fraction(0)))
    return replace(plan, max_gate=trial.max_gate or plan.max_gate, mode=trial.mode or plan.mode)


def _limit(text: str) -> int:
    try:
        nanos = parse_nanos(text)
    except ValueError as problem:
        raise InvalidRequest(f"--limit {problem}") from problem
    if nanos <= 0:
        raise InvalidRequest(f"--limit {text}: must be above zero")
    return nanos


def _span(trial: Trial, plan: BudgetPlan) -> Window:
    try:
        return parse_span(trial.window, now_ms(), zone_of(plan.rule, trial.time_zone))
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem


def _namespaces(plan: BudgetPlan, cluster: ClusterConfig | None, waiting: Waiting) -> Mapping[str, Mapping[str, str]]:
    """Labels of namespaces, where the budget chooses by them."""
    if plan.namespaces is None:
        return {}
    if cluster is None:
        raise InvalidRequest(
            "spec.scope.namespaceSelector: a ledger does not know the labels of namespaces: name them in "
            "spec.scope.namespaces, or ask a cluster without --ledger"
        )
    with waiting(f"asking {cluster.server}"):
        return namespace_labels(cluster)
