"""Keeps the PriceBook of list prices that came with the chart, so that costs are there before anybody wrote a price."""

import asyncio
import logging
from pathlib import Path

import yaml

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.errors import Conflict
from aicost.entrypoints.controller.publish.writing import FIELD_MANAGER
from aicost.entrypoints.controller.resources import resource_of
from aicost.ports.errors import AicostError
from aicost.telemetry.logs import line

_log = logging.getLogger("aicost.prices")


async def keep_starter_book(client: KubeClient, file: str) -> None:
    """Apply the book of the file, if there is one. What somebody else changed in it stays as they left it."""
    if not file:
        return
    try:
        body = yaml.safe_load(await asyncio.to_thread(Path(file).read_text, encoding="utf-8"))
        name = str(body["metadata"]["name"])
        await client.apply(resource_of("PriceBook"), name, body, field_manager=FIELD_MANAGER, force=False)
    except Conflict as error:
        line(_log, logging.WARNING, "list prices were changed by somebody and are left as they are", error=str(error))
    except (OSError, yaml.YAMLError, TypeError, KeyError, AicostError) as error:
        line(_log, logging.ERROR, "list prices were not applied", file=file, error=str(error))
