"""`aicost ledger customer-id`: under which id a customer stands in the ledger."""

from collections.abc import Sequence

import click


@click.command("customer-id", short_help="The ids under which customers are stored.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--key-file", required=True, metavar="FILE", help="The key, as in privacy.customerKeyFile.")
def customer_id(*, names: Sequence[str], key_file: str) -> None:
    """Print the id of each customer, for filters of reports and budgets where `privacy.customerKeyFile` is set."""
    from aicost.bootstrap import customer_ids  # noqa: PLC0415 -- Delta takes a second to import

    ids = customer_ids(key_file)
    for name in names:
        click.echo(ids.id_of(name))
