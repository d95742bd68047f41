"""The starter book of the chart: valid, sound, and true to its sources where they are at hand."""

import csv
from pathlib import Path

import pytest
import yaml

import starter_prices
from aicost.crd.convert.books import price_book
from aicost.domain.exact.amounts import parse_nanos
from aicost.domain.inventory.nodes import CapacityType
from aicost.domain.pricing.defects import find_defects
from aicost.domain.pricing.quotes import node_gpu_cost_nanos
from aicost.domain.pricing.selection import decide_prices
from support.pricing import HOUR, node

FACTS = Path(__file__).parents[4] / "shared" / "data" / "prices" / "gpu_price_book.csv"
MACHINES = tuple(starter_prices.machines())


@pytest.fixture(scope="module")
def manifest():
    return yaml.safe_load(starter_prices.OUTPUT.read_text())


@pytest.fixture(scope="module")
def book(manifest):
    converted = price_book(manifest)
    assert converted.problems == ()
    return converted.value


def as_node(machine, **changes):
    facts = {
        "provider": machine.table.provider,
        "instance_type": machine.type.name,
        "region": machine.region or "anywhere",
        "gpu_model": machine.type.gpu_model,
        "gpus": machine.type.gpus,
        "cpu_millis": machine.type.cpu_millis,
        "memory_bytes": machine.type.memory_bytes,
        "capacity_type": CapacityType.ON_DEMAND,
    }
    return node(**(facts | changes))


def test_the_file_is_what_the_tables_say():
    assert starter_prices.OUTPUT.read_text() == starter_prices.book()


def test_each_entry_is_a_list_price_with_source_and_date(manifest, book):
    assert all(entry["source"] and entry["asOf"] for entry in manifest["spec"]["entries"])
    assert all(entry.list_price and "as of 202" in entry.source for entry in book.entries)


def test_the_book_has_no_defects(book):
    assert find_defects([book]) == ()


def test_it_fits_into_an_object_and_holds_the_common_clouds(book):
    assert starter_prices.OUTPUT.stat().st_size < 100_000
    assert 80 <= len(book.entries) <= 150
    assert {machine.table.provider for machine in MACHINES} == {"aws", "azure", "gcp", "oracle"}


def test_each_machine_is_priced_by_its_own_entry_and_its_gpus_get_a_fair_part(book):
    for machine in MACHINES:
        (decision,) = decide_prices(as_node(machine), [book], HOUR)
        assert decision.chosen.entry == machine.name
        whole = parse_nanos(machine.price)
        gpus = node_gpu_cost_nanos(decision, machine.type.gpus, HOUR.length_ms)
        assert whole // 5 < gpus < whole, machine.name


@pytest.mark.parametrize("change", [{"region": "mars-1"}, {"capacity_type": CapacityType.SPOT}, {"provider": "other"}])
def test_what_stands_elsewhere_or_was_bought_otherwise_has_no_list_price(change, book):
    machine = next(machine for machine in MACHINES if machine.type.name == "p5.48xlarge")
    (decision,) = decide_prices(as_node(machine, **change), [book], HOUR)
    assert decision.chosen is None
    assert "list-prices/aws-p5.48xlarge-us-east-1" in dict(decision.rejected)


@pytest.mark.skipif(not FACTS.is_file(), reason="the price facts (../shared/data/prices) are absent")
def test_prices_are_those_of_their_sources():
    with FACTS.open() as lines:
        rows = list(csv.DictReader(lines))
    known = {(row["provider"], row["instance_type"], row["region"]): row for row in rows}
    checked = 0
    for machine in MACHINES:
        row = known.get((machine.table.provider, machine.type.name, machine.region))
        if row is not None and row["as_of"] == machine.table.as_of:
            assert parse_nanos(machine.price) == parse_nanos(row["price_per_hour"]), machine.name
            assert machine.type.gpus == int(row["gpu_count"]), machine.name
            checked += 1
    assert checked > 100
