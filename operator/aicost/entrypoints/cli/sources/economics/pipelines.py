"""Pipelines and margins from a ledger and from what engines and gateways counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aicost.adapters.pricing.tables.reading import LARGEST_BYTES
from aicost.adapters.pricing.values.table import read_values
from aicost.adapters.prometheus.config import PrometheusConfig
from aicost.adapters.prometheus.economics.values import query_values
from aicost.bootstrap import customer_ids
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.serving.counted import WHO
from aicost.domain.serving.pipelines.margins import Value
from aicost.entrypoints.cli.sources.economics.units import Places, cluster_of, count_in
from aicost.entrypoints.cli.sources.ledger import open_ledgers
from aicost.entrypoints.cli.sources.statements.rates import check_currency
from aicost.ports.errors import InvalidRequest
from aicost.ports.ledger import LedgerReader
from aicost.usecases.economics.cost_units import Counted, runs_of
from aicost.usecases.economics.pipelines.cost_pipelines import PipelineReport, cost_pipelines
from aicost.usecases.economics.pipelines.divided import Filters
from aicost.usecases.economics.pipelines.margins import MarginReport, margins


@dataclass(frozen=True, slots=True)
class ValueSource:
    """Where it stands what somebody brings.

    Attributes:
        file: a table; None for none.
        query: an expression for the Prometheus of the counters; None for none.
        currency: of the query's samples.
        key_file: the key by which customers are ids in the ledger; None where they are names.
    """

    file: Path | None = None
    query: str | None = None
    currency: str | None = None
    key_file: str | None = None


def pipelines_of(places: Places, span: Window, filters: Filters, notes: list[str]) -> PipelineReport:
    """Features of a span, step by step; errors as of `read_units`, and `notes` gets what is wrong with AIWorkloads."""
    reader, cluster, counted = _counted(places, span, Dimension.FEATURE, notes)
    return cost_pipelines(reader, counted, span, filters, cluster=cluster)


def margins_of(
    places: Places, span: Window, dimension: Dimension, source: ValueSource, filters: Filters, notes: list[str]
) -> MarginReport:
    """Margins of a span; errors as of `read_units`, and `notes` gets what is wrong with AIWorkloads.

    Raises:
        InvalidRequest: what is brought cannot be read.
    """
    reader, cluster, counted = _counted(places, span, dimension if dimension in WHO else None, notes)
    values = [*_of_file(source.file, dimension), *_of_query(places, source, dimension, runs_of(counted.windows))]
    if source.key_file is not None:
        values = _as_ids(values, dimension, source.key_file)
    return margins(reader, counted, span, dimension, values, filters, cluster=cluster)


def _counted(
    places: Places, span: Window, tenants: Dimension | None, notes: list[str]
) -> tuple[LedgerReader, str, Counted]:
    reader, cluster = open_ledgers([places.ledger], cluster=places.cluster).reader, cluster_of(places)
    return reader, cluster, count_in(places, reader, span, tenants, notes, cluster=cluster)


def _of_file(file: Path | None, dimension: Dimension) -> Sequence[Value]:
    if file is None:
        return ()
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise InvalidRequest(f"--value: {file} is larger than {LARGEST_BYTES >> 20} MiB: name another file")
        content = file.read_bytes()
    except OSError as problem:
        raise InvalidRequest(f"--value: {file} cannot be read: {problem.strerror}") from problem
    try:
        return read_values(content, dimension)
    except InvalidRequest as problem:
        raise InvalidRequest(f"--value: {file}: {problem}") from problem


def _of_query(places: Places, source: ValueSource, dimension: Dimension, runs: Sequence[Window]) -> Sequence[Value]:
    if source.query is None:
        return ()
    if places.url is None:
        raise InvalidRequest("--value-query: give --prometheus URL too: it is asked there")
    if source.currency is None:
        raise InvalidRequest("--value-query: give --value-currency too, such as USD: samples have none")
    check_currency(source.currency)
    return query_values(PrometheusConfig(places.url), source.query, dimension, source.currency, runs)


def _as_ids(values: Sequence[Value], dimension: Dimension, key_file: str) -> list[Value]:
    if dimension is not Dimension.CUSTOMER:
        raise InvalidRequest("--key-file: is for --by customer: only customers are stored under ids")
    ids = customer_ids(key_file)
    return [replace(one, name=ids.id_of(one.name)) for one in values]
