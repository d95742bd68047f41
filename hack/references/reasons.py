"""The reference of why the telemetry of a node may not be trusted."""

from aicost.domain.trust.reasons import REMEDIES, Remedy, TrustReason
from references.tables import table

_INTRO = """# Reasons of telemetry

<!-- Generated from operator/aicost/domain/trust/reasons.py by hack/generate.py. Do not edit. -->

Why the condition `TelemetryTrusted` of a node is False, the gravest first. What only *coarsens* leaves it True and is
told all the same. `Trusted` and `Settling` are the words for a node without a reason: all is well, or it is younger
than ten minutes. The [guide](../guide/telemetry-trust.md) says how it is judged, the
[runbook](../runbooks/telemetry-not-trusted.md) what to look at.

"""


def render() -> str:
    """The reference page."""
    rows = [_row(reason, remedy) for reason, remedy in REMEDIES.items()]
    return _INTRO + table(("Reason", "Trust", "What it does", "What to do", "Counts after"), rows)


def _row(reason: TrustReason, remedy: Remedy) -> tuple[str, ...]:
    after = f"{remedy.raise_ms // 60_000} min" if remedy.raise_ms else "at once"
    return f"`{reason}`", remedy.weight.value, remedy.means, remedy.fix, after
