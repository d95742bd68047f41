"""What counts as a success of a workload, as its AIWorkload says."""

from collections.abc import Mapping
from dataclasses import dataclass

from aicost.domain.serving.outcomes.judged import USUAL_REASONS, FinishReason, JudgedBy, Verdict
from aicost.domain.serving.outcomes.statuses import OK

USUAL_STATUSES = ("2xx",)
_TURNED_AWAY = frozenset(
    {"BadRequest", "BadConfiguration", "InferencePoolResourceExhausted", "ResourceExhausted", "RateLimitError"}
)
"""Errors without a code that happen at the gateway."""
_RAN_THOUGH_4XX = frozenset({"408", "499"})
"""The caller did not wait: by then an engine had worked."""


@dataclass(frozen=True, slots=True)
class SuccessRule:
    """Who says what a success is, and which of its words mean one.

    Attributes:
        finish_reasons: of an engine.
        statuses: of a gateway: status codes such as 200, or classes such as 2xx.
    """

    source: JudgedBy
    finish_reasons: frozenset[FinishReason] = USUAL_REASONS
    statuses: tuple[str, ...] = USUAL_STATUSES

    def verdicts(self, requests: Mapping[str, int]) -> tuple[Verdict, ...]:
        """What a gateway's answers mean.

        Whoever is turned away with a 4xx was turned away before an engine ran, but for callers who did not wait.
        """
        return tuple(
            Verdict(
                reason=status,
                success=self._is_success(status),
                requests=number,
                ran=self._is_success(status) or not _is_turned_away(status),
            )
            for status, number in sorted(requests.items())
            if number
        )

    def _is_success(self, status: str) -> bool:
        return status == OK or any(
            status == one or (one.endswith("xx") and _class(status) == one) for one in self.statuses
        )


ENGINE_RULE = SuccessRule(JudgedBy.ENGINE)


def _class(status: str) -> str:
    """The class of a code, such as 2xx; empty for what is no code."""
    return f"{status[0]}xx" if len(status) == 3 and status.isascii() and status.isdigit() else ""


def _is_turned_away(status: str) -> bool:
    return status in _TURNED_AWAY or (_class(status) == "4xx" and status not in _RAN_THOUGH_4XX)
