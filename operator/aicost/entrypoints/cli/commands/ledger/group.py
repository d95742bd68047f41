"""`aicost ledger`: look after a ledger: is it sound, is it small, who else may read it."""

import click

from aicost.entrypoints.cli.commands.ledger.compact import compact
from aicost.entrypoints.cli.commands.ledger.customer_id import customer_id
from aicost.entrypoints.cli.commands.ledger.drop import drop
from aicost.entrypoints.cli.commands.ledger.erase import erase
from aicost.entrypoints.cli.commands.ledger.export import export
from aicost.entrypoints.cli.commands.ledger.verify import verify

_EPILOG = """\b
EXAMPLES
  aicost ledger verify ./ledger                      walk the checksums; exit code 1 if anything is wrong
  aicost ledger compact s3://bucket/aicost           put the files of past days together
  aicost ledger drop ./ledger --before 2026-01-01    what would go; --yes lets it go
  aicost ledger erase ./ledger --customer acme       from where; --yes erases
  aicost ledger export ./ledger --format parquet --out rows.parquet

\b
OBJECT STORES
  Credentials and options come from the environment, as for other tools of the store: AWS_ACCESS_KEY_ID,
  AWS_ENDPOINT_URL, AZURE_STORAGE_ACCOUNT_NAME, GOOGLE_SERVICE_ACCOUNT. See docs/guide/object-storage.md.
"""


@click.group("ledger", epilog=_EPILOG, short_help="Verify, compact, prune, erase and export.")
def ledger() -> None:
    """Look after a ledger: verify it, keep it small, erase a customer, and hand out its rows."""


ledger.add_command(verify)
ledger.add_command(compact)
ledger.add_command(drop)
ledger.add_command(erase)
ledger.add_command(export)
ledger.add_command(customer_id)
