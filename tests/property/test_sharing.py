"""However holders share a device, the parts sum to the whole, and nobody owes less than nothing."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from aicost.domain.attribution.claims import Ask, Claim, Tenancy
from aicost.domain.attribution.parts import Activity, Known
from aicost.domain.attribution.sharing.dividing import divide_shared
from aicost.domain.attribution.sharing.rules import SplitRule, reconcile, reserved
from aicost.domain.attribution.spans import Hold
from aicost.domain.exact.windows import Window
from aicost.domain.ledger.rows import HELD, Bucket, Quality
from aicost.domain.sampling.series import PPB

LENGTH_MS = 7_919
WHOLE = LENGTH_MS * PPB
SHARES = st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(1, 4), Fraction(3, 7), Fraction(1)])
ACTIVITIES = st.one_of(st.just(0), st.integers(0, WHOLE), st.integers(0, 2 * WHOLE))


@st.composite
def holders(draw):
    """Raw shares and measured activities of one to six holders, some of them not known."""
    raw = draw(st.lists(SHARES, min_size=1, max_size=6))
    found = [draw(st.none() | ACTIVITIES) if draw(st.booleans()) else draw(ACTIVITIES) for _ in raw]
    return raw, found


def hold(position, share):
    span = Window(0, LENGTH_MS)
    tenancy = Tenancy(position, ("team", f"p{position}"), f"uid-{position}", span, (Ask(share),))
    return Hold(Claim(tenancy, share, seen=True), span)


def activity(busy):
    return None if busy is None else Activity(busy, LENGTH_MS, busy // 9, "gauge")


@given(holders(), st.none() | ACTIVITIES, st.sampled_from(SplitRule), st.integers(0, WHOLE), st.sets(st.integers(0, 5)))
def test_the_parts_sum_to_the_whole_by_every_rule(held, device, rule, strays, system):
    raw, found = held
    holds = [hold(position, share) for position, share in enumerate(raw)]
    known = Known(LENGTH_MS, activity(device), tuple(map(activity, found)), (activity(strays),))
    parts = list(divide_shared(holds, known, rule, system))
    assert sum(part.weight for part in parts) == WHOLE
    assert all(part.weight > 0 for part in parts)
    assert all((part.hold is not None) == (part.bucket in HELD) for part in parts)
    assert all(part.measured <= part.weight for part in parts)
    for part in parts:
        assert (part.error is None) == (part.quality is Quality.ASSUMED)
        if part.hold:
            assert (part.bucket is Bucket.SYSTEM) == (part.hold.claim.tenancy.pod in system)


@given(holders(), st.none() | ACTIVITIES)
def test_activities_that_agree_are_the_devices(held, device):
    raw, found = held
    agreed = reconcile(WHOLE, device, found, reserved(raw))
    if agreed is None:
        assert device is None
        assert None in found
        return
    assert agreed.device <= WHOLE
    assert agreed.unattributed >= 0
    if device is not None:
        assert agreed.device == min(device, WHOLE)
    else:
        assert agreed.device == min(sum(found), WHOLE)
        assert agreed.unattributed == 0
