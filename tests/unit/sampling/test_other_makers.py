"""Accelerators of other makers by the exporters that are known: the labels as AMD's and Google's write them."""

import pytest

from aicost.domain.sampling.dialects import OTHER_MAKERS, dialect_of, means
from aicost.domain.sampling.series import PPB, Signal
from support.samples import context, only, raw, read

AMD = "gpu_gfx_activity"
CARD = {"gpu_uuid": "ccff-1", "gpu_id": "0", "serial_number": "692", "card_series": "AMD Instinct MI300X OAM"}
CHIP = {"accelerator_id": "1234-4", "make": "cloud-tpu", "model": "tpu7x", "tpu_topology": "2x2x2"}
HELD = {"namespace": "vision", "pod": "train-0", "container": "main"}


def amd(values, name=AMD, **labels):
    return raw(values, name, device="", **CARD, hostname="n1", **labels)


def tpu(values, name="duty_cycle", **labels):
    return raw(values, name, device="", **{**CHIP, **labels})


def test_an_amd_gpu_is_busy_by_percent_and_names_its_pod():
    one = only(read(amd([0, 50, 100], gpu_partition_id="0", **HELD)))
    assert (one.signal, one.device, one.instance, one.node) == (Signal.GPU_UTIL, "ccff-1", None, "n1")
    assert one.value.tolist() == [0, PPB // 2, PPB]
    assert one.holder == ("vision", "train-0")
    assert one.gpu_model == "AMD Instinct MI300X OAM"


def test_an_amd_gpu_without_a_uuid_is_its_serial_number():
    series = amd([1.0])
    del series.labels["gpu_uuid"]
    assert only(read(series)).device == "692"


def test_a_later_partition_of_an_amd_gpu_does_not_speak_for_the_whole():
    told = read(amd([80.0], gpu_partition_id="0"), amd([0.0], gpu_partition_id="10"))
    assert [(one.instance, one.value.tolist()) for one in told.series] == [(None, [8 * PPB // 10]), ("10", [0])]


def test_a_prefix_before_the_names_is_understood():
    assert only(read(amd([50.0], "amd_gpu_gfx_activity"))).value.tolist() == [PPB // 2]


def test_used_memory_is_in_bytes():
    used = only(read(amd([2.0], "gpu_used_vram")), Signal.MEMORY_USED)
    assert used.value.tolist() == [2 << 20]


def test_a_chip_that_a_pod_holds_is_one_device_beside_the_series_of_the_node():
    one = only(read(tpu([40.0], **HELD), tpu([40.0], "duty_cycle_node")))
    assert (one.device, one.holder, one.value.tolist()) == ("1234-4", ("vision", "train-0"), [4 * PPB // 10])
    assert one.gpu_model == "tpu7x"


@pytest.mark.parametrize("labels", [{}, {"make": "nvidia", "accelerator_id": "GPU-1"}, {"accelerator_id": "fan-3"}])
def test_a_name_that_others_use_as_well_is_no_device_of_theirs(labels):
    assert means("duty_cycle", labels) is None
    assert not read(raw([40.0], "duty_cycle", device="", **labels)).series


def test_the_exporter_itself_holds_nothing():
    where = context(exporters=[("amd", "exporter-x")])
    assert only(read(amd([50.0], namespace="amd", pod="exporter-x"), where=where)).holder is None


def test_their_servers_are_recognised():
    for one in OTHER_MAKERS:
        assert dialect_of(frozenset(one.metrics), lower_case_host=True) is one
