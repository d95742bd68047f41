"""Each bucket of the ledger against the simulator's truth, where several pods share a GPU.

The loads change at scrapes alone, and each scrape shows the mean since the one before: then every bucket is exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from aicost.domain.exact.windows import MINUTE_MS
from fleet.activity import IDLE, Steps
from fleet.models import A100, H100
from fleet.script import Fleet, SimNode
from fleet.sharing.builders import DRA, KAI, SINGLE, VIRTUAL, claimed, cut, fraction, mixed, sliced, slots
from fleet.sharing.split import Mode
from fleet.sharing.terms import WHOLE, Part, Plugin, Sharing
from fleet.truth import Rules
from support.pipeline import Way
from support.scripted import at, bill_of
from support.shared_bills import agent, check_truth, dcgm, hami, host, level, lives

STEPPED = Steps(((0, Fraction(1, 4)), (3 * MINUTE_MS, Fraction(0)), (6 * MINUTE_MS, Fraction(1, 2))))

CASES: dict[str, Callable[[], Fleet]] = {}


def case(make: Callable[[], Fleet]) -> Callable[[], Fleet]:
    CASES[make.__name__.replace("_", " ")] = make
    return make


def four_pods(on: SimNode, loads: Sequence[str] = ("0.4", "0.2", "0.2", "0")) -> Fleet:
    return Fleet((on,), tuple(lives(f"p{number}", on, slots(), level(load)) for number, load in enumerate(loads)))


@case
def four_replicas_that_are_all_held() -> Fleet:
    return four_pods(host(sliced(4)))


@case
def replicas_under_a_name_of_their_own() -> Fleet:
    return four_pods(host(sliced(4, renamed=True)))


@case
def replicas_whose_pods_come_and_go() -> Fleet:
    on = host(sliced(4), 2)
    return Fleet(
        (on,),
        (
            lives("a", on, slots(), level("0.5"), since=1, until=9),
            lives("b", on, slots(2), STEPPED, since=3),
            lives("c", on, slots(), IDLE, gpu=1, until=6),
            lives("d", on, slots(), level("0.7"), gpu=1, since=6, until=12),
        ),
    )


@case
def a_pod_that_holds_two_replicas_and_stands_twice_in_each_scrape() -> Fleet:
    on = host(sliced(4))
    return Fleet((on,), (lives("two", on, slots(2), level("0.5")), lives("one", on, slots(), level("0.25"))))


@case
def instances_that_the_agent_counts() -> Fleet:
    on = mig("4g.40gb", "3g.40gb", shown=[agent()])
    return Fleet((on,), (lives("p1", on, Part(instance=1), STEPPED, since=1), lives("p2", on, Part(instance=2), IDLE)))


@case
def replicas_of_an_instance() -> Fleet:
    on = mig("7g.80gb", sharing=mixed(2))
    return Fleet((on,), (lives("a", on, slots(instance=1), level("0.5")), lives("b", on, slots(instance=1), IDLE)))


for dialect in ("4.8.2", "4.8.3", "4.9", "4.9-percent"):
    CASES[f"replicas in the words of {dialect}"] = lambda dialect=dialect: four_pods(
        host(sliced(4), shown=[dcgm(name=dialect)])
    )


@case
def replicas_of_which_only_the_gpu_is_measured() -> Fleet:
    return four_pods(host(sliced(4), shown=[dcgm(virtual_gpus=False)]))


@case
def replicas_whose_pods_all_read_zero() -> Fleet:
    return four_pods(host(sliced(4), shown=[dcgm(per_process="zero")]))


@case
def replicas_whose_pods_all_read_as_the_gpu() -> Fleet:
    return four_pods(host(sliced(4), shown=[dcgm(per_process="copied")]))


@case
def replicas_that_the_agent_counts_beside_an_exporter_that_cannot() -> Fleet:
    return four_pods(host(sliced(4), shown=[dcgm(per_process="zero"), agent()]))


@case
def replicas_that_the_agent_alone_counts() -> Fleet:
    on = host(sliced(4), shown=[agent()])
    return Fleet(
        (on,),
        (lives("a", on, slots(), STEPPED, since=1, until=9), lives("b", on, slots(), level("0.5"), since=2)),
    )


@case
def mps_by_the_agents_multiprocessor_seconds() -> Fleet:
    return four_pods(host(sliced(4, plugin=Plugin.MPS), shown=[dcgm(), agent()]))


@case
def mps_of_which_only_the_gpu_is_measured() -> Fleet:
    return four_pods(host(sliced(4, plugin=Plugin.MPS), shown=[dcgm(virtual_gpus=False)]))


def mig(*profiles: str, gpus: int = 1, sharing: Sharing | None = None, shown=None, model=H100) -> SimNode:
    return cut(host(sharing or mixed(), gpus, shown=shown, model=model), 0, *profiles)


@case
def instances_of_several_sizes_beside_a_whole_gpu() -> Fleet:
    on = mig("4g.40gb", "1g.10gb", "1g.10gb", gpus=2)
    return Fleet(
        (on,),
        (
            lives("large", on, Part(instance=1), level("0.75"), since=1, until=9),
            lives("small", on, Part(instance=2), STEPPED),
            lives("whole", on, WHOLE, level("0.5"), gpu=1, since=2),
        ),
    )


@case
def instances_whose_sizes_sum_to_more_than_the_gpu() -> Fleet:
    on = mig("4g.40gb", "3g.40gb")
    return Fleet((on,), tuple(lives(f"p{n}", on, Part(instance=n), level("0.5")) for n in (1, 2)))


@case
def instances_of_one_size() -> Fleet:
    on = mig(*["1g.10gb"] * 7, sharing=SINGLE)
    loads = ("0.1", "0.5", "1")
    return Fleet((on,), tuple(lives(f"p{n}", on, Part(instance=n), level(load)) for n, load in enumerate(loads, 1)))


@case
def instances_of_an_a100() -> Fleet:
    on = mig("4g.20gb", "1g.5gb", "1g.5gb", "1g.5gb", model=A100)
    return Fleet((on,), tuple(lives(f"p{n}", on, Part(instance=n), level("0.5")) for n in (1, 2, 3, 4)))


@case
def a_gpu_that_is_cut_anew_inside_the_window() -> Fleet:
    on = cut(mig("7g.80gb"), 0, "4g.40gb", "3g.40gb", from_ms=at(6), first_id=5)
    return Fleet(
        (on,),
        (
            lives("before", on, Part(instance=1), level("0.75"), until=5),
            lives("after", on, Part(instance=5), level("0.5"), since=7),
        ),
    )


@case
def a_slice_that_no_instance_fits_into() -> Fleet:
    on = mig("3g.40gb", "1g.10gb", "1g.10gb", "1g.10gb")
    return Fleet((on,), (lives("p1", on, Part(instance=1), level("0.5")),))


@case
def hami_with_its_own_exporter() -> Fleet:
    on = host(VIRTUAL[Plugin.HAMI], shown=[dcgm(), hami()])
    return Fleet(
        (on,),
        (
            lives("cores", on, fraction(Fraction(1, 2), 10_000), level("0.5"), since=1),
            lives("memory", on, fraction(Fraction(1, 10), 40_000), level("0.25"), until=8),
        ),
    )


@case
def hami_that_nobody_sees_into() -> Fleet:
    on = host(VIRTUAL[Plugin.HAMI], 2)
    return Fleet(
        (on,),
        (
            *(lives(f"p{n}", on, fraction(Fraction(1, 4), 20_000), level("0.25")) for n in range(4)),
            lives("whole", on, fraction(Fraction(0), 81_559), level("0.5"), gpu=1, since=2),
        ),
    )


@case
def volcano() -> Fleet:
    on = host(VIRTUAL[Plugin.VOLCANO])
    pods = (
        lives("a", on, fraction(Fraction(1, 2), 10_000), level("0.5")),
        lives("b", on, fraction(Fraction(1, 4), 10_000), IDLE),
    )
    return Fleet((on,), pods)


@case
def kai_groups_beside_a_whole_gpu() -> Fleet:
    on = host(KAI, 3)
    return Fleet(
        (on,),
        (
            lives("half", on, fraction(Fraction(1, 2)), level("0.5"), since=1),
            lives("quarter", on, fraction(Fraction(1, 4)), level("0.25"), since=2, until=9),
            lives("memory", on, fraction(Fraction(0), 20_000), level("0.75"), gpu=1, since=3, until=11),
            lives("whole", on, WHOLE, level("0.5"), gpu=2),
        ),
    )


def drivers(gpus: int = 1, *, shows: bool = True, model=H100) -> SimNode:
    return host(DRA, gpus, shown=[dcgm(dra=shows)], model=model)


for shows in (True, False):
    told = "shown" if shows else "not shown"

    def claims(shows: bool = shows) -> Fleet:
        on = drivers(3, shows=shows)
        return Fleet(
            (on,),
            (
                lives("own", on, claimed("own"), level("0.5"), since=1, until=9),
                lives("one", on, claimed("both", template=False), level("0.5"), gpu=1),
                lives("two", on, claimed("both", template=False), level("0.25"), gpu=1, since=2, until=10),
                lives("plain", on, claimed("made", extended=True), STEPPED, gpu=2, since=1),
            ),
        )

    CASES[f"claims whose pods are {told} by the exporter"] = claims


@case
def claims_that_consume_a_part_of_a_device() -> Fleet:
    on = drivers()
    return Fleet(
        (on,),
        (
            lives("a", on, claimed("a", consumed=Fraction(1, 2)), level("0.5")),
            lives("b", on, claimed("b", consumed=Fraction(3, 10)), level("0.25"), since=2),
        ),
    )


@case
def claims_of_an_administrator_beside_a_holder() -> Fleet:
    on = drivers(2)
    return Fleet(
        (on,),
        (
            lives("holds", on, claimed("own"), level("0.5"), since=1, until=11),
            lives("watches", on, claimed("all", admin=True), IDLE),
            lives("watches-too", on, claimed("all-too", admin=True), IDLE, gpu=1),
        ),
    )


@case
def claims_on_instances() -> Fleet:
    on = cut(drivers(2), 1, "4g.40gb", "3g.40gb")
    return Fleet(
        (on,),
        (
            lives("whole", on, claimed("w"), level("0.5")),
            lives("large", on, claimed("l", instance=1), level("0.75"), gpu=1, since=1),
        ),
    )


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("name", CASES)
def test_the_bill_is_the_truth(name: str, way: Way, tmp_path):
    fleet = CASES[name]()
    check_truth(bill_of(fleet, tmp_path, way), fleet)


def chosen(fleet: Fleet, rules: Rules) -> Fleet:
    """The fleet with rules of division that stand on its nodes."""
    slot_rule = "holders" if rules.by_tenants else "offered"
    labels = (("aicost.dev/gpu-split", str(rules.mode)), ("aicost.dev/gpu-slots", slot_rule))
    return replace(fleet, nodes=tuple(replace(node, labels=(*node.labels, *labels)) for node in fleet.nodes))


def two_that_come_and_go() -> Fleet:
    on = host(sliced(4))
    pods = (lives("a", on, slots(), level("0.4"), since=1), lives("b", on, slots(), level("0.1"), since=3, until=9))
    return Fleet((on,), pods)


CHOICES = {
    "four replicas": lambda: four_pods(host(sliced(4))),
    "pods that come and go": two_that_come_and_go,
    "HAMi": CASES["hami with its own exporter"],
    "replicas of an instance": CASES["replicas of an instance"],
    "claims": CASES["claims that consume a part of a device"],
}


@pytest.mark.parametrize("rules", [Rules(mode, by) for mode in Mode for by in (False, True)], ids=str)
@pytest.mark.parametrize("name", CHOICES)
def test_the_bill_is_the_truth_by_each_rule(name: str, rules: Rules, tmp_path):
    fleet = chosen(CHOICES[name](), rules)
    check_truth(bill_of(fleet, tmp_path, Way.PROMETHEUS), fleet, rules=rules)
