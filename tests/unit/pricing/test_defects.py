import pytest

from aicost.domain.inventory.nodes import CapacityType
from aicost.domain.pricing.books import NodeMatch, NodeSplit, PriceEntry, ReferenceRates
from aicost.domain.pricing.defects import DefectKind, find_defects
from support.pricing import UNIT, book, entry, minutes


def kinds(*books):
    return [defect.kind for defect in find_defects(books)]


def test_a_sound_book_has_no_defects():
    sound = book(
        entry("h100-old", gpu_hour=3, effective=minutes(0, 10)),
        entry("h100-new", gpu_hour=2, effective=minutes(10, 20)),
        entry("h100-spot", gpu_hour=1, capacity_type=CapacityType.SPOT),
        entry("p5", node_hour=90, instance_type="p5.48xlarge"),
        entry("p5-eu", node_hour=95, instance_type="p5.48xlarge", region="eu-west-1"),
    )
    assert find_defects([sound]) == ()


def test_overlapping_dates_name_both_entries_the_one_that_is_used_and_the_fix():
    (defect,) = find_defects(
        [book(entry("old", gpu_hour=3, effective=minutes(0, 20)), entry("new", gpu_hour=2, effective=minutes(10, 30)))]
    )
    assert (defect.book, defect.entries, defect.kind) == ("book", ("new", "old"), DefectKind.OVERLAP)
    assert defect.message == (
        "book/new and book/old price the same nodes (GPU model) at the same time, "
        "1970-02-11T16:10:00Z/1970-02-11T16:20:00Z: new is used, because its price began later. "
        "End the older price with `to`, or give one a higher priority."
    )


def test_one_model_in_two_spellings_overlaps():
    spellings = [entry("a", gpu_hour=3, gpu_model="H100"), entry("b", gpu_hour=2, gpu_model="NVIDIA-H100-80GB-HBM3")]
    assert kinds(book(*spellings)) == [DefectKind.OVERLAP]


@pytest.mark.parametrize("change", [{"priority": 1}, {"list_price": True}, {"region": "eu-west-1"}])
def test_what_decides_between_two_entries_makes_them_no_overlap(change):
    match = {"gpu_model": "h100-80gb"}
    assert kinds(book(entry("a", gpu_hour=3, **match), entry("b", gpu_hour=2, **(match | change)))) == []


def test_an_overlap_of_two_books_is_told_to_both():
    defects = find_defects([book(entry("e", gpu_hour=3), name="x"), book(entry("e", gpu_hour=2), name="w")])
    assert [(defect.book, defect.kind) for defect in defects] == [("w", DefectKind.OVERLAP), ("x", DefectKind.OVERLAP)]
    assert "w/e and x/e price the same nodes" in defects[0].message


def test_an_entry_that_lasts_long_overlaps_all_that_begin_within_it():
    entries = [entry("long", gpu_hour=1, effective=minutes(0, 60))]
    entries += [entry(f"e{at}", gpu_hour=1, effective=minutes(at, at + 5)) for at in (10, 20, 30)]
    assert [defect.entries for defect in find_defects([book(*entries)])] == [
        ("e10", "long"),
        ("e20", "long"),
        ("e30", "long"),
    ]


@pytest.mark.parametrize(
    ("bad", "kind", "says"),
    [
        (entry(gpu_hour=1, effective=minutes(5, 5)), DefectKind.NEVER_HOLDS, "from equals to"),
        (entry(), DefectKind.NO_PRICE, "give perGpuHour or perNodeHour"),
        (entry(gpu_hour=0), DefectKind.NO_PRICE, "no price above zero"),
        (entry(gpu_hour=-2), DefectKind.NO_PRICE, "no price above zero"),
        (entry(node_hour=9, split=NodeSplit.GPU_SHARE), DefectKind.NO_SHARE, "gpuShare"),
        (entry(gpu_hour=1, gpu_model="A100"), DefectKind.AMBIGUOUS_MODEL, "write a100-40gb or a100-80gb"),
    ],
)
def test_what_an_entry_lacks_is_named_with_the_fix(bad, kind, says):
    defects = {defect.kind: defect for defect in find_defects([book(bad)])}
    assert says in defects[kind].message
    assert defects[kind].message.startswith("entry e: ")


@pytest.mark.parametrize(
    ("split", "says"), [(NodeSplit.RATIO, "gpuHour"), (NodeSplit.RESIDUAL, "cpuCoreHour and memoryGibHour")]
)
def test_a_price_of_a_node_that_no_rate_divides_is_told(split, says):
    (defect,) = find_defects([book(entry(node_hour=9, split=split), reference=ReferenceRates())])
    assert defect.kind is DefectKind.NO_REFERENCE_RATE
    assert says in defect.message


def test_an_entry_that_prices_every_node_is_told_because_that_is_a_default():
    everything = PriceEntry("e", NodeMatch(), UNIT, None, NodeSplit.RESIDUAL, None, minutes(0, 60))
    assert kinds(book(everything)) == [DefectKind.PRICES_EVERYTHING]


def test_two_entries_of_one_name_are_told():
    twice = [entry("e", gpu_hour=1, region="eu-west-1"), entry("e", gpu_hour=1, region="us-east-1")]
    assert kinds(book(*twice)) == [DefectKind.DUPLICATE_NAME]
