"""Calls of the driver: each is probed, and how one failed says what becomes of the device."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

import pynvml

from aicost.domain.agent.values import SECOND_NS

_T = TypeVar("_T")
_GONE = frozenset({
    pynvml.NVML_ERROR_UNINITIALIZED,
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
    pynvml.NVML_ERROR_GPU_IS_LOST,
    pynvml.NVML_ERROR_RESET_REQUIRED,
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
})  # fmt: skip
"""After these every call of the device fails until it is opened anew."""
_NEVER = frozenset({pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_FUNCTION_NOT_FOUND})
_NOTHING_NEW = frozenset({pynvml.NVML_SUCCESS, pynvml.NVML_ERROR_NOT_FOUND})
"""The binding raises "success" where a first call finds an empty buffer."""
_AGAIN_NS = 300 * SECOND_NS
"""A call that does not work is tried again after so long: a driver may have been upgraded, a right granted."""


class Why(StrEnum):
    """Why a device cannot be read."""

    GONE = "gone"
    DENIED = "denied"


class DeviceFailed(Exception):
    """A device that cannot be read now.

    Args:
        why: lost or denied.
        text: the driver's own words.
    """

    def __init__(self, why: Why, text: str) -> None:
        super().__init__(text)
        self.why = why


class NothingNew(Exception):
    """The call works and has nothing to say."""


class Calls:
    """The calls of one device, and which of them work.

    Args:
        monotonic_ns: a clock that never steps.
    """

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        self._now = monotonic_ns
        self._again: dict[str, int] = {}
        self._worked, self._failed = 0, ""
        self._refused: set[str] = set()
        self.works: dict[str, bool] = {}

    def begin(self) -> None:
        """Begin a reading."""
        self._worked, self._failed = 0, ""

    def end(self) -> None:
        """End a reading.

        Raises:
            DeviceFailed: no call at all worked.
        """
        if not self._worked:
            raise DeviceFailed(Why.DENIED if self._refused else Why.GONE, self._failed or "no call is supported")

    def value(self, name: str, *arguments: Any) -> Any | None:
        """What a function of the binding gives; None where it does not work here, or not now.

        Raises:
            DeviceFailed: the device is gone.
        """
        return self.run(name, lambda: getattr(pynvml, name)(*arguments))

    def samples(self, name: str, *arguments: Any) -> Any | None:
        """The same for a function that gives samples: none is an empty tuple."""
        return self.run(name, lambda: getattr(pynvml, name)(*arguments), empty=())

    def run(self, name: str, call: Callable[[], _T], empty: Any = None) -> _T | Any | None:
        """The same for several functions under the name of one."""
        if self._again.get(name, 0) > self._now():
            return None
        try:
            found = call()
        except pynvml.NVMLError as error:
            if error.value in _NOTHING_NEW and empty is not None:
                return self._worked_as(name, empty)
            self._failed_as(name, error)
            return None
        except (pynvml.NVMLLibraryMismatchError, AttributeError) as error:
            self._off(name, str(error))
            return None
        return self._worked_as(name, found)

    def _worked_as(self, name: str, found: _T) -> _T:
        self._worked += 1
        self.works[name] = True
        self._again.pop(name, None)
        self._refused.discard(name)
        return found

    def _failed_as(self, name: str, error: Any) -> None:
        if error.value in _GONE:
            raise DeviceFailed(Why.GONE, str(error)) from error
        if error.value == pynvml.NVML_ERROR_NO_PERMISSION:
            self._refused.add(name)
        if error.value in _NEVER or name in self._refused:
            self._off(name, str(error))
        self.works[name] = False
        self._failed = str(error)

    def _off(self, name: str, why: str) -> None:
        self.works[name] = False
        self._failed = why
        self._again[name] = self._now() + _AGAIN_NS
