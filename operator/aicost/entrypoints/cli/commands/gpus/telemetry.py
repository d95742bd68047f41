"""`aicost telemetry`: whether the samples of each GPU node can be trusted."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from aicost.entrypoints.cli.options import in_form, of_a_cluster
from aicost.entrypoints.cli.terminal import Doing, detect, progress
from aicost.ports.errors import InvalidRequest

_EPILOG = """\b
EXAMPLES
  aicost telemetry                          all nodes of the cluster, as of the last look
  aicost telemetry --bundle ./bundle        a recorded window, judged minute by minute
  aicost telemetry --strict                 ends with 1 unless all nodes can be trusted
"""


@click.command("telemetry", epilog=_EPILOG, short_help="Whether the samples of each GPU node can be trusted.")
@click.option("--bundle", metavar="BUNDLE", help="Judge this bundle, a directory or tar file; no cluster is asked.")
@click.option("--node", metavar="NAME", help="One node.")
@click.option("--strict", is_flag=True, help="End with 1 unless all nodes can be trusted.")
@in_form(("table", "json"), "json: all reasons with what to do.", "table")
@of_a_cluster
def telemetry(
    *, bundle: str | None, node: str | None, strict: bool, form: str, kubeconfig: Path | None, context: str | None
) -> int:
    """Say of each GPU node whether its telemetry can be trusted, why not, and what to do.

    Figures of a node that is not trusted are missing or held back, never made up: time without samples is
    allocated-unmeasured, and shared GPUs whose values per pod contradict them are split by reservation.
    """
    if bundle and (kubeconfig or context):
        raise InvalidRequest("--bundle asks no cluster: leave out --kubeconfig and --context")
    document = _of_node(_obtain(bundle, kubeconfig, context), node)
    if form == "json":
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        from aicost.entrypoints.cli.output.gpus.telemetry_screen import telemetry_screen  # noqa: PLC0415 -- once there is one

        click.echo(telemetry_screen(document, detect(sys.stdout, dict(os.environ))), color=True)
    return int(strict and any(one["trusted"] != "True" for one in document["nodes"]))


def _of_node(document: Mapping[str, Any], node: str | None) -> Mapping[str, Any]:
    """The same document of one node.

    Raises:
        InvalidRequest: there is no such node.
    """
    if node is None:
        return document
    nodes = [one for one in document["nodes"] if one["node"] == node]
    if not nodes:
        there = ", ".join(one["node"] for one in document["nodes"][:5]) or "none"
        raise InvalidRequest(f"--node {node}: no GPU node has that name; there are: {there}")
    return {**document, "nodes": nodes, "episodes": [one for one in document["episodes"] if one["node"] == node]}


def _obtain(bundle: str | None, kubeconfig: Path | None, context: str | None) -> Mapping[str, Any]:
    """The document, of a bundle or of the query API. What takes long to import is imported where it is needed."""
    stderr = detect(sys.stderr, dict(os.environ))
    if bundle:
        from aicost.entrypoints.cli.trust.bundle import judge_bundle  # noqa: PLC0415 -- NumPy takes a while to import

        doing = Doing(f"reading {bundle}")
        with progress(doing, sys.stderr, stderr):
            return judge_bundle(bundle, doing.say)
    from aicost.crd.trust.resource import NODE_TELEMETRIES  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.sources.cluster import ask_document, find_cluster  # noqa: PLC0415 -- as above

    config = find_cluster(kubeconfig, context, instead="or judge a bundle by --bundle")
    with progress(f"asking {config.server}", sys.stderr, stderr):
        return ask_document(config, NODE_TELEMETRIES, {}, None)
