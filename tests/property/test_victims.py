"""Whatever runs, whoever is chosen may be chosen, is needed, and is enough where enough can be had."""

from dataclasses import replace
from fractions import Fraction
from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from aicost.domain.budgets.plans import VictimOrder, VictimRules
from aicost.domain.enforcement.surroundings import Surroundings
from aicost.domain.enforcement.victims.idleness import Use
from aicost.domain.enforcement.victims.selection import Spared, Victim, select
from aicost.domain.exact.windows import HOUR_MS, MINUTE_MS
from support.budget_books import runs
from support.budget_victims import NOW, budget_of_disruption, candidate, rules

STAGES = ["sandbox", "experiment", "pilot", "production", ""]


@st.composite
def workloads(draw):
    count = draw(st.integers(0, 12))
    return [
        candidate(
            f"w{at:02}",
            kind=draw(st.sampled_from(["Deployment", "Deployment", "Job", "Pod"])),
            dollars=draw(st.integers(0, 20)),
            pods=draw(st.integers(1, 4)),
            stage=draw(st.sampled_from(STAGES)),
            priority=draw(st.integers(-1, 1)),
            since_ms=NOW - draw(st.sampled_from([MINUTE_MS, 15 * MINUTE_MS, 9 * HOUR_MS])),
            stake_ms=draw(st.none() | st.integers(0, 3)),
            exempt_ms=draw(st.sampled_from([0, 0, 0, NOW + 1])),
            ends_ms=draw(st.sampled_from([None, None, NOW + MINUTE_MS])),
            gang=draw(st.sampled_from(["", "", "", "g1", "g2"])),
            use=draw(st.sampled_from(Use)),
            crossed=draw(st.booleans()),
        )
        for at in range(count)
    ]


@st.composite
def given_rules(draw):
    return rules(
        over=draw(st.integers(0, 80)),
        victims=VictimRules(
            order=tuple(draw(st.permutations(VictimOrder))),
            max_per_cycle=draw(st.integers(1, 6)),
            max_gpu_share=Fraction(draw(st.integers(1, 100)), 100),
        ),
        scope_milli=draw(st.integers(1, 40)) * 1000,
        notice_ms=30 * MINUTE_MS,
        may_stop_production=draw(st.booleans()),
        handled=frozenset(draw(st.sets(st.integers(0, 11).map("uid-w{:02}".format), max_size=2))),
        floors=draw(st.dictionaries(st.integers(0, 11).map("uid-w{:02}".format), st.integers(0, 4), max_size=3)),
        unlimited=draw(st.booleans()),
    )


def gangs(victims: tuple[Victim, ...]) -> list[list[Victim]]:
    """Victims that are stopped together, in their order."""
    keyed = groupby(victims, key=lambda one: one.candidate.gang or one.candidate.target.name)
    return [list(members) for _, members in keyed]


@given(workloads(), given_rules())
@settings(max_examples=60)
def test_everybody_is_chosen_or_spared_or_not_needed_and_nobody_twice(found, given_rules):
    picked = select(found, given_rules, NOW)
    names = [one.candidate.target.name for one in picked.victims] + [one.target.name for one, _ in picked.spared]
    assert len(names) == len(set(names))
    assert set(names) <= {one.target.name for one in found}
    assert select(list(reversed(found)), given_rules, NOW).victims == picked.victims, (
        "the order of looking is no matter"
    )


@given(workloads(), given_rules())
@settings(max_examples=60)
def test_nobody_is_chosen_who_must_be_left_alone(found, given_rules):
    for victim in select(found, given_rules, NOW).victims:
        one = victim.candidate
        assert one.lever is not None
        assert one.stage != "production" or given_rules.may_stop_production
        assert one.exempt_ms <= NOW
        assert given_rules.unlimited or NOW - one.since_ms >= 15 * MINUTE_MS
        assert one.target.uid not in given_rules.handled
        kept = given_rules.floors.get(one.target.uid, 0)
        assert victim.floor == kept < one.live
        assert kept == 0 or one.target.kind == "Deployment"


@given(workloads(), given_rules())
@settings(max_examples=60)
def test_gangs_go_as_a_whole_or_not_at_all(found, given_rules):
    picked = {one.candidate.target.name for one in select(found, given_rules, NOW).victims}
    for gang in ("g1", "g2"):
        members = {one.target.name for one in found if one.gang == gang}
        assert members <= picked or not members & picked


@given(workloads(), given_rules())
@settings(max_examples=60)
def test_enough_is_saved_or_all_that_may_go_has_gone_and_nobody_goes_in_vain(found, given_rules):
    picked = select(found, replace(given_rules, unlimited=True), NOW)
    left = {one.target.name for one, _ in picked.spared} | {one.candidate.target.name for one in picked.victims}
    unneeded = [one for one in found if one.target.name not in left]
    assert picked.saves_nanos >= given_rules.over_nanos or not unneeded
    for gang in gangs(picked.victims):
        without = picked.saves_nanos - sum(one.save_nanos for one in gang)
        assert without < given_rules.over_nanos, "it could have stayed"


@given(workloads(), given_rules())
@settings(max_examples=60)
def test_the_caps_of_a_cycle_hold_for_all_but_the_first(found, given_rules):
    limited = replace(given_rules, unlimited=False)
    picked = select(found, limited, NOW)
    groups = gangs(picked.victims)
    most = int(limited.scope_milli * limited.victims.max_gpu_share)
    assert all(one.save_nanos or len(group) > 1 for group in groups for one in group)
    if len(groups) > 1:
        assert len(picked.victims) <= limited.victims.max_per_cycle or len(groups[0]) > limited.victims.max_per_cycle
        assert sum(one.gpu_milli for one in picked.victims) <= max(most, sum(one.gpu_milli for one in groups[0]))


@given(workloads(), given_rules())
@settings(max_examples=60)
def test_who_comes_first_in_the_order_goes_before_who_comes_later(found, given_rules):
    """Without gangs and caps they are a beginning of the order, but for those that turned out not to be needed."""
    alone = [replace(one, gang="") for one in found]
    picked = select(alone, replace(given_rules, unlimited=True, over_nanos=10**18), NOW).victims
    everyone = [one.candidate.target.name for one in picked]
    fewer = select(alone, replace(given_rules, unlimited=True), NOW).victims
    places = [everyone.index(one.candidate.target.name) for one in fewer]
    assert places == sorted(places)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=6),
    st.integers(0, 24),
    st.integers(0, 6),
)
@settings(max_examples=60)
def test_what_disruption_budgets_keep_is_kept_by_all_that_are_stopped_together(shapes, desired, others):
    """Two budgets over the same pods, and pods of others that are up as well."""
    found = [
        replace(one, pods=tuple(runs("research", f"{one.target.name}-{at}", labels={"tier": "web"}) for at in range(n)))
        for number, (n, _) in enumerate(shapes)
        for one in [candidate(f"w{number}", pods=n)]
    ]
    healthy = sum(one.live for one in found) + others
    around = Surroundings(disruptions=[budget_of_disruption(desired=desired, healthy=healthy, tier="web")])
    together = around.floors_together(found)
    left = healthy - sum(one.live - together.get(one.target.uid, 0) for one in found)
    assert left >= min(desired, healthy)
    alone = around.floors(found)
    assert all(together.get(uid, 0) >= floor for uid, floor in alone.items())
    assert around.floors_together(found[:1]) == around.floors(found[:1])


@given(workloads(), given_rules())
@settings(max_examples=30)
def test_a_reason_is_given_for_everybody_who_is_left_alone(found, given_rules):
    picked = select(found, given_rules, NOW)
    assert all(isinstance(reason, Spared) and reason for _, reason in picked.spared)
