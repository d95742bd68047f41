"""The one program: what the chart starts has a module of its own, everything else is the command line."""

import gc
import sys
from importlib import import_module
from pathlib import PurePath

_SERVERS = {
    "admission": "aicost.entrypoints.admission.main",
    "agent": "aicost.entrypoints.agent.main",
    "controller": "aicost.entrypoints.controller.main",
    "query": "aicost.entrypoints.queryapi.main",
    "recompute": "aicost.entrypoints.recompute",
    "restore": "aicost.entrypoints.controller.budgets.restore",
}

YOUNG_OBJECTS = 10_000
"""How many new objects the collector of cycles waits for. It looks at those of a statement again and again, and finds
none: at Python's own 700 that takes a fifth of the time in which a large window is computed."""


def main(arguments: list[str] | None = None) -> int:
    """Run what the first argument names; gives the exit code. What is not run is not imported."""
    given = sys.argv[1:] if arguments is None else arguments
    gc.set_threshold(YOUNG_OBJECTS)
    server = _SERVERS.get(given[0]) if given else None
    if server is not None:
        return int(import_module(server).main(given[1:]))
    plugin = PurePath(sys.argv[0]).name.startswith("kubectl-")
    return int(import_module("aicost.entrypoints.cli.main").main(given, "kubectl aicost" if plugin else "aicost"))


if __name__ == "__main__":
    sys.exit(main())
