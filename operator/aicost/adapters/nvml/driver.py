"""The driver as a whole: opened, listed, and what to do where it is not there."""

from collections.abc import Iterator
from contextlib import suppress

import pynvml

from aicost.adapters.nvml.device import Card

_ADVICE = {
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: (
        "no NVIDIA driver here: libnvidia-ml.so.1 is not found. On a node with NVIDIA GPUs, install the driver; in a "
        "container, let it see the driver: RuntimeClass nvidia, or the driver's folder mounted and in LD_LIBRARY_PATH"
    ),
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: (
        "the NVIDIA driver is installed and not loaded: look at `dmesg` of the node, and at the GPU operator's pods"
    ),
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: (
        "the NVIDIA driver was upgraded while it was loaded: restart the node, or unload and load its kernel modules"
    ),
    pynvml.NVML_ERROR_NO_PERMISSION: (
        "the NVIDIA driver refuses us: the container needs /dev/nvidiactl and /dev/nvidia*, which NVIDIA's runtime "
        "gives it with NVIDIA_VISIBLE_DEVICES=all and NVIDIA_DRIVER_CAPABILITIES=utility"
    ),
}


class NoDriver(Exception):
    """The driver cannot be used; the text says what to do."""


def open_driver() -> tuple[Card, ...]:
    """Open the driver anew, and list its GPUs.

    Raises:
        NoDriver: it is not there, or not usable.
    """
    with suppress(pynvml.NVMLError):  # it may not be open
        pynvml.nvmlShutdown()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise NoDriver(_ADVICE.get(error.value, f"the NVIDIA driver does not answer: {error}")) from error
    return list_cards()


def list_cards() -> tuple[Card, ...]:
    """The GPUs of an open driver. One that does not answer is passed over: it is looked for again.

    Raises:
        NoDriver: the driver does not answer.
    """
    try:
        return tuple(_cards(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError as error:
        raise NoDriver(_ADVICE.get(error.value, f"the NVIDIA driver does not answer: {error}")) from error


def card_again(uuid: str) -> Card:
    """A GPU that was lost, by its UUID.

    Raises:
        pynvml.NVMLError: it is not back.
    """
    return _card(pynvml.nvmlDeviceGetHandleByUUID(uuid))


def _cards(count: int) -> Iterator[Card]:
    for index in range(count):
        try:
            yield _card(pynvml.nvmlDeviceGetHandleByIndex(index))
        except pynvml.NVMLError:
            continue


def _card(handle: object) -> Card:
    try:
        minor = pynvml.nvmlDeviceGetMinorNumber(handle)
    except pynvml.NVMLError:
        minor = None
    return Card(handle, str(pynvml.nvmlDeviceGetUUID(handle)), str(pynvml.nvmlDeviceGetName(handle)), minor)
