"""`aicost units`: what a token, a request and a successful answer cost."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aicost.adapters.clock import now_ms
from aicost.domain.exact.windows import Window
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.reporting.keys import check_keys
from aicost.domain.reporting.question import read_filters, read_keys
from aicost.domain.reporting.spans import FORMS, parse_span
from aicost.entrypoints.cli.options import OBJECTS, in_form, of_a_cluster
from aicost.entrypoints.cli.terminal import detect, progress
from aicost.ports.errors import InvalidRequest

if TYPE_CHECKING:  # numpy, Delta and a list of prices take long to import
    from aicost.entrypoints.cli.sources.economics.api_prices import Asked
    from aicost.entrypoints.cli.sources.economics.units import Places, Read
    from aicost.usecases.economics.compare_prices import Compared
    from aicost.usecases.economics.cost_units import UnitQuestion, UnitReport
    from aicost.usecases.economics.outcomes.judge_lines import OutcomeReport

SOURCES = ("engine", "gateway", "query", "outcomes")
WHO = (Dimension.TEAM, Dimension.FEATURE, Dimension.CUSTOMER, Dimension.PROJECT, Dimension.PRODUCT)
_ALL = "*"
"""What `--compare` says without a model."""
_EPILOG = f"""\b
WINDOWS
  {FORMS}
  Whole windows of the ledger count, and what was counted in just these: kept when they were closed, or read now.

\b
EXAMPLES
  aicost units                                         today, your namespace, of the cluster
  aicost units -A --window month-to-date               all namespaces
  aicost units --ledger ./ledger --window month-to-date
  aicost units --ledger ./ledger --prometheus http://localhost:9090 --window yesterday
  aicost units --ledger ./ledger --bundle ./bundle --window 2026-03-02 --by model -o json
  aicost units --ledger ./ledger --prometheus http://localhost:9090 --context prod
  aicost units --ledger ./ledger --prometheus http://localhost:9090 --objects aiworkloads.yaml --tenants team
  aicost units --ledger ./ledger --prometheus http://localhost:9090 --tenants customer \
    --tenants-query 'sum by (customer, model) (increase(app_tokens_total[$window]))'
  aicost units --ledger ./ledger --window yesterday --amplification --load --lengths
  aicost units --ledger ./ledger --window yesterday --outcomes
  aicost units --ledger ./ledger --prometheus http://localhost:9090 --compare
  aicost units --ledger ./ledger --bundle ./bundle --compare qwen3=acme/qwen3-32b --api-prices prices.csv
  aicost units --ledger ./ledger --prometheus http://localhost:9090 --window yesterday -o litellm

\b
AIWORKLOADS
  What they declare of engine, port, gateway, aliases and success holds: as it was kept with the counts, as it stands
  in the bundle, and beside --prometheus as it is in the files of --objects or in the cluster of --context.

\b
ENGINES
  vLLM, SGLang, TGI, TensorRT-LLM, Triton, NIM, KServe, Ray Serve, llama.cpp and TEI, by their own counters.

\b
GATEWAYS, for --tenants
  LiteLLM, Envoy AI Gateway, Kong, the endpoint picker of llm-d, OpenTelemetry GenAI, and labels of SGLang.

\b
PRICES, for --compare
  The list of the package genai-prices, as installed: nothing is fetched. --api-prices goes before it.
  Columns: model, provider, input, cached, output (for a million tokens), currency, from, source.
"""


@click.command("units", epilog=_EPILOG, short_help="What a token, a request and a success cost.")
@click.option("--window", "-w", default="today", show_default=True, metavar="WINDOW", help="The time; see below.")
@click.option(
    "--by", "-b", multiple=True, metavar="KEY[,KEY]", help="Group by these keys. Default: namespace,controller."
)
@click.option("--filter", "-f", "filters", multiple=True, metavar="KEY=VALUE[,VALUE]", help="Only what has this value.")
@click.option("--namespace", "-n", metavar="NAME", help="One namespace. Default: the kubeconfig's.")
@click.option("--all-namespaces", "-A", "everywhere", is_flag=True, help="All namespaces.")
@of_a_cluster
@click.option("--ledger", metavar="DIR|URL", help="Read this ledger; no cluster is asked.")
@click.option("--cluster", metavar="NAME", help="The cluster in the ledger, where it holds several.")
@click.option(
    "--prometheus",
    "url",
    metavar="URL",
    help="Read the counters of engines here, and not what was kept beside the ledger.",
)
@click.option("--bundle", metavar="DIR|FILE", help="Read the counters in this bundle.")
@OBJECTS
@click.option(
    "--tenants",
    type=click.Choice([dimension.value for dimension in WHO]),
    help="Divide each workload among those who asked, as gateways count.",
)
@click.option(
    "--tenants-query",
    "weights",
    metavar="PROMQL",
    help="Divide by this and not by gateways: one sample for each who asked, of tokens or any other weight.",
)
@click.option(
    "--amplification",
    "beside",
    flag_value="amplification",
    multiple=True,
    help="What is behind the requests of callers.",
)
@click.option("--load", "beside", flag_value="load", multiple=True, help="Latency, batches, what a cache saved.")
@click.option("--lengths", "beside", flag_value="context", multiple=True, help="What short and long prompts cost.")
@click.option("--outcomes", is_flag=True, help="What successes cost, and failures by reason.")
@click.option(
    "--success",
    type=click.Choice(SOURCES),
    help="Who says what a success is, of all. Default: whom each AIWorkload names, else the engine. With --outcomes: "
    "else posted outcomes where there are any, then queries, else the engine.",
)
@click.option(
    "--compare",
    multiple=True,
    is_flag=False,
    flag_value=_ALL,
    metavar="[MODEL[=PROVIDER/REF]]",
    help="Beside the price of the same model at an API. Without a model: all.",
)
@click.option(
    "--api-prices",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Prices of APIs, CSV or YAML, before those that are installed.",
)
@click.option("--time-zone", default="UTC", show_default=True, metavar="ZONE", help="Zone in which days begin.")
@in_form(("table", "json", "litellm"), "json: integers beside texts. litellm: YAML for the gateway.", "table")
def units(  # noqa: PLR0913 -- one parameter per option
    *,
    window: str,
    by: Sequence[str],
    filters: Sequence[str],
    namespace: str | None,
    everywhere: bool,
    kubeconfig: Path | None,
    context: str | None,
    ledger: str | None,
    cluster: str | None,
    url: str | None,
    bundle: str | None,
    objects: Sequence[str],
    tenants: str | None,
    weights: str | None,
    beside: Sequence[str],
    outcomes: bool,
    success: str | None,
    compare: Sequence[str],
    api_prices: Path | None,
    time_zone: str,
    form: str,
) -> None:
    """Say what a token, a request and a successful answer cost.

    Money comes from the ledger, what was done from the engines' own counters, as they were kept beside it. full: with
    all that idles beside it, the figure to hold against a price list. ACTIVE: as if nothing idled. USEFUL: for the
    tokens of successful answers alone.
    """
    from aicost.entrypoints.cli.sources.economics.units import Where, find_places, read_units  # noqa: PLC0415 -- Delta takes long to import
    from aicost.usecases.economics.cost_units import UnitQuestion  # noqa: PLC0415 -- numpy

    if form == "litellm" and compare:
        raise InvalidRequest("--compare: is for -o table and -o json; litellm is told what tokens cost here")
    keys = read_keys(by) or ("namespace", "controller")
    try:
        check_keys(keys, "by")
        span = parse_span(window, now_ms(), time_zone)
        accepted = read_filters(filters)
    except ValueError as problem:
        raise InvalidRequest(str(problem)) from problem
    question = UnitQuestion(keys, accepted, Dimension(tenants) if tenants else None, "amplification" in beside)
    asked = _asked(compare, api_prices)
    places = find_places(ledger, cluster, (url, bundle), Where(kubeconfig, context, namespace, everywhere), objects)
    places = replace(places, weights=_weights(weights, tenants, url))
    with progress("reading money and counters", sys.stderr, detect(sys.stderr, os.environ)):
        read = read_units(places, span, question)
        answer = _answer(read, asked)
        if "load" in beside:
            answer = _with_before(answer, places, span, question)
        if outcomes or success:
            answer = _judged(answer, places, read, success, whole=not accepted)
    for note in read.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(_written(answer, keys, beside, form))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is shown: unit costs, and what was asked for beside them."""

    report: "UnitReport"
    compared: "Compared | None" = None
    judged: "OutcomeReport | None" = None
    before: "UnitReport | None" = None


def _answer(read: "Read", asked: "Asked | None") -> _Answer:
    """The report, and beside the prices of APIs where that is asked."""
    from aicost.usecases.economics.compare_prices import compare_prices  # noqa: PLC0415 -- as above

    return _Answer(read.report, None if asked is None else compare_prices(read.report, asked.sources, asked.sought))


def _with_before(answer: _Answer, places: "Places", span: Window, question: "UnitQuestion") -> _Answer:
    """The same with the report of the span before it, as long."""
    from aicost.entrypoints.cli.sources.economics.units import read_units  # noqa: PLC0415 -- as above

    before = Window(span.start_ms - span.length_ms, span.start_ms)
    return replace(answer, before=read_units(places, before, replace(question, tenants=None, rounds=False)).report)


def _judged(answer: _Answer, places: "Places", read: "Read", success: str | None, *, whole: bool) -> _Answer:
    """The same with successes by the source that was asked for. Of a part, nobody knows what stands outside of it."""
    from aicost.domain.serving.outcomes.judged import JudgedBy  # noqa: PLC0415 -- as above
    from aicost.entrypoints.cli.sources.economics.outcomes import judged  # noqa: PLC0415 -- as above
    from aicost.usecases.economics.outcomes.judge_lines import with_successes  # noqa: PLC0415 -- as above

    found = judged(places, read, None if success is None else JudgedBy(success))
    told = found if whole else replace(found, strays={})
    return replace(answer, report=with_successes(answer.report, found), judged=told)


def _weights(query: str | None, tenants: str | None, url: str | None) -> str | None:
    """The query that says who asked, where what it needs was given too."""
    if query is not None and (tenants is None or url is None):
        lacking = "--tenants, the dimension of its names" if tenants is None else "--prometheus URL: it is asked there"
        raise InvalidRequest(f"--tenants-query: give {lacking}")
    return query


def _asked(compare: Sequence[str], file: Path | None) -> "Asked | None":
    if not compare and file is not None:
        raise InvalidRequest("--api-prices: give --compare too: it says which models are compared")
    if not compare:
        return None
    from aicost.entrypoints.cli.sources.economics.api_prices import read_asked  # noqa: PLC0415 -- a long list of prices

    return read_asked(None if _ALL in compare else compare, file)


def _written(answer: _Answer, keys: Sequence[str], beside: Sequence[str], form: str) -> str:
    from aicost.entrypoints.cli.output.units.litellm import litellm_document  # noqa: PLC0415 -- numpy

    if form == "litellm":
        return litellm_document(answer.report)
    return _document(answer, keys) if form == "json" else _screen(answer, keys, beside)


def _document(answer: _Answer, keys: Sequence[str]) -> str:
    from aicost.entrypoints.cli.output.units.comparison import comparison_document  # noqa: PLC0415 -- numpy
    from aicost.entrypoints.cli.output.units.outcomes import outcomes_document  # noqa: PLC0415 -- numpy
    from aicost.entrypoints.cli.output.units.screen import units_document  # noqa: PLC0415 -- numpy

    found = dict(units_document(answer.report, keys))
    if answer.judged is not None:
        found["outcomes"] = outcomes_document(answer.judged, keys)
    if answer.compared is not None:
        found["compared"] = comparison_document(answer.compared, keys)
    return json.dumps(found, indent=2)


def _screen(answer: _Answer, keys: Sequence[str], beside: Sequence[str]) -> str:
    from aicost.entrypoints.cli.output.units.beside import Beside, beside_screen  # noqa: PLC0415 -- numpy
    from aicost.entrypoints.cli.output.units.comparison import comparison_screen  # noqa: PLC0415 -- numpy
    from aicost.entrypoints.cli.output.units.outcomes import outcomes_screen  # noqa: PLC0415 -- numpy
    from aicost.entrypoints.cli.output.units.screen import units_screen  # noqa: PLC0415 -- numpy

    terminal = detect(sys.stdout, os.environ)
    parts = [units_screen(answer.report, keys, terminal)]
    parts += beside_screen(answer.report, answer.before, keys, map(Beside, beside), terminal)
    if answer.judged is not None:
        parts.append(outcomes_screen(answer.judged, keys, terminal))
    if answer.compared is not None:
        parts.append(comparison_screen(answer.compared, keys, terminal))
    return "\n\n".join(parts)
