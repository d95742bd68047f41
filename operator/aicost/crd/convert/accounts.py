"""A ProviderAccount as the domain knows it."""

from collections.abc import Mapping
from typing import Any

from aicost.crd.convert.parsing import Converted, SpecProblem, parse, shortened
from aicost.crd.fields.text import duration_ms
from aicost.crd.models import account as api
from aicost.domain.exact.windows import DAY_MS
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.thirdparty.accounts import ProviderAccount

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
            secret=(spec.secret_ref.name, spec.secret_ref.key),
            url=spec.url,
            keys={one.tag: Dimension(one.dimension) for one in spec.mapping or ()},
            days=duration_ms(spec.since) // DAY_MS,
            interval_ms=duration_ms(spec.interval),
            suspended=spec.suspend,
        )
    )
