"""Offers as a resource: its names, its fields, and the parameters that a request understands."""

from aicost.crd.allocations.listing import Field
from aicost.crd.allocations.parameters import FORMAT
from aicost.crd.coverage.resources import Served

OFFERS = Served(
    plural="offers",
    kind="Offer",
    short_name="offer",
    about=(
        "A kind of GPU node that is there, or that a price book names, with the price of a GPU-hour: what `aicost "
        "estimate` reads where nodes and price books are not for everybody. It names no node and no tenant."
    ),
    fields=(
        Field("gpuModel", "gpu_model", "string", "GPU model."),
        Field("provider", "provider", "string", "Cloud, or empty."),
        Field("region", "region", "string", "Region."),
        Field("instanceType", "instance_type", "string", "Instance type."),
        Field("capacityType", "capacity_type", "string", "on-demand, spot or reserved."),
        Field("gpus", "gpus", "integer", "GPUs of one such node, 0 where not known."),
        Field("nodes", "nodes", "integer", "How many there are; in a namespace 1 for any number, 0 for none now."),
        Field("price", "price", "string", "Price of a GPU-hour, with its currency."),
        Field("reason", "reason", "string", "Why that price, or what is missing."),
    ),
    parameters={
        "label": "KEY=VALUE of a node label that a pod selects by: told where a node has it. Repeatable.",
        "limit": "Understood and ignored: all kinds are told.",
        FORMAT: "report: the document that `aicost estimate` reads.",
    },
)
