"""A decision or a review as it stands on the screen."""

from collections.abc import Iterator

from aicost.domain.budgets.overrides.values import OverrideClass, Ruling
from aicost.entrypoints.cli.output.budget.classes import Prediction, asked_words, class_words
from aicost.entrypoints.cli.output.budget.hints import on_budget
from aicost.entrypoints.cli.output.budget.reading import Body, name_of, text
from aicost.entrypoints.cli.output.budget.telling import facts, title
from aicost.entrypoints.cli.output.facts import Fact
from aicost.entrypoints.cli.terminal import Style, Terminal


def decision_screen(
    body: Body, one: Prediction, as_class: OverrideClass | None, program: str, terminal: Terminal
) -> str:
    """What was decided, or that it was reviewed; `as_class` is None for a review."""
    told = _reviewed(body, one) if as_class is None else _decided(body, one, as_class, program)
    head = "was reviewed" if as_class is None else f"was {text(body, 'spec', 'decision', 'state').lower()}"
    head = f"BudgetOverride {one.override.namespace}/{name_of(body)} {head}"
    return "\n".join([*title(head, terminal), "", *facts(told, terminal)])


def _decided(body: Body, one: Prediction, as_class: OverrideClass, program: str) -> Iterator[Fact]:
    decision = body["spec"]["decision"]
    comment = text(decision, "comment")
    yield "Asked", f"{asked_words(one)}, of {one.budget}, by {one.override.requested_by}", Style.PLAIN
    yield "Decided", f"as {as_class} by {text(decision, 'by')}{f': {comment}' if comment else ''}", Style.PLAIN
    if text(decision, "state") == Ruling.DENIED:
        yield "Next", "nothing changes", Style.PLAIN
        return
    yield "Rules say", class_words(one), Style.PLAIN
    if as_class is OverrideClass.MINOR and one.found and one.found.as_class is OverrideClass.MAJOR:
        yield "Not enough", "it is more than a minor overrun, so it does not hold: it takes --class major", Style.WARN
        return
    yield "Next", f"the budget takes it up within a minute: {on_budget(program, 'why', one.budget)}", Style.PLAIN


def _reviewed(body: Body, one: Prediction) -> Iterator[Fact]:
    review = body["spec"]["review"]
    yield "Used by", f"{one.override.requested_by}: {one.override.reason}", Style.PLAIN
    yield "Reviewed", f"by {text(review, 'by')}: {text(review, 'comment')}", Style.PLAIN
