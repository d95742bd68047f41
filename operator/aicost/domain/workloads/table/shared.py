"""Numbers and places that several kinds have in common."""

from aicost.domain.workloads.places import Number, Place

REPLICAS = Number(("/spec/replicas",))
REPLICATED = (Place("/spec/template", counts=(REPLICAS,)),)
"""One template under `/spec/template`, and a number of replicas."""
SELECTOR = "/spec/selector"
DEADLINE = ("/spec/activeDeadlineSeconds",)
RUN_POLICY = ("/spec/runPolicy/activeDeadlineSeconds", *DEADLINE)


def named_parts(at: str, *times: Number) -> Place:
    """The items of a list, each with a name, a number of replicas and a template."""
    return Place(f"{at}/template", named_at=f"{at}/name", counts=(Number((f"{at}/replicas",)), *times))
