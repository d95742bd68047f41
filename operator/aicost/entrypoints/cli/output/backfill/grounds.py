"""What an amount of the past rests on, as a line under a report."""

from collections.abc import Mapping

from aicost.crd.status.texts import share
from aicost.domain.ledger.grounds import Ground
from aicost.entrypoints.cli.output.facts import fact_lines
from aicost.entrypoints.cli.terminal import Style, Terminal


def grounds_lines(times: Mapping[str, int], terminal: Terminal) -> list[str]:
    """Which part of the device time rests on what; nothing where no part was posted by a backfill.

    Args:
        times: device time in milliseconds by flag, "" for all of it.
        terminal: what is written to.
    """
    if not times.get(Ground.BACKFILL.value):
        return []
    whole = times.get("", 0)
    parts = [f"{ground.value}\u00a0{share(times[ground.value], whole)}" for ground in Ground if times.get(ground.value)]
    return fact_lines([("Rests on", "   ".join(parts), Style.PLAIN)], terminal)
