"""The starter price book of the chart and of the command line, from the tables below.

A new machine is a new line, here and in `aicost.domain.inventory.machines`; a new price is a new number and a date.
Then `make generate`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aicost.domain.inventory.machines import MachineType, machine_type

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "charts/aicost/files/starter-prices.yaml"
COPY = ROOT / "operator/aicost/entrypoints/cli/files/list-prices.yaml"
"""The same book for the command line, which estimates without a cluster and without a chart."""

HEADER = """\
# Generated from hack/starter_prices.py by hack/generate.py. Do not edit.
# A PriceBook of your own goes before list prices.
#
# Public on-demand list prices in USD, without discounts, taxes and what is billed beside the machine. Each says where
# and when it was read. Nobody pays exactly these: reports mark every amount that rests on them.
"""

REFERENCE_RATES = {
    "gpuHour": "0.56",
    "cpuCoreHour": "0.024988",
    "memoryGibHour": "0.002927",
    "storageGibMonth": "0.04",
}
"""What Google bills for the parts of a G2 machine in us-central1, where GPU, CPU and memory have prices of their own.

Rates of general-purpose machines would be higher and leave the GPU of a machine with many cores next to nothing.
"""


@dataclass(frozen=True)
class Table:
    """Prices of one provider from one source.

    Attributes:
        lines: a head that names the regions (`*` for a price that holds in all), then one machine per line: instance
            type, and its price per hour in each region, `-` where it has none. What it consists of stands in
            `aicost.domain.inventory.machines`.
    """

    provider: str
    source: str
    as_of: str
    lines: str


@dataclass(frozen=True)
class Machine:
    """One instance type in one region."""

    table: Table
    type: MachineType
    region: str
    price: str

    @property
    def name(self) -> str:
        """Name of its entry: provider, type and region in the characters that a name may have."""
        words = [self.table.provider, self.type.name, *([self.region] if self.region else [])]
        return re.sub(r"[^a-z0-9.]+", "-", "-".join(words).lower())


TABLES = (
    Table(
        "aws",
        "AWS on-demand price for Linux (price table of karpenter-provider-aws)",
        "2026-07-20",
        """
        type             us-east-1 us-gov-west-1
        g4dn.xlarge      0.526     0.663
        g4dn.2xlarge     0.752     -
        g4dn.4xlarge     1.204     -
        g4dn.8xlarge     2.176     -
        g4dn.12xlarge    3.912     4.931
        g4dn.16xlarge    4.352     -
        g4dn.metal       7.824     -
        g5.xlarge        1.006     -
        g5.2xlarge       1.212     -
        g5.4xlarge       1.624     -
        g5.8xlarge       2.448     -
        g5.12xlarge      5.672     -
        g5.16xlarge      4.096     -
        g5.24xlarge      8.144     -
        g5.48xlarge      16.288    -
        g6.xlarge        0.8048    1.0144
        g6.2xlarge       0.9776    -
        g6.4xlarge       1.3232    -
        g6.8xlarge       2.0144    -
        g6.12xlarge      4.6016    5.80003
        g6.16xlarge      3.3968    -
        g6.24xlarge      6.6752    -
        g6.48xlarge      13.3504   -
        gr6.4xlarge      1.5392    -
        gr6.8xlarge      2.4464    -
        g6e.xlarge       1.861     -
        g6e.2xlarge      2.24208   -
        g6e.4xlarge      3.00424   -
        g6e.8xlarge      4.52856   -
        g6e.12xlarge     10.49264  -
        g6e.16xlarge     7.57719   -
        g6e.24xlarge     15.06559  -
        g6e.48xlarge     30.13118  -
        g7e.2xlarge      3.36312   -
        g7e.4xlarge      3.99816   -
        g7e.8xlarge      5.26824   -
        g7e.12xlarge     8.28608   -
        g7e.24xlarge     16.57216  -
        g7e.48xlarge     33.14432  -
        p3.2xlarge       3.06      -
        p3.8xlarge       12.24     -
        p3.16xlarge      24.48     -
        p3dn.24xlarge    31.212    -
        p4d.24xlarge     21.957642 26.3511
        p4de.24xlarge    27.44705  -
        p5.4xlarge       6.88      8.256
        p5.48xlarge      55.04     66.048
        p5en.48xlarge    63.296    75.9552
        p6-b200.48xlarge 113.9328  136.71936
        """,
    ),
    Table(
        "azure",
        "Azure pay-as-you-go price for Linux (price table of karpenter-provider-azure)",
        "2026-06-18",
        """
        type                       eastus eastus2 westeurope swedencentral
        Standard_NC4as_T4_v3       0.526  0.526   0.658      0.558
        Standard_NC8as_T4_v3       0.752  0.752   0.94       0.796
        Standard_NC16as_T4_v3      1.204  1.204   1.505      1.276
        Standard_NC64as_T4_v3      4.352  4.352   5.44       4.603
        Standard_NV36ads_A10_v5    3.2    3.2     4.16       4.16
        Standard_NV72ads_A10_v5    6.52   6.52    8.476      8.476
        Standard_NC24ads_A100_v4   3.673  3.673   4.775      4.775
        Standard_NC48ads_A100_v4   7.346  7.346   9.55       9.55
        Standard_NC96ads_A100_v4   14.692 14.692  19.1       19.1
        Standard_ND96asr_v4        27.197 -       35.357     -
        Standard_ND96amsr_A100_v4  32.77  32.77   40.962     40.962
        Standard_NC40ads_H100_v5   6.98   6.98    9.08       9.074
        Standard_NC80adis_H100_v5  13.96  13.96   18.16      18.148
        Standard_ND96isr_H100_v5   98.32  98.32   127.816    127.816
        Standard_ND96isr_H200_v5   -      84.8    -          110.272
        Standard_ND96isr_MI300X_v5 -      48.0    -          67.2
        """,
    ),
    Table(
        "gcp",
        "Google Cloud on-demand price (price table of the Kubernetes cluster autoscaler)",
        "2026-06-23",
        """
        type           us-central1
        a2-highgpu-1g  3.673385
        a2-highgpu-2g  7.34677
        a2-highgpu-4g  14.69354
        a2-highgpu-8g  29.38708
        a2-megagpu-16g 55.739504
        a2-ultragpu-1g 5.0688
        a2-ultragpu-2g 10.1376
        a2-ultragpu-4g 20.2752
        a2-ultragpu-8g 40.5504
        """,
    ),
    Table(
        "gcp",
        "Google Cloud on-demand price (as quoted in public documents)",
        "2026-11-21",
        """
        type           us-central1
        g2-standard-4  0.706832
        g2-standard-8  0.853624
        g2-standard-12 1.000416
        g2-standard-16 1.147208
        g2-standard-24 2.000832
        g2-standard-32 1.734376
        g2-standard-48 4.001664
        g2-standard-96 8.003328
        a3-highgpu-1g  11.0612
        a3-highgpu-2g  22.1225
        a3-highgpu-4g  44.245
        a3-highgpu-8g  88.490000119
        """,
    ),
    Table(
        "oracle",
        "Oracle Cloud list price per GPU-hour times GPUs (price table of OpenCost)",
        "2025-02-01",
        """
        type             *
        VM.GPU3.1        2.95
        VM.GPU3.2        5.90
        VM.GPU3.4        11.80
        BM.GPU3.8        23.60
        VM.GPU.A10.1     2.00
        VM.GPU.A10.2     4.00
        BM.GPU.A10.4     8.00
        BM.GPU4.8        24.40
        BM.GPU.A100-v2.8 32.00
        BM.GPU.H100.8    80.00
        """,
    ),
)


def machines() -> Iterator[Machine]:
    """Each machine of the tables in each region that has a price."""
    for table in TABLES:
        head, *rows = [line.split() for line in table.lines.strip().splitlines()]
        for name, *prices in rows:
            for region, price in zip(head[1:], prices, strict=True):
                if price != "-":
                    yield Machine(table, _type(name), "" if region == "*" else region, price)


def _type(name: str) -> MachineType:
    found = machine_type(name)
    if found is None:
        raise KeyError(f"{name} is priced, but aicost.domain.inventory.machines does not know it: add a line there")
    return found


def entry(machine: Machine) -> str:
    """The entry of one machine as YAML. The model stands in a comment: the instance type says it already."""
    region = [f"        region: {machine.region}"] if machine.region else []
    lines = [
        f"    - name: {machine.name} # {machine.type.gpus} x {machine.type.gpu_model}",
        "      match:",
        f"        instanceType: {machine.type.name}",
        f"        provider: {machine.table.provider}",
        *region,
        "        capacityType: on-demand",
        f'      perNodeHour: "{machine.price}"',
        f"      gpuCount: {machine.type.gpus}",
        f"      source: {json.dumps(machine.table.source)}",
        f'      asOf: "{machine.table.as_of}"',
    ]
    return "\n".join(lines)


def book() -> str:
    """The whole file."""
    rates = [f'    {name}: "{rate}"' for name, rate in REFERENCE_RATES.items()]
    head = ["apiVersion: aicost.dev/v1alpha1", "kind: PriceBook", "metadata:", "  name: list-prices", "spec:"]
    head += ["  currency: USD", "  listPrices: true", "  referenceRates:", *rates, "  entries:"]
    return HEADER + "\n".join([*head, *map(entry, machines())]) + "\n"
