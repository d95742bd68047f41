"""How far work has come."""

from enum import StrEnum


class Stage(StrEnum):
    """The values of the dimension `stage`, the least settled first."""

    SANDBOX = "sandbox"
    EXPERIMENT = "experiment"
    PILOT = "pilot"
    PRODUCTION = "production"
