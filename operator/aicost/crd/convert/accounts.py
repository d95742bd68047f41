"""A ProviderAccount as the domain knows it."""

from collections.abc import Iterable, Mapping
from typing import Any

from aicost.crd.convert.parsing import Converted, SpecProblem, parse, shortened
from aicost.crd.fields.text import duration_ms
from aicost.crd.models import account as api
from aicost.crd.models.spend.capture import CaptureRule
from aicost.crd.models.spend.tags import MappedTag
from aicost.domain.exact.windows import DAY_MS
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.thirdparty.accounts import ProviderAccount
from aicost.domain.thirdparty.capture import Through
from aicost.domain.thirdparty.lines import NAMESPACE, Mapped, named_value

_LONGEST = 63


def provider_account(body: Mapping[str, Any]) -> Converted[ProviderAccount]:
    """Read a ProviderAccount; it is usable as a whole or not at all."""
    name = str(body["metadata"]["name"])
    read = parse(api.ProviderAccountSpec, body.get("spec") or {}, "spec")
    spec = read.value
    if spec is None:
        return Converted(None, read.problems)
    if spec.account is None and len(name) > _LONGEST:
        fix = f"the name is longer than {_LONGEST} characters: give spec.account"
        return Converted(None, (SpecProblem("metadata.name", shortened(name), fix),))
    return Converted(
        ProviderAccount(
            name=name,
            provider=spec.provider.value,
            account=spec.account or name,
            secret=(spec.secret_ref.name, spec.secret_ref.key) if spec.secret_ref else None,
            url=spec.url,
            mapped=_mapped(spec.mapping or ()),
            days=duration_ms(spec.since) // DAY_MS,
            interval_ms=duration_ms(spec.interval),
            suspended=spec.suspend,
            least_percent=(spec.capture or CaptureRule()).min_percent,
            through=_through(spec.capture),
        )
    )


def _mapped(tags: Iterable[MappedTag]) -> Mapped:
    given = tuple(tags)
    values = (named_value(one.dimension, named.value, named.name) for one in given for named in one.values or ())
    return Mapped(
        keys={one.tag: Dimension(one.dimension) for one in given if one.dimension != NAMESPACE},
        values=dict(values),
        namespaces=frozenset(one.tag for one in given if one.dimension == NAMESPACE),
    )


def _through(rule: CaptureRule | None) -> Through | None:
    return {one.tag: frozenset(one.values) for one in (rule.through if rule else None) or ()} or None
