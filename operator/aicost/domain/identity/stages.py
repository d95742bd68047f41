"""The values of the dimension `stage`, the least settled first."""

from enum import StrEnum


class Stage(StrEnum):
    """How far the work has come."""

    SANDBOX = "sandbox"
    EXPERIMENT = "experiment"
    PILOT = "pilot"
    PRODUCTION = "production"
