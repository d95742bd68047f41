"""A reason counts once it has lasted and goes once it stayed away."""

from aicost.domain.exact.windows import MINUTE_MS
from aicost.domain.trust.reasons import TrustReason
from aicost.domain.trust.standing import HOLD_MS, NodeTelemetry, settle
from aicost.domain.trust.values import Judged, Trust, found
from support.builders import T0

BLIND = found(TrustReason.EXPORTER_BLIND, "no GPU of the node is shown")
SKEW = found(TrustReason.CLOCK_SKEW, "3.0 s ahead")
COARSE = found(TrustReason.NO_POD_VALUES, "no value per pod")


def look(minute: int, *findings: object, before: NodeTelemetry | None = None, settling: bool = False) -> NodeTelemetry:
    judged = Judged("n1", findings=tuple(findings), settling=settling)
    (one,) = settle({"n1": before} if before else {}, [judged], T0 + minute * MINUTE_MS)
    return one


def test_a_node_without_findings_is_trusted() -> None:
    one = look(0)
    assert (one.trust, one.reason, one.since_ms) == (Trust.YES, "Trusted", T0)


def test_a_reason_that_samples_prove_counts_at_once() -> None:
    one = look(0, BLIND)
    assert (one.trust, one.reason, one.reasons[0].first_ms) == (Trust.NO, "ExporterBlind", T0)


def test_a_reason_of_a_moment_counts_once_it_has_lasted() -> None:
    one = look(0, SKEW)
    assert (one.trust, one.reasons) == (Trust.YES, ())
    for minute in (1, 2):
        one = look(minute, SKEW, before=one)
        assert one.trust is Trust.YES
    one = look(3, SKEW, before=one)
    assert (one.trust, one.reason, one.since_ms, one.reasons[0].first_ms) == (
        Trust.NO, "ClockSkew", T0 + 3 * MINUTE_MS, T0,
    )  # fmt: skip


def test_a_reason_that_did_not_count_yet_is_forgotten_at_once() -> None:
    one = look(2, SKEW, before=look(1, before=look(0, SKEW)))
    one = look(4, SKEW, before=one)
    assert one.trust is Trust.YES
    assert look(5, SKEW, before=one).trust is Trust.NO


def test_a_reason_is_held_while_it_comes_and_goes() -> None:
    one = look(0, BLIND)
    for minute in range(1, 30):
        one = look(minute, *([BLIND] if minute % 4 == 0 else []), before=one)
        assert (one.trust, one.since_ms) == (Trust.NO, T0)
    last = 28
    for minute in range(last + 1, last + HOLD_MS // MINUTE_MS):
        one = look(minute, before=one)
        assert one.trust is Trust.NO
    one = look(last + HOLD_MS // MINUTE_MS, before=one)
    assert (one.trust, one.since_ms) == (Trust.YES, T0 + (last + HOLD_MS // MINUTE_MS) * MINUTE_MS)


def test_what_only_coarsens_leaves_trust_and_is_told() -> None:
    one = look(0, COARSE)
    assert (one.trust, one.reason) == (Trust.YES, "NoPodValues")


def test_the_gravest_reason_is_told_first() -> None:
    one = look(0, COARSE, BLIND)
    assert [each.reason for each in one.reasons] == [TrustReason.EXPORTER_BLIND, TrustReason.NO_POD_VALUES]


def test_a_young_node_is_not_known() -> None:
    one = look(0, settling=True)
    assert (one.trust, one.reason) == (Trust.UNKNOWN, "Settling")
    assert look(1, BLIND, before=one, settling=True).trust is Trust.NO


def test_a_clock_that_is_set_back_starts_anew() -> None:
    one = look(-60, SKEW, before=look(0, SKEW, before=look(3, SKEW)))
    assert one.trust is Trust.YES
    assert one.standings[0].first_ms == T0 - 60 * MINUTE_MS


def test_a_node_that_went_is_forgotten() -> None:
    assert settle({"n1": look(0, BLIND)}, [], T0) == ()
