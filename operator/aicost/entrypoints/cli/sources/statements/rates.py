"""Exchange rates to show a statement by: of PriceBooks in files, or in a cluster."""

import re
from collections.abc import Sequence
from pathlib import Path

from aicost.domain.pricing.currencies import ExchangeRate
from aicost.entrypoints.cli.manifests.documents import read_documents
from aicost.entrypoints.cli.sources.bodies import Body, books_of
from aicost.entrypoints.cli.sources.cluster import find_cluster
from aicost.entrypoints.cli.sources.objects import Wish, gather, own_resource
from aicost.ports.errors import InvalidRequest

_CODE = re.compile(r"[A-Z]{3}")


def check_currency(code: str) -> None:
    """Refuse what is no code of a currency.

    Raises:
        InvalidRequest: naming the option, its value and the fix.
    """
    if _CODE.fullmatch(code) is None:
        raise InvalidRequest(f"--currency: {code[:40]!r} is no currency: write an ISO 4217 code, such as EUR")


def rates_of_files(places: Sequence[str]) -> tuple[ExchangeRate, ...]:
    """The rates of the PriceBooks in files.

    Raises:
        InvalidRequest: a file cannot be read, or no book in it has rates.
    """
    return _rates([document.body for document in read_documents(places)], ", ".join(places))


def rates_of_cluster(kubeconfig: Path | None, context: str | None) -> tuple[ExchangeRate, ...]:
    """The rates of the PriceBooks of a cluster.

    Raises:
        AicostError: they cannot be read, or none has rates.
    """
    config = find_cluster(kubeconfig, context, instead="or name PriceBooks by --prices FILE")
    gathered = gather(config, [Wish(own_resource("PriceBook"))])
    if gathered.gaps:
        raise InvalidRequest(f"--currency: {'; '.join(gathered.gaps)}: name PriceBooks by --prices FILE")
    return _rates(gathered.bodies, config.server)


def _rates(bodies: Sequence[Body], where: str) -> tuple[ExchangeRate, ...]:
    notes: list[str] = []
    rates = tuple(rate for book in books_of(bodies, notes) for rate in book.exchange_rates)
    if rates:
        return rates
    said = f" ({'; '.join(notes)})" if notes else ""
    raise InvalidRequest(
        f"--currency: no PriceBook of {where} has exchange rates{said}: add spec.exchangeRates to one, or name another "
        "file by --prices"
    )
