"""Commands to copy: what one would do next, on the object that was looked at."""

from aicost.domain.budgets.plans import BudgetRef
from aicost.entrypoints.cli.output.budget.telling import command


def on_budget(program: str, verb: str, budget: BudgetRef, *more: str) -> str:
    """A verb on a budget."""
    place = ("-n", budget.namespace) if budget.namespace else ("--cluster",)
    return command(program, "budget", verb, budget.name, *place, *more)


def on_request(program: str, verb: str, namespace: str, name: str, *more: str) -> str:
    """A verb on a request for more."""
    return command(program, "budget", verb, name, "-n", namespace, *more)


def observe(budget: BudgetRef) -> str:
    """How a budget is told to do nothing any more, and to undo what it did."""
    place = ("-n", budget.namespace) if budget.namespace else ()
    patch = '{"spec":{"mode":"Observe"}}'
    return command("kubectl patch", budget.kind.lower(), budget.name, *place, f"--type merge -p '{patch}'")
