"""Pseudonyms for what a bundle names: keyed, the same everywhere, and of a kind that changes no total.

A name becomes a word that only the key can tell. Equal names stay equal, in objects and samples alike; names that are
one in normal form stay one. Kept is what hardware and money rest on: kinds, label keys, quantities, times, prices, GPU
models, instance types, regions, and words that everybody uses (`training`, `production`).
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from string import ascii_lowercase
from typing import Any

from aicost.domain.attribution.resolvers.scene import RESERVATION_NAMESPACES
from aicost.domain.attribution.system_pods import SYSTEM_IMAGES
from aicost.domain.identity.dimensions import Dimension
from aicost.domain.identity.discovery import EngineUse, engine_in
from aicost.domain.identity.engines import EMBEDDING, ENGINES, MODEL
from aicost.domain.identity.normalise import normalise
from aicost.domain.inventory.gpu_models import MEMORY_LABELS, MODEL_LABELS
from aicost.domain.inventory.node_labels import CAPACITY_LABELS, INSTANCE_TYPE_LABELS, REGION_LABELS, ZONE_LABELS
from aicost.domain.inventory.pods import ContainerFacts
from aicost.domain.inventory.sharing import COUNT_LABELS
from aicost.domain.sampling.dialects import METRICS
from aicost.domain.sampling.series import RawSeries
from aicost.domain.serving.gateways import NOBODY, PURPOSE_LABELS, RETRY_LABELS
from aicost.domain.serving.meters import RANK_LABELS
from aicost.domain.serving.wanted import SAID, SAYING_LABELS, TELLING_WORDS, WANTED
from aicost.domain.training.reported import NAMES, QUALITIES, WHOLES

Body = dict[str, Any]
_LENGTH = 12
_SEPARATOR = re.compile(r"([/:@=,;|\s\"'\\\[\]{}()*]+|(?<!-)--(?!-))")
_DEVICE = re.compile(r"(GPU|MIG)-[0-9a-zA-Z-]{8,}")
_SYSTEM_NAMES = ("default", "kube-system", "kube-public", "kube-node-lease")
_PUBLIC = frozenset(
    {
        *_SYSTEM_NAMES, *RESERVATION_NAMESPACES, *NOBODY - {""},
        "untagged", "true", "false", "none", "training", "inference", "fine-tuning", "embedding",
        "data-prep", "evaluation", "sandbox", "experiment", "pilot", "production", "preprocess", "embed", "retrieve",
        "infer", "post-process", "evaluate", "dev", "test", "staging", "prod",
    }
)  # fmt: skip
"""Words that tell nothing about anybody."""
_HARDWARE = (
    "nvidia.com/", "amd.com/", "gpu.intel.com/", "gpu.nvidia.com/", "feature.node.kubernetes.io/",
    "cloud.google.com/gke-accelerator", "cloud.google.com/gke-gpu", "kubernetes.io/os", "kubernetes.io/arch",
)  # fmt: skip
_HARDWARE_KEYS = frozenset(
    {
        *REGION_LABELS, *ZONE_LABELS, *INSTANCE_TYPE_LABELS, *MODEL_LABELS, *MEMORY_LABELS, *COUNT_LABELS,
        *(key for key, _ in CAPACITY_LABELS),
    }
)  # fmt: skip
_TECHNICAL = frozenset(
    {
        "gpu", "device", "modelName", "DCGM_FI_DRIVER_VERSION", "GPU_I_ID", "GPU_I_PROFILE", "pci_bus_id", "err_code",
        "err_msg", "endpoint", "vgpu", "driver_version",
    }
)  # fmt: skip
"""Labels of samples that speak of hardware."""
_COUNTED = frozenset(WANTED) - METRICS.keys()
_SAYING = frozenset({*SAYING_LABELS, *RETRY_LABELS, *RANK_LABELS, "le"})
_TOLD = frozenset({"route", *PURPOSE_LABELS})
_DIGITS = 6
"""A shorter number is a status or a rank."""
_SHARING = (
    "hami.io/",
    "gpu-fraction",
    "gpu-memory",
    "received-resource-type",
    "volcano.sh/",
    "prometheus.io/port",
    "volume.beta.kubernetes.io/storage-class",
)
"""Annotations that say how a device is shared: numbers and devices."""
_NODE_NAME = "vgpu-node"
"""How annotations end in which sharing schedulers write the name of a node."""
_PRICE = "aicost.dev/price-"
_OF_WORKLOADS = frozenset({"targetRef", "selector", "model", "workloadType", "stage", "dimensions", "gpuSplit"})
"""Fields of an AIWorkload that a bill rests on. The others name metrics and queries of people's own."""


@dataclass(frozen=True, slots=True)
class Anonymiser:
    """Replaces names.

    Attributes:
        key: whoever has it can tell who is who; a new one for each bundle, and kept nowhere.
    """

    key: bytes = field(repr=False)

    def text(self, text: str) -> str:
        """A text with its words replaced; signs between them stay."""
        return "".join(
            self._word(part) if place % 2 == 0 else part for place, part in enumerate(_SEPARATOR.split(text))
        )

    def series(self, one: RawSeries) -> RawSeries:
        """A series whose labels tell nobody."""
        change = self._counted_label if one.name in _COUNTED else self._sample_label
        return replace(one, labels={name: change(name, value) for name, value in one.labels.items()})

    def body(self, body: Body) -> Body:
        """An object that tells nobody."""
        found = {**body, "metadata": self._metadata(body["metadata"])}
        change = _KINDS.get(str(body.get("kind")))
        return found if change is None else change(self, found)

    def _word(self, word: str) -> str:
        """The pseudonym of a word. Spellings of one normal form differ in letter case alone, so they stay one."""
        if not word or word.lower() in _PUBLIC:
            return word
        device = _DEVICE.fullmatch(word)
        if device:
            return f"{device[1]}-{self._uuid(word)}"
        plain = normalise(Dimension.TEAM, word) or word
        letters = self._letters(plain)
        return letters if plain == word else self._spelled(letters, word)

    def _letters(self, text: str) -> str:
        number = int.from_bytes(hmac.new(self.key, text.encode(), hashlib.sha256).digest())
        found = ""
        for _ in range(_LENGTH):
            number, place = divmod(number, len(ascii_lowercase))
            found += ascii_lowercase[place]
        return found

    def _uuid(self, text: str) -> str:
        """A number of the form of a UUID: what registers cards of a node is searched for such."""
        digits = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))

    def _spelled(self, letters: str, word: str) -> str:
        """Letter case that depends on the spelling; at least one letter is large."""
        bits = int.from_bytes(hmac.new(self.key, b"case " + word.encode(), hashlib.sha256).digest()) | 1
        return "".join(letter.upper() if bits >> place & 1 else letter for place, letter in enumerate(letters))

    def _sample_label(self, name: str, value: str) -> str:
        return value if name in _TECHNICAL else self.text(value)

    def _counted_label(self, name: str, value: str) -> str:
        """A label of a counter of an engine or a gateway: kept is what says what is counted, and not of whom."""
        if name in _TOLD:
            return next((word for word in TELLING_WORDS if word in value.lower()), self.text(value))
        known = value.lower() in SAID or value in SAID or (value.isdecimal() and len(value) < _DIGITS)
        return value if name in _SAYING and known else self.text(value)

    def label(self, key: str, value: str) -> str:
        """The value of a label of an object."""
        if key in _HARDWARE_KEYS or (key.startswith(_HARDWARE) and not _DEVICE.search(value)):
            return value
        return self.text(value)

    def labels(self, labels: Any) -> Any:
        """Labels, their keys as they are."""
        if not isinstance(labels, Mapping):
            return labels
        return {key: self.label(key, value) if isinstance(value, str) else value for key, value in labels.items()}

    def _metadata(self, metadata: Mapping[str, Any]) -> Body:
        found = dict(metadata)
        for name in ("name", "namespace", "uid"):
            if isinstance(found.get(name), str):
                found[name] = self.text(found[name])
        if "labels" in found:
            found["labels"] = self.labels(found["labels"])
        if "annotations" in found:
            found["annotations"] = {key: self._annotation(key, str(v)) for key, v in found["annotations"].items()}
        if "ownerReferences" in found:
            found["ownerReferences"] = [self._named(owner, "name", "uid") for owner in found["ownerReferences"]]
        return found

    def _annotation(self, key: str, value: str) -> str:
        if key.startswith((*_SHARING, _PRICE)) and not key.endswith(_NODE_NAME):
            return _DEVICE.sub(lambda match: self.text(match[0]), value)
        return self.text(value)

    def _named(self, value: Any, *names: str) -> Any:
        """A mapping with some texts replaced."""
        if not isinstance(value, Mapping):
            return value
        return {key: self.text(v) if key in names and isinstance(v, str) else v for key, v in value.items()}

    def pod(self, body: Body) -> Body:
        """A pod: who runs it and what it runs, except the engine."""
        spec, status = dict(body.get("spec") or {}), dict(body.get("status") or {})
        spec = self._named(spec, "nodeName", "serviceAccountName")
        for name in ("containers", "initContainers"):
            if name in spec:
                spec[name] = [self._container(one) for one in spec[name]]
        for name in ("resourceClaims", "volumes"):
            if name in spec:
                spec[name] = [self._claim(one) for one in spec[name]]
        for name in ("containerStatuses", "initContainerStatuses", "resourceClaimStatuses"):
            if name in status:
                status[name] = [self._named(one, "name", "resourceClaimName") for one in status[name]]
        if "extendedResourceClaimStatus" in status:
            served = status["extendedResourceClaimStatus"]
            status["extendedResourceClaimStatus"] = self._named(served, "resourceClaimName")
        return {**body, "spec": spec, "status": status}

    def _claim(self, claim: Any) -> Any:
        found = self._named(claim, "name", "resourceClaimName")
        if isinstance(found, Mapping) and "persistentVolumeClaim" in found:
            return {**found, "persistentVolumeClaim": self._named(found["persistentVolumeClaim"], "claimName")}
        return found

    def _container(self, container: Body) -> Body:
        found = {key: value for key, value in container.items() if key not in ("command", "args", "image", "env")}
        image, words = str(container.get("image", "")), (*container.get("command", ()), *container.get("args", ()))
        found["name"] = self.text(str(container.get("name", "")))
        found["image"] = next((part for part in SYSTEM_IMAGES if part in image), self.text(image))
        use = engine_in(ContainerFacts("", image, tuple(map(str, words))))
        if use is not None:
            found["args"] = list(self._engine(use))
        if "env" in container:
            found["env"] = [self._named(one, "value") for one in container["env"]]
        return found

    def _engine(self, use: EngineUse) -> tuple[str, ...]:
        """The shortest command that starts the same engine on the same, now unnamed, model."""
        engine = next(one for one in ENGINES if one.name == use.engine)
        program = next(iter(engine.programs), "").replace(".*", ".api_server").split()
        words = tuple(word for word in program if word != MODEL)
        model = self.text(use.model) if use.model else ""
        named = (f"--{engine.flags[0]}={model}",) if model and engine.flags else (model,) if model else ()
        embeds = use.workload_type == EMBEDDING and engine.workload_type != EMBEDDING
        return (*words, *named, *((f"--{engine.embeds[0]}",) if embeds else ()))

    def resource_claim(self, body: Body) -> Body:
        """A ResourceClaim: which devices of which pool, and who uses them."""
        status = dict(body.get("status") or {})
        if "reservedFor" in status:
            status["reservedFor"] = [self._named(one, "name", "uid") for one in status["reservedFor"]]
        devices = dict((status.get("allocation") or {}).get("devices") or {})
        if devices:
            results = [self._named(one, "pool", "shareID") for one in devices.get("results") or ()]
            status["allocation"] = {"devices": {**devices, "results": results}}
        return {**body, "status": status}

    def resource_slice(self, body: Body) -> Body:
        """A ResourceSlice: whose node it is of, and the names of its cards."""
        spec = self._named(body.get("spec") or {}, "nodeName")
        if "pool" in spec:
            spec["pool"] = self._named(spec["pool"], "name")
        spec["devices"] = [self._device(one) for one in spec.get("devices") or ()]
        return {**body, "spec": spec}

    def _device(self, device: Any) -> Any:
        found = dict(device)
        if "basic" in found:
            found["basic"] = self._device(found["basic"])
        if "attributes" in found:
            found["attributes"] = {name: self._attribute(one) for name, one in found["attributes"].items()}
        return found

    def _attribute(self, value: Any) -> Any:
        """An attribute of a device; what names one card among all others gets another name."""
        if not isinstance(value, Mapping) or not _DEVICE.search(str(value.get("string", ""))):
            return value
        return self._named(value, "string")

    def node(self, body: Body) -> Body:
        """A node; its provider's scheme stays."""
        spec = dict(body.get("spec") or {})
        if spec.get("providerID"):
            spec["providerID"] = self._provider(str(spec["providerID"]))
        return {**body, "spec": spec}

    def _provider(self, text: str) -> str:
        scheme, sign, rest = text.partition("." if text.startswith("ocid1.") else ":")
        return f"{scheme}{sign}{self.text(rest)}" if sign else self.text(text)

    def workload(self, body: Body) -> Body:
        """An AIWorkload; how it measures units, successes and training is left out."""
        spec = {key: value for key, value in body["spec"].items() if key in _OF_WORKLOADS}
        spec = self._named(spec, "model")
        if "targetRef" in spec:
            spec["targetRef"] = self._named(spec["targetRef"], "name")
        if "selector" in spec:
            spec["selector"] = self._selector(spec["selector"])
        if "dimensions" in spec:
            spec["dimensions"] = self._named(spec["dimensions"], *spec["dimensions"])
        return {**body, "spec": spec}

    def train_job(self, body: Body) -> Body:
        """A TrainJob: how far it is, and of what else it said the numbers that frameworks name alike."""
        status = dict((body.get("status") or {}).get("trainerStatus") or {})
        known = [one for one in status.get("metrics") or () if one.get("name") in {*NAMES, *WHOLES, *QUALITIES}]
        kept = {**status, "metrics": known}
        return {**body, "status": {"trainerStatus": {name: value for name, value in kept.items() if value != []}}}

    def _selector(self, selector: Any) -> Any:
        found = dict(selector)
        if "matchLabels" in found:
            found["matchLabels"] = self.labels(found["matchLabels"])
        if "matchExpressions" in found:
            found["matchExpressions"] = [
                {**one, "values": [self.label(one.get("key", ""), each) for each in one.get("values") or ()]}
                for one in found["matchExpressions"]
            ]
        return found

    def book(self, body: Body) -> Body:
        """A PriceBook: its prices stay, since money rests on them."""
        spec = {key: value for key, value in body["spec"].items() if key != "source"}
        for name in ("entries", "discounts"):
            if name in spec:
                spec[name] = [self._price(one) for one in spec[name]]
        return {**body, "spec": spec}

    def _price(self, entry: Any) -> Any:
        found = {key: value for key, value in self._named(entry, "name").items() if key != "source"}
        match = found.get("match")
        if isinstance(match, Mapping) and "nodeSelector" in match:
            found["match"] = {**match, "nodeSelector": self.labels(match["nodeSelector"])}
        return found

    def policy(self, body: Body) -> Body:
        """A CostLabelPolicy: its keys, what values mean, and its rules; how strict it is where says nothing of cost."""
        spec = {key: body["spec"][key] for key in ("mode", "attributionRules", "keys") if key in body["spec"]}
        spec["keys"] = [self._key(one) for one in spec.get("keys") or ()]
        if "attributionRules" in spec:
            spec["attributionRules"] = [self._rule(one) for one in spec["attributionRules"]]
        return {**body, "spec": spec}

    def _key(self, key: Body) -> Body:
        kept = ("key", "aliases", "valueAliases", "case", "inherit", "groups", "default")
        found: Body = self._named({name: key[name] for name in kept if name in key}, "default")
        for name in ("valueAliases", "groups"):
            if name in found:
                found[name] = {self.text(k): self.text(str(v)) for k, v in found[name].items()}
        return found

    def _rule(self, rule: Body) -> Body:
        found: Body = self._named(rule, "name")
        found["dimensions"] = {key: self.text(str(value)) for key, value in (rule.get("dimensions") or {}).items()}
        match = {key: value for key, value in (rule.get("match") or {}).items() if key != "labels"}
        found["match"] = {key: [self._pattern(key, str(each)) for each in value] for key, value in match.items()}
        if "labels" in rule.get("match", {}):
            found["match"]["labels"] = self._selector(rule["match"]["labels"])
        return found

    def _pattern(self, what: str, pattern: str) -> str:
        """A pattern; the kind of an owner stays."""
        kind, slash, name = pattern.partition("/")
        return f"{kind}{slash}{self.text(name)}" if what == "owners" and slash else self.text(pattern)


_KINDS: Mapping[str, Callable[[Anonymiser, Body], Body]] = {
    "Pod": Anonymiser.pod,
    "Node": Anonymiser.node,
    "ResourceClaim": Anonymiser.resource_claim,
    "ResourceSlice": Anonymiser.resource_slice,
    "AIWorkload": Anonymiser.workload,
    "TrainJob": Anonymiser.train_job,
    "PriceBook": Anonymiser.book,
    "CostLabelPolicy": Anonymiser.policy,
}
"""Kinds of which more than the metadata is written."""
