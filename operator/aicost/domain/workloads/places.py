"""How the table of kinds says where the pods of an object are described, and how many there will be."""

from dataclasses import dataclass
from enum import Enum, auto

from aicost.domain.workloads.shapes import Scaling


class Form(Enum):
    """What stands at a place."""

    TEMPLATE = auto()
    """A pod template: metadata and spec. Its labels can be set."""
    POD_SPEC = auto()
    """The spec of a pod without metadata: its pods take the labels of the object."""
    KSERVE = auto()
    """A component of an InferenceService: a pod's spec with one container under the name of its framework."""
    NIM = auto()
    """The spec of a NIMService."""
    SERVICE = auto()
    """A map with the image, the resources and the environment of one container."""
    VLLM_RUNTIME = auto()
    """The spec of a VLLMRuntime."""
    DYNAMO = auto()
    """A service of a Dynamo graph."""
    KAITO = auto()
    """A map that names machines to get and what to run on them."""
    SPARK = auto()
    """The driver or the executor of a Spark application."""
    TRAINER = auto()
    """The spec of a TrainJob, whose pods a runtime describes."""
    WORKFLOW = auto()
    """A spec of an Argo Workflow, whose templates call each other."""
    OBJECT = auto()
    """A whole object of some other kind."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in an object.

    Attributes:
        at: pointers to it, the first that holds one counts; empty for a number that is always the default.
        default: where none holds one.
        least, cap: pointers to a number that it is never below, and never above.
        per: pointer to a number that it is divided by, rounded down, but not below 1.
        less_if: one less where this pointer leads to something (a leader that is counted elsewhere).
    """

    at: tuple[str, ...] = ()
    default: int = 1
    least: str = ""
    cap: str = ""
    per: str = ""
    less_if: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a kind describes pods.

    Attributes:
        at: JSON pointer, `*` for each item of a list or each value of a map.
        form: what stands there.
        role: name of the part. Where it is empty the last `*` names it: the key of a map, or what `named_at` holds.
        named_at: pointer to the name of an item of a list.
        counts: numbers whose product is how many pods there are at the start.
        most: takes the place of the first number for the largest count; None where nothing makes it grow.
        most_if: pointer to a switch without which `most` does not hold.
        gpus_at: pointers to the GPUs of one pod, where its containers ask for none.
        metadata_at: pointer to a map that holds the labels and annotations of the pods, where their spec does not.
        patchable: False where labels set there do not reach the pods.
        implied: there are pods of unknown size also where nothing stands there.
    """

    at: str
    form: Form = Form.TEMPLATE
    role: str = ""
    named_at: str = ""
    counts: tuple[Number, ...] = ()
    most: Number | None = None
    most_if: str = ""
    gpus_at: tuple[str, ...] = ()
    metadata_at: str = ""
    patchable: bool = True
    implied: bool = False


@dataclass(frozen=True, slots=True)
class JudgedKind:
    """A kind of object that runs pods.

    Attributes:
        versions: API versions known, the newest first.
        plural: its name in URLs, in rules of webhooks and of RBAC.
        places: where its pods are described.
        selector: pointer to its label selector, empty where it has none or makes its own.
        models: pointers to the AI models that it names, the surest first.
        inner: pointers to further metadata, which may carry the labels of queues and run trackers.
        deadlines: pointers to seconds after which its work is ended.
        durations: pointers to how long it takes, as a text such as `30m`.
        queue: pointer to the name of its queue.
        in_scope: False for kinds that can be read but are never judged.
    """

    group: str
    versions: tuple[str, ...]
    kind: str
    plural: str
    places: tuple[Place, ...] = ()
    scaling: Scaling = Scaling.FIXED
    selector: str = ""
    models: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    deadlines: tuple[str, ...] = ()
    durations: tuple[str, ...] = ()
    queue: str = ""
    in_scope: bool = True

    @property
    def patched_at(self) -> tuple[str, ...]:
        """Pointers to its pod templates whose labels can be set."""
        return tuple(place.at for place in self.places if place.form is Form.TEMPLATE and place.patchable)
