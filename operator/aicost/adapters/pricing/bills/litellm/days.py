"""A day of LiteLLM's daily activity: what models and providers cost, key by key.

The gateway sums a day by model and by provider, each among its keys, and never by both. Bills come by provider, so what
a provider cost is never guessed: a model stands at a provider where its name says so, or where the key used no other
one, and where its amounts are just what the provider cost. Else the amount stands at the provider alone.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from aicost.adapters.pricing.bills.litellm.rows import LITELLM, attos, plain
from aicost.adapters.pricing.tables.reading import Wrong
from aicost.domain.exact.windows import Window
from aicost.domain.thirdparty.lines import Basis, SpendLine
from aicost.domain.thirdparty.providers import ON_OUR_OWN, billed_by, maker_of

_NOISE_ATTOS = 10**9
"""Sums of binary fractions differ by less than a billionth of a dollar."""
_ITEM = "daily activity"
_ALL = ""
"""The key of what no key is named for."""
_NOBODY = ""
"""The provider of what is in a day's sum and at no provider."""


@dataclass(slots=True)
class _Spent:
    """What one thing cost, in 10^-18 of a dollar, and its tokens."""

    attos: int = 0
    tokens: int = 0

    def add(self, metrics: Mapping[str, Any], sign: int = 1) -> None:
        """Add the figures of a page, or take them away."""
        spend, tokens = metrics.get("spend") or 0, metrics.get("total_tokens") or 0
        if isinstance(spend, bool) or not isinstance(spend, (int, Decimal)) or type(tokens) is not int:
            raise Wrong(f"spend {str(spend)[:40]!r} and total_tokens {str(tokens)[:40]!r} are no numbers")
        self.attos += sign * attos(Decimal(spend))
        self.tokens += sign * tokens


_Sums = defaultdict[str, defaultdict[str, _Spent]]
"""Key -> model or provider -> what it cost."""


def _sums() -> _Sums:
    return defaultdict(lambda: defaultdict(_Spent))


@dataclass(slots=True)
class Day:
    """The pages of one day, added up: each has other rows of the gateway.

    Attributes:
        flat: some capacity is paid by the hour: the gateway counts that beside what requests cost.
    """

    day: Window
    date: str
    flat: bool = False
    _models: _Sums = field(default_factory=_sums)
    _providers: _Sums = field(default_factory=_sums)
    _keys: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def add(self, results: Sequence[Mapping[str, Any]]) -> None:
        """Add the results of a page.

        Raises:
            Wrong: they are none of this day.
        """
        for one in results:
            if str(one["date"])[:10] != self.date:
                raise Wrong(f"date {str(one['date'])[:40]!r} is another than was asked for")
            self.flat |= bool(one["metrics"].get("flat_cost"))
            breakdown = one.get("breakdown") or {}
            unsaid = self._providers[_ALL][_NOBODY]
            unsaid.add(one["metrics"])
            for provider in (breakdown.get("providers") or {}).values():
                unsaid.add(provider["metrics"], -1)
            self._add(self._models, breakdown.get("models") or {})
            self._add(self._providers, breakdown.get("providers") or {})

    def lines(self) -> Iterator[SpendLine]:
        """What each provider cost, by key, and by model where that is known."""
        for key, providers in sorted(self._providers.items()):
            models = self._models[key]
            for provider, spent in sorted(providers.items()):
                named = {name: one for name, one in models.items() if _seller(name, providers) == provider}
                whole = sum(one.attos for one in named.values())
                if named and abs(whole - spent.attos) <= _NOISE_ATTOS:
                    yield from (self._line(key, provider, name, one) for name, one in sorted(named.items()))
                elif abs(spent.attos) > _NOISE_ATTOS or spent.tokens > 0:
                    yield self._line(key, provider, "", spent)

    def _add(self, sums: _Sums, things: Mapping[str, Mapping[str, Any]]) -> None:
        """Each thing by key; what its keys do not have of it is nobody's."""
        for name, thing in things.items():
            sums[_ALL][name].add(thing["metrics"])
            for key, one in (thing.get("api_key_breakdown") or {}).items():
                sums[key][name].add(one["metrics"])
                sums[_ALL][name].add(one["metrics"], -1)
                said = one.get("metadata")
                self._keys[key] = said if isinstance(said, dict) else {}

    def _line(self, key: str, provider: str, model: str, spent: _Spent) -> SpendLine:
        return SpendLine(
            day=self.day,
            provider=plain(billed_by(provider) or "unknown"),
            cost_attos=spent.attos,
            currency="USD",
            item=_ITEM,
            model=plain(model.removeprefix(f"{provider}/")),
            quantity=max(0, spent.tokens),
            tags=self._tags(key),
            basis=Basis.GATEWAY,
            source=LITELLM,
        )

    def _tags(self, key: str) -> Mapping[str, str]:
        said = self._keys.get(key, {})
        own = {"key": said.get("key_alias") or key[:12], "team": said.get("team_id"), "team_id": said.get("team_id")}
        return {name: plain(value) for name, value in sorted(own.items()) if value}


def is_here(line: SpendLine) -> bool:
    """Whether a server of one's own answered: its cost is that of its GPUs."""
    return line.provider in ON_OUR_OWN


def _seller(model: str, providers: Mapping[str, _Spent]) -> str | None:
    """Which of some providers sold a model; None where its name does not say it."""
    used = [name for name, spent in providers.items() if abs(spent.attos) > _NOISE_ATTOS or spent.tokens > 0]
    if len(used) == 1:
        return used[0]
    begin = model.partition("/")[0].lower()
    named = [name for name in used if "/" in model and name.lower() == begin]
    made = [name for name in used if maker_of(model) and billed_by(name) == billed_by(maker_of(model))]
    found = named or made
    return found[0] if len(found) == 1 else None
