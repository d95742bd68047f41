"""`aicost check`: what admission would say of manifests, before they are applied."""

import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from aicost.adapters.clock import now_ms
from aicost.domain.policy.decisions import Verdict
from aicost.entrypoints.cli.commands.estimate import input_options, named_places
from aicost.entrypoints.cli.options import in_form
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest


class Form(StrEnum):
    """What a verdict is printed as."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


class FailOn(StrEnum):
    """The mildest verdict that makes the command fail."""

    DENY = "deny"
    WARN = "warn"


_FAILED = 1
_EPILOG = """\b
EXIT CODES
  0  all objects would be let in
  1  an object would be denied (with --fail-on warn: or let in with a warning), or the cluster did not answer
  2  the request makes no sense, or a file cannot be read

\b
EXAMPLES
  aicost check -f deploy.yaml                                    by the policies of your cluster
  aicost check -f manifests/ --policy policies.yaml              by policies in a file, without a cluster
  helm template ./chart | aicost check -f - -n team-a            a chart, as it would be in a namespace
  aicost check -f manifests/ --policy policies.yaml -o sarif     for code review
"""


@click.command("check", epilog=_EPILOG, short_help="What admission would say of manifests, before they are applied.")
@input_options
@click.option(
    "--policy",
    multiple=True,
    metavar="FILE|DIR",
    help="CostLabelPolicies to judge by, and what they refer to (Namespaces, ConfigMaps). Asks no cluster, "
    "unless one is named by --kubeconfig or --context. Repeatable.",
)
@click.option(
    "--namespace-labels",
    multiple=True,
    metavar="[NAME:]KEY=VALUE",
    help="A label of a namespace, of that of --namespace where none is named. Repeatable.",
)
@click.option("--group", multiple=True, metavar="GROUP", help="A group of who will apply it. Repeatable.")
@click.option(
    "--fail-on",
    default=FailOn.DENY.value,
    show_default=True,
    type=click.Choice([each.value for each in FailOn]),
    help="The mildest verdict that makes the exit code 1.",
)
@in_form(Form, "json: with the labels that admission would write. sarif: for code review.", Form.TEXT.value)
def check(  # noqa: PLR0913 -- one parameter per option
    *,
    files: Sequence[str],
    filenames: Sequence[str],
    namespace: str | None,
    kubeconfig: Path | None,
    context: str | None,
    policy: Sequence[str],
    namespace_labels: Sequence[str],
    group: Sequence[str],
    fail_on: str,
    form: str,
) -> int:
    """Check the cost labels of manifests: what admission would say if they were created now.

    The same decision as at admission, by the policies of your cluster, read with your kubeconfig, or by those of files.
    Each thing that is wrong stands with its line and its fix.
    """
    places = named_places(files, filenames)
    home = namespace or "default"
    beside = _namespaces(namespace_labels, home)
    from aicost.domain.policy.requests import Requester  # noqa: PLC0415 -- yaml, pydantic and aiohttp take long
    from aicost.entrypoints.cli.manifests.documents import read_documents  # noqa: PLC0415
    from aicost.entrypoints.cli.manifests.verdicts import check_all  # noqa: PLC0415
    from aicost.entrypoints.cli.manifests.workloads import workloads_of  # noqa: PLC0415

    documents = read_documents(places)
    objects = workloads_of(documents, home)
    rules = _rules(policy, kubeconfig, context, [one.workload for one in objects])
    snapshot = rules.snapshot([*(document.body for document in documents), *beside])
    checked = check_all(objects, snapshot, Requester("", tuple(group)), now_ms())
    _show(checked, snapshot, rules, Form(form))
    failing = {Verdict.DENY} if FailOn(fail_on) is FailOn.DENY else {Verdict.DENY, Verdict.WARN}
    return _FAILED if any(one.decision.verdict in failing for one in checked) else 0


def _namespaces(texts: Sequence[str], home: str) -> list[Mapping[str, Any]]:
    """Namespaces with the labels that were given, as objects."""
    labels: dict[str, dict[str, str]] = {}
    for text in texts:
        head, equals, value = text.partition("=")
        name, colon, key = head.rpartition(":")
        if not equals or not key:
            raise InvalidRequest(f"--namespace-labels {text!r}: write KEY=VALUE, or NAMESPACE:KEY=VALUE")
        labels.setdefault(name if colon else home, {})[key] = value
    return [{"kind": "Namespace", "metadata": {"name": name, "labels": found}} for name, found in labels.items()]


def _rules(policy: Sequence[str], kubeconfig: Path | None, context: str | None, workloads: Sequence[Any]) -> Any:
    from aicost.entrypoints.cli.sources.cluster import find_cluster  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.sources.policies import rules_of_cluster, rules_of_files  # noqa: PLC0415

    files = rules_of_files(policy) if policy else None
    if files is not None and not kubeconfig and not context:
        return files
    config = find_cluster(kubeconfig, context, instead="or name policies by --policy")
    with progress(f"asking {config.server}", sys.stderr, detect(sys.stderr, dict(os.environ))):
        return rules_of_cluster(config, workloads, files)


def _show(checked: Sequence[Any], snapshot: Any, rules: Any, form: Form) -> None:
    from aicost.entrypoints.cli.output import check_document, check_text  # noqa: PLC0415 -- as above

    if form is Form.JSON:
        click.echo(check_document.as_json(checked, rules.of, snapshot.revision, rules.gaps))
        return
    for gap in rules.gaps:
        click.echo(f"note: {gap}", err=True)
    if form is Form.SARIF:
        click.echo(check_document.as_sarif(checked))
    else:
        terminal = detect(sys.stdout, dict(os.environ))
        click.echo(check_text.draw_verdicts(checked, snapshot, rules.of, terminal), color=True)
