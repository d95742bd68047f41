"""What the GPU machines of the clouds consist of, by instance type. A new machine is a new line here."""

from collections.abc import Mapping
from dataclasses import dataclass

_GIB = 2**30
_MILLIS = 1_000


@dataclass(frozen=True, slots=True)
class MachineType:
    """A machine as a cloud sells it.

    Attributes:
        name: instance type as node labels have it.
        gpu_model: canonical model.
        gpus: GPUs of one machine.
    """

    name: str
    provider: str
    gpu_model: str
    gpus: int
    cpu_millis: int
    memory_bytes: int


_TABLE = """
    aws    g4dn.xlarge                t4            1   4   16
    aws    g4dn.2xlarge               t4            1   8   32
    aws    g4dn.4xlarge               t4            1  16   64
    aws    g4dn.8xlarge               t4            1  32  128
    aws    g4dn.12xlarge              t4            4  48  192
    aws    g4dn.16xlarge              t4            1  64  256
    aws    g4dn.metal                 t4            8  96  384
    aws    g5.xlarge                  a10g          1   4   16
    aws    g5.2xlarge                 a10g          1   8   32
    aws    g5.4xlarge                 a10g          1  16   64
    aws    g5.8xlarge                 a10g          1  32  128
    aws    g5.12xlarge                a10g          4  48  192
    aws    g5.16xlarge                a10g          1  64  256
    aws    g5.24xlarge                a10g          4  96  384
    aws    g5.48xlarge                a10g          8 192  768
    aws    g6.xlarge                  l4            1   4   16
    aws    g6.2xlarge                 l4            1   8   32
    aws    g6.4xlarge                 l4            1  16   64
    aws    g6.8xlarge                 l4            1  32  128
    aws    g6.12xlarge                l4            4  48  192
    aws    g6.16xlarge                l4            1  64  256
    aws    g6.24xlarge                l4            4  96  384
    aws    g6.48xlarge                l4            8 192  768
    aws    gr6.4xlarge                l4            1  16  128
    aws    gr6.8xlarge                l4            1  32  256
    aws    g6e.xlarge                 l40s          1   4   32
    aws    g6e.2xlarge                l40s          1   8   64
    aws    g6e.4xlarge                l40s          1  16  128
    aws    g6e.8xlarge                l40s          1  32  256
    aws    g6e.12xlarge               l40s          4  48  384
    aws    g6e.16xlarge               l40s          1  64  512
    aws    g6e.24xlarge               l40s          4  96  768
    aws    g6e.48xlarge               l40s          8 192 1536
    aws    g7e.2xlarge                rtx-pro-6000  1   8   64
    aws    g7e.4xlarge                rtx-pro-6000  1  16  128
    aws    g7e.8xlarge                rtx-pro-6000  1  32  256
    aws    g7e.12xlarge               rtx-pro-6000  2  48  512
    aws    g7e.24xlarge               rtx-pro-6000  4  96 1024
    aws    g7e.48xlarge               rtx-pro-6000  8 192 2048
    aws    p3.2xlarge                 v100-16gb     1   8   61
    aws    p3.8xlarge                 v100-16gb     4  32  244
    aws    p3.16xlarge                v100-16gb     8  64  488
    aws    p3dn.24xlarge              v100-32gb     8  96  768
    aws    p4d.24xlarge               a100-40gb     8  96 1152
    aws    p4de.24xlarge              a100-80gb     8  96 1152
    aws    p5.4xlarge                 h100-80gb     1  16  256
    aws    p5.48xlarge                h100-80gb     8 192 2048
    aws    p5en.48xlarge              h200          8 192 2048
    aws    p6-b200.48xlarge           b200          8 192 2048
    azure  Standard_NC4as_T4_v3       t4            1   4   28
    azure  Standard_NC8as_T4_v3       t4            1   8   56
    azure  Standard_NC16as_T4_v3      t4            1  16  110
    azure  Standard_NC64as_T4_v3      t4            4  64  440
    azure  Standard_NV36ads_A10_v5    a10           1  36  440
    azure  Standard_NV72ads_A10_v5    a10           2  72  880
    azure  Standard_NC24ads_A100_v4   a100-80gb     1  24  220
    azure  Standard_NC48ads_A100_v4   a100-80gb     2  48  440
    azure  Standard_NC96ads_A100_v4   a100-80gb     4  96  880
    azure  Standard_ND96asr_v4        a100-40gb     8  96  900
    azure  Standard_ND96amsr_A100_v4  a100-80gb     8  96 1900
    azure  Standard_NC40ads_H100_v5   h100-nvl      1  40  320
    azure  Standard_NC80adis_H100_v5  h100-nvl      2  80  640
    azure  Standard_ND96isr_H100_v5   h100-80gb     8  96 1900
    azure  Standard_ND96isr_H200_v5   h200          8  96 1850
    azure  Standard_ND96isr_MI300X_v5 mi300x        8  96 1850
    gcp    a2-highgpu-1g              a100-40gb     1  12   85
    gcp    a2-highgpu-2g              a100-40gb     2  24  170
    gcp    a2-highgpu-4g              a100-40gb     4  48  340
    gcp    a2-highgpu-8g              a100-40gb     8  96  680
    gcp    a2-megagpu-16g             a100-40gb    16  96 1360
    gcp    a2-ultragpu-1g             a100-80gb     1  12  170
    gcp    a2-ultragpu-2g             a100-80gb     2  24  340
    gcp    a2-ultragpu-4g             a100-80gb     4  48  680
    gcp    a2-ultragpu-8g             a100-80gb     8  96 1360
    gcp    g2-standard-4              l4            1   4   16
    gcp    g2-standard-8              l4            1   8   32
    gcp    g2-standard-12             l4            1  12   48
    gcp    g2-standard-16             l4            1  16   64
    gcp    g2-standard-24             l4            2  24   96
    gcp    g2-standard-32             l4            1  32  128
    gcp    g2-standard-48             l4            4  48  192
    gcp    g2-standard-96             l4            8  96  384
    gcp    a3-highgpu-1g              h100-80gb     1  26  234
    gcp    a3-highgpu-2g              h100-80gb     2  52  468
    gcp    a3-highgpu-4g              h100-80gb     4 104  936
    gcp    a3-highgpu-8g              h100-80gb     8 208 1872
    oracle VM.GPU3.1                  v100-16gb     1  12   90
    oracle VM.GPU3.2                  v100-16gb     2  24  180
    oracle VM.GPU3.4                  v100-16gb     4  48  360
    oracle BM.GPU3.8                  v100-16gb     8 104  768
    oracle VM.GPU.A10.1               a10           1  30  240
    oracle VM.GPU.A10.2               a10           2  60  480
    oracle BM.GPU.A10.4               a10           4 128 1024
    oracle BM.GPU4.8                  a100-40gb     8 128 2048
    oracle BM.GPU.A100-v2.8           a100-80gb     8 256 2048
    oracle BM.GPU.H100.8              h100-80gb     8 224 2048
"""
"""One machine per line: provider, instance type, GPU model, GPUs, vCPUs, memory in GiB."""


def _machine(provider: str, name: str, gpu_model: str, gpus: str, vcpus: str, gib: str) -> MachineType:
    return MachineType(name, provider, gpu_model, int(gpus), int(vcpus) * _MILLIS, int(gib) * _GIB)


MACHINES: tuple[MachineType, ...] = tuple(_machine(*line.split()) for line in _TABLE.strip().splitlines())
_BY_NAME: Mapping[str, MachineType] = {machine.name.casefold(): machine for machine in MACHINES}


def machine_type(name: str) -> MachineType | None:
    """The machine of an instance type, whatever its letter case; None for one that is not in the table."""
    return _BY_NAME.get(name.strip().casefold())
