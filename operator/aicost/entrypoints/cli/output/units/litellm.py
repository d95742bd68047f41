"""Prices of self-hosted models as LiteLLM reads them: `model_info` with dollars for one token."""

from collections.abc import Iterator
from fractions import Fraction

from aicost.domain.exact.windows import to_rfc3339
from aicost.domain.serving.gateway_prices import GatewayPrice, gateway_prices
from aicost.entrypoints.cli.output.units.amounts import whole
from aicost.usecases.economics.cost_units import UnitReport

_DECIMALS = 15
"""Nano-units of a million tokens are 10^-15 of the currency for one."""


def litellm_document(report: UnitReport) -> str:
    """The prices as YAML; what they rest on, and what is left out, stands in comments."""
    return "\n".join([*_head(report), *_models(report)])


def _head(report: UnitReport) -> Iterator[str]:
    span = report.rests_on
    times = "nothing: the ledger holds no whole window of this time"
    if span is not None:
        times = f"{to_rfc3339(span.start_ms)} to {to_rfc3339(span.end_ms)}"
    yield f"# What self-hosted models cost for one token, by aicost from {times}."
    yield "# The full cost, with what idled. Put each model_info beside the litellm_params of the model."
    for line in report.lines:
        named, models = quoted("/".join(line.keys)), ", ".join(map(quoted, line.models))
        if len(line.models) != 1:
            yield f"# Left out: {named} serves {models or 'a model without a name'}: its tokens are one sum."
        elif line.counted < line.pods or line.costs.did.at_least:
            yield f"# Too dear, maybe: {named} serves {models}, and tokens are missing."


def _models(report: UnitReport) -> Iterator[str]:
    prices = gateway_prices((line.models[0], line.costs) for line in report.lines if len(line.models) == 1)
    entries = [text for price in prices for text in _entry(price)]
    written = any(not text.lstrip().startswith("#") for text in entries)
    yield "model_list:" if written else "model_list: []"
    yield from entries


def _entry(price: GatewayPrice) -> Iterator[str]:
    name = quoted(price.model)
    amounts = {
        "input_cost_per_token": price.input,
        "cache_read_input_token_cost": price.cached,
        "output_cost_per_token": price.output,
    }
    known = {key: per_token(amount) for key, amount in amounts.items() if amount is not None}
    if price.currency != "USD":
        yield f"  # Left out: {name} costs {quoted(price.currency)}, and LiteLLM counts in USD."
    elif not known:
        yield f"  # Left out: {name}: no tokens were counted."
    else:
        yield f"  - model_name: {name}"
        yield f"    model_info:  # division into prompts and answers: {', '.join(price.rests_on)}"
        yield from (f"      {key}: {amount}" for key, amount in known.items())


def quoted(text: str) -> str:
    """A text as a double-quoted scalar of YAML in ASCII: no name of a model ends it, a line or a comment."""
    safe = (one if one.isascii() and one.isprintable() and one not in '"\\' else f"\\U{ord(one):08x}" for one in text)
    return f'"{"".join(safe)}"'


def per_token(per_million: Fraction) -> str:
    """A price for a million tokens in nano-units as a decimal of the currency for one token."""
    units, rest = divmod(whole(per_million), 10**_DECIMALS)
    return f"{units}.{rest:0{_DECIMALS}d}".rstrip("0").ljust(len(str(units)) + 2, "0")
