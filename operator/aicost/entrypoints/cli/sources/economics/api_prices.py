"""Prices of APIs for `aicost units --compare`: the user's table first, then the list that is installed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aicost.adapters.pricing.tables.reading import LARGEST_BYTES
from aicost.adapters.pricing.tokens.bundled import BundledPrices
from aicost.adapters.pricing.tokens.table import TablePrices, read_token_prices
from aicost.ports.errors import InvalidRequest
from aicost.ports.prices import ApiPriceSource
from aicost.usecases.economics.compare_prices import Sought


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared, and with which lists.

    Attributes:
        sources: one overrides those behind it.
        sought: the models; None for all.
    """

    sources: Sequence[ApiPriceSource]
    sought: Sequence[Sought] | None


def read_asked(models: Sequence[str] | None, file: Path | None) -> Asked:
    """What the options ask.

    Args:
        models: as `--compare` was given; None for all.
        file: a table of prices that overrides the list that is installed.

    Raises:
        InvalidRequest: a model or the table makes no sense.
    """
    sought = None if models is None else [_sought(text) for text in models]
    return Asked([*([] if file is None else [_table(file)]), BundledPrices()], sought)


def _sought(text: str) -> Sought:
    model, equals, there = text.partition("=")
    provider, slash, ref = there.partition("/")
    if not model.strip() or (equals and not (provider.strip() and slash and ref.strip())):
        raise InvalidRequest(f"--compare: {text!r}: write MODEL or MODEL=PROVIDER/REF, such as qwen3=acme/qwen3-32b")
    return Sought(model.strip(), provider.strip(), ref.strip())


def _table(file: Path) -> TablePrices:
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise InvalidRequest(f"--api-prices: {file} is larger than {LARGEST_BYTES >> 20} MiB: name another file")
        content = file.read_bytes()
    except OSError as problem:
        raise InvalidRequest(f"--api-prices: {file} cannot be read: {problem.strerror}") from problem
    try:
        return read_token_prices(file.name, content)
    except InvalidRequest as problem:
        raise InvalidRequest(f"--api-prices: {file}: {problem}") from problem
