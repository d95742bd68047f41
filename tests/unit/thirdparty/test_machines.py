"""Machines of a cloud's bill and nodes of a cluster: the same machine in two spellings, and never counted twice."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aicost.adapters.pricing.bills.focus import Others
from aicost.adapters.pricing.bills.reading import read_bill
from aicost.adapters.pricing.tables.reading import Bounds, read_table
from aicost.domain.exact.windows import DAY_MS, Window, from_rfc3339
from aicost.domain.thirdparty.machines import MachineLine, match, node_keys, resource_keys
from aicost.ports.errors import InvalidRequest
from aicost.usecases.economics.spend.match_machines import match_machines
from support.fakes.ledger import MemoryLedger
from support.ledger_rows import make_posting, make_row

DAY = Window(from_rfc3339("2026-03-02T00:00:00Z"), from_rfc3339("2026-03-03T00:00:00Z"))
HOUR = Window(DAY.start_ms, DAY.start_ms + 3_600_000)
DOLLAR, NANOS = 10**18, 10**9
SAMPLE = Path(__file__).parents[4] / "shared/data/focus-sample/focus_sample_1.0.csv"
SET = "/subscriptions/7f/resourceGroups/MC_rg/providers/Microsoft.Compute/virtualMachineScaleSets/aks-gpu-vmss"


def line(resource, cost=10, *, by_time=True, day=DAY, currency="USD"):
    return MachineLine(day, resource, cost * DOLLAR, currency, by_time)


@pytest.mark.parametrize(
    ("node", "resource"),
    [
        ("aws:///us-east-1a/i-0abc123def4567890", "i-0abc123def4567890"),
        ("aws:///us-east-1a/i-0abc123def4567890", "arn:aws:ec2:us-east-1:111122223333:instance/i-0abc123def4567890"),
        (
            "gce://proj/us-central1-a/gpu-1",
            "//compute.googleapis.com/projects/proj/zones/us-central1-a/instances/gpu-1",
        ),
        ("gce://proj/us-central1-a/gpu-1", "projects/123456789/zones/us-central1-a/instances/gpu-1"),
        (f"azure://{SET}/virtualMachines/3", f"{SET}/virtualMachines/3".lower()),
        (f"azure://{SET}/virtualMachines/3", SET.lower()),
        (
            "azure:///subscriptions/7f/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/gpu",
            "/subscriptions/7f/resourcegroups/RG/providers/microsoft.compute/virtualmachines/gpu",
        ),
        ("ocid1.instance.oc1.phx.anyhqljr", "ocid1.instance.oc1.phx.anyhqljr"),
        ("oci://ocid1.instance.oc1.phx.anyhqljr", "ocid1.instance.oc1.phx.anyhqljr"),
        ("digitalocean://381234", "381234"),
    ],
)
def test_a_machine_is_the_same_in_every_spelling(node, resource):
    assert set(node_keys(node)) & set(resource_keys(resource))


@pytest.mark.parametrize(
    ("node", "resource"),
    [
        ("aws:///us-east-1a/i-0abc123def4567890", "arn:aws:ec2:us-east-1:1:volume/vol-0abc123def4567890"),
        ("aws:///us-east-1a/i-0abc123def4567890", "i-0abc123def4567891"),
        (
            "gce://proj/us-central1-a/gpu-1",
            "//compute.googleapis.com/projects/other/zones/us-central1-a/instances/gpu-1",
        ),
        ("gce://proj/us-central1-a/gpu-1", "projects/proj/zones/us-central1-a/disks/gpu-1"),
        ("aws:///us-west-2a/fargate-ip-10-0-0-1", "i-0abc123def4567890"),
        ("", ""),
        ("kind://docker/kind/kind-worker", "i-0abc123def4567890"),
    ],
)
def test_another_machine_is_another(node, resource):
    assert not set(node_keys(node)) & set(resource_keys(resource))


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_spelling_breaks_anything(node, resource):
    assert all(key for key in (*node_keys(node), *resource_keys(resource)))


def test_a_match_tells_the_bill_the_ledger_and_what_the_ledger_does_not_cost():
    nodes = {"gpu-1": "aws:///us-east-1a/i-0abc123def4567890", "cpu-1": "aws:///us-east-1a/i-0000000000000000a"}
    lines = [
        line("i-0abc123def4567890", 96),
        line("i-0abc123def4567890", 4, by_time=False),
        line("i-0ffffffffffffffff"),
    ]
    (one,) = match(lines, nodes, {("gpu-1", DAY, "USD"): 90 * NANOS})
    assert (one.nodes, one.billed_nanos // NANOS, one.beside_nanos // NANOS) == (("gpu-1",), 96, 4)
    assert one.difference_nanos == -6 * NANOS


def test_a_scale_set_is_compared_with_all_its_nodes():
    nodes = {f"aks-{number}": f"azure://{SET}/virtualMachines/{number}" for number in range(3)}
    ledger = {(name, DAY, "USD"): 10 * NANOS for name in nodes}
    (one,) = match([line(SET, 33)], nodes, ledger)
    assert (one.nodes, one.difference_nanos) == (("aks-0", "aks-1", "aks-2"), -3 * NANOS)


def test_two_currencies_are_not_compared_and_nothing_in_the_ledger_is_no_zero():
    nodes = {"gpu-1": "aws:///us-east-1a/i-0abc123def4567890"}
    (one,) = match([line("i-0abc123def4567890", currency="EUR")], nodes, {("gpu-1", DAY, "USD"): NANOS})
    assert (one.ledger_nanos, one.difference_nanos) == (None, None)


def test_a_credit_makes_the_bill_smaller():
    nodes = {"gpu-1": "aws:///us-east-1a/i-0abc123def4567890"}
    lines = [line("i-0abc123def4567890", 10), line("i-0abc123def4567890", -4)]
    assert match(lines, nodes, {})[0].billed_nanos == 6 * NANOS


def test_the_ledgers_side_is_all_that_the_node_cost_on_the_days_of_the_bill():
    ledger = MemoryLedger()
    ledger.post(make_posting(make_row(7 * NANOS, window=HOUR, node="gpu-1"), window=HOUR))
    later = Window(HOUR.start_ms + 2 * DAY_MS, HOUR.end_ms + 2 * DAY_MS)
    ledger.post(make_posting(make_row(NANOS, window=later, node="gpu-1"), window=later))
    nodes = {"gpu-1": "aws:///us-east-1a/i-0abc123def4567890"}
    (one,) = match_machines(ledger.snapshot(), None, [line("i-0abc123def4567890", 8)], nodes)
    assert (one.ledger_nanos, one.days) == (7 * NANOS, 1)


def bill(*rows):
    head = (
        "ServiceCategory,ServiceName,ProviderName,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,EffectiveCost,"
        "BillingCurrency,ChargeDescription,ResourceId,PricingUnit"
    )
    return "\n".join([head, *rows]).encode()


def row(category, service, cost, resource="NULL", unit="Hours", charge="Usage"):
    when = "2026-03-02 10:00:00,2026-03-02 11:00:00"
    return f"{category},{service},AWS,{charge},{when},{cost},USD,x,{resource},{unit}"


def test_all_money_of_a_bill_is_ai_or_ignored_and_machines_are_told_from_their_traffic():
    content = bill(
        row("AI and Machine Learning", "Amazon Bedrock", "1.5"),
        row("Compute", "Amazon EC2", "98", "i-0abc123def4567890"),
        row("Compute", "Amazon EC2", "0.09", "i-0abc123def4567890", "GB"),
        row("Storage", "Amazon S3", "3", "bucket"),
        row("Databases", "Pinecone", "2"),
        row("Compute", "Amazon EC2", "broken", "i-0abc123def4567890"),
        row("Compute", "Amazon EC2", "7", charge="Tax"),
    )
    found = read_bill(content, "bill.csv")
    assert [(one.item, one.cost_attos / DOLLAR) for one in found.lines] == [("x", 1.5), ("x", 2)]
    assert [
        (one.category, one.service, one.lines, one.unread, one.cost_attos * 100 // DOLLAR) for one in found.ignored
    ] == [
        ("Compute", "Amazon EC2", 3, 1, 9_809),
        ("Storage", "Amazon S3", 1, 0, 300),
        ("Tax", "Amazon EC2", 1, 0, 700),
    ]
    machines = [one for one in found.machines if one.resource.startswith("i-")]
    assert [(one.by_time, one.cost_attos * 100 // DOLLAR) for one in machines] == [(True, 9_800), (False, 9)]


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample of FOCUS data is not there")
def test_of_a_real_bill_every_cent_is_told():
    content = SAMPLE.read_bytes()
    found = read_bill(content, SAMPLE.name)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(found.lines) + found.others == len(rows) == 1_000
    whole = sum(Decimal(row["EffectiveCost"]) for row in rows)
    told = sum(one.cost_attos for one in found.lines) + sum(one.cost_attos for one in found.ignored)
    assert Decimal(told).scaleb(-18) == whole
    assert {one.provider for one in found.lines} == {"azure"}
    assert len(found.lines) == 9
    timed = [one for one in found.machines if one.by_time and one.resource.startswith("i-")]
    nodes = {f"node-{at}": f"aws:///us-west-2a/{one.resource}" for at, one in enumerate(timed)}
    matched = match(found.machines, nodes, {})
    assert {name for one in matched for name in one.nodes} == set(nodes)
    assert sum(one.billed_nanos for one in matched) == sum(one.cost_attos for one in timed) // NANOS


def test_of_a_large_bill_only_ai_lines_are_kept_and_one_sum_for_each_machine_and_day():
    machine = row("Compute", "Amazon EC2", "0.5", "i-0abc123def4567890")
    content = bill(*[machine] * 5_000, row("AI and Machine Learning", "Amazon Bedrock", "1"))
    others = Others()
    table = read_table(content, Bounds(10**7, 5_001, "advice"), others.begin)
    assert len(table.rows) == 1
    assert [one.cost_attos / DOLLAR for one in others.machine_lines()] == [2_500]
    assert [(one.lines, one.cost_attos / DOLLAR) for one in others.ignored_lines()] == [(5_000, 2_500)]
    with pytest.raises(InvalidRequest, match="more than 5000 rows: advice"):
        read_table(content, Bounds(10**7, 5_000, "advice"), Others().begin)
