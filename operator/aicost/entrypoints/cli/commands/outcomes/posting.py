"""`aicost outcomes post`: say which answers were a success and which were not."""

import os
import sys
from collections import Counter
from pathlib import Path

import click

from aicost.adapters.clock import now_ms
from aicost.entrypoints.cli.options import of_a_cluster
from aicost.entrypoints.cli.terminal import Doing, detect, progress
from aicost.ports.errors import AicostError, InvalidRequest

_EPILOG = """\b
FILES
  JSON lines, a JSON list, or CSV whose first line names the fields; - reads what is piped in.
  id         of the request or trace: of several statements about one request the last one counts
  at         when the request was made: 2026-03-02T09:30:00Z, at most 35 days ago
  workload   the AIWorkload or controller that answered: NAME or KIND/NAME; or model, as its engine calls it
  outcome    success or failure
  reason     why: hallucination, thumbs-down ...; a failure has one
  tokens     generated tokens of the answer, where they are known
  namespace, team, feature, customer: where the workload runs, and for whom it was

\b
EXAMPLES
  aicost outcomes post feedback.jsonl -n search
  psql -c "COPY (SELECT ...) TO STDOUT CSV HEADER" | aicost outcomes post - -n search
  aicost outcomes post feedback.csv --ledger ./ledger
"""


@click.command("post", epilog=_EPILOG, short_help="Post statements about requests.")
@click.argument("file", metavar="FILE|-")
@click.option("--namespace", "-n", metavar="NAME", help="Where the workloads run. Default: that of the context.")
@click.option("--ledger", metavar="DIR|URL", help="Keep them beside this ledger, and ask no cluster.")
@click.option("--cluster", metavar="NAME", help="With --ledger: the cluster in it, where it holds several.")
@click.option("--key-file", metavar="FILE", help="With --ledger: the key of privacy.customerKeyFile.")
@of_a_cluster
def post(
    *,
    file: str,
    namespace: str | None,
    ledger: str | None,
    cluster: str | None,
    key_file: str | None,
    kubeconfig: Path | None,
    context: str | None,
) -> None:
    """Post statements about requests: success or failure, and why.

    The whole file is read first, and a line that makes no sense posts nothing. What was posted is on the disk. The same
    file again changes nothing, and a later statement about the same request takes the place of an earlier one.
    """
    from aicost.entrypoints.cli.sources.cluster import find_cluster  # noqa: PLC0415 -- takes long to import
    from aicost.entrypoints.cli.sources.outcomes.posting import post_to_cluster, post_to_ledger  # noqa: PLC0415
    from aicost.entrypoints.cli.sources.outcomes.reading import read_file  # noqa: PLC0415

    if ledger is None and (cluster or key_file):
        raise InvalidRequest("--cluster and --key-file: they go with --ledger")
    config = None if ledger else find_cluster(kubeconfig, context)
    place, content = _content(file)
    stated = read_file(place, content, now_ms(), namespace or (config.namespace if config else None))
    sent: Counter[str] = Counter()
    doing = Doing(f"posting {len(stated):,} statements")
    try:
        with progress(doing, sys.stderr, detect(sys.stderr, os.environ)):
            parts = (
                post_to_cluster(config, stated)
                if config
                else post_to_ledger(str(ledger), cluster, stated, key_file, now_ms())
            )
            for where, count in parts:
                sent[where] += count
    except AicostError:
        if sent:
            click.echo(f"{_told(sent)} before it failed; the same file again posts the rest", err=True)
        raise
    click.echo(_told(sent))


def _told(sent: Counter[str]) -> str:
    listed = ", ".join(f"{count:,} to {namespace}" for namespace, count in sorted(sent.items()))
    return f"posted {sent.total():,} statement{'' if sent.total() == 1 else 's'}: {listed}"


def _content(file: str) -> tuple[str, bytes]:
    if file == "-":
        return "standard input", sys.stdin.buffer.read()
    try:
        return file, Path(file).read_bytes()
    except OSError as problem:
        raise InvalidRequest(f"{file}: cannot be read ({problem.strerror}): name a file, or - for a pipe") from problem
