"""How much of a GPU the DRA claims of a pod ask for, where their content stands in the same file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aicost.domain.workloads.foreign import Json, at, items, mapping, text, whole
from aicost.domain.workloads.gpus.hints import selected_models
from aicost.domain.workloads.gpus.slices import WHOLE, share_of_profile

_GPU_WORDS = frozenset({"gpu", "gpus", "mig", "vgpu", "tpu", "npu", "xpu", "neuron", "gaudi", "hpu", "accelerator"})
_OTHER_WORDS = frozenset(
    {"nic", "nics", "net", "network", "dranet", "rdma", "sriov", "infiniband", "ib", "roce", "cpu", "cpus", "fpga"}
    | {"compute", "channel", "imex", "memory", "hugepages", "storage", "nvme", "usb", "camera"}
)
_WORD = re.compile(r"[a-z]+")
_PROFILE = re.compile(r"profile\s*==\s*['\"]([^'\"]{1,32})['\"]")
_LONGEST = 1_024
INLINE = "requests"
"""Key under which a claim of a pod holds its requests itself, for kinds that let their controller make the claim."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What claims ask for.

    Attributes:
        share: parts per million of devices, None where it is not known.
        missing: names of claims and templates that were not found.
        models: canonical models that they select.
        shared: parts per million that all pods of the object have together, not each.
    """

    share: int | None = 0
    missing: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    shared: int = 0


@dataclass(frozen=True, slots=True)
class Beside:
    """The other objects of a file."""

    objects: Sequence[Any] = ()

    def find(self, kinds: tuple[str, ...], name: str, namespace: str) -> Json | None:
        """The first object of a kind and name, in the namespace where both sides name one."""
        for each in self.objects:
            known = mapping(each)
            metadata = mapping(known.get("metadata"))
            spaces = {text(metadata.get("namespace")), namespace} - {""}
            if known.get("kind") in kinds and metadata.get("name") == name and len(spaces) < 2:
                return known
        return None


def claimed(spec: Json, beside: Beside, namespace: str) -> Claimed:
    """What the claims of one pod ask for, taken together."""
    parts = [_claim(mapping(each), spec, beside, namespace) for each in items(spec.get("resourceClaims"))]
    shares = [part.share for part in parts]
    return Claimed(
        None if None in shares else sum(share or 0 for share in shares),
        tuple(name for part in parts for name in part.missing),
        tuple(model for part in parts for model in part.models),
        sum(part.shared for part in parts),
    )


def is_gpu_class(name: str) -> bool | None:
    """Whether a device class is one of accelerators; None where its name does not tell."""
    words = set(_WORD.findall(name[:_LONGEST].lower()))
    if words & _OTHER_WORDS and not words & _GPU_WORDS:
        return False
    return True if words & _GPU_WORDS else None


def _claim(claim: Json, pod: Json, beside: Beside, namespace: str) -> Claimed:
    if INLINE in claim:
        return _asked(items(claim[INLINE]), ())
    template, name = text(claim.get("resourceClaimTemplateName")), text(claim.get("resourceClaimName"))
    if template:
        return _from_template(template, claim, pod, beside, namespace)
    known = beside.find(("ResourceClaim",), name, namespace)
    if known is None:
        return Claimed(None, (name,) if name else ())
    asked = _devices(mapping(known.get("spec")))
    return Claimed(0 if asked.share is not None else None, (), asked.models, asked.share or 0)


def _from_template(template: str, claim: Json, pod: Json, beside: Beside, namespace: str) -> Claimed:
    """A claim for each pod, but one for all pods of a group whose PodGroup makes it."""
    known = beside.find(("ResourceClaimTemplate",), template, namespace)
    if known is None:
        return Claimed(None, (template,))
    asked = _devices(mapping(at(known, ("spec", "spec"))))
    group = text(at(pod, ("schedulingGroup", "podGroupName")))
    if not group or asked.share is None:
        return asked
    pods = beside.find(("PodGroup",), group, namespace)
    if pods is None:
        return Claimed(None, (), asked.models)
    makes = [mapping(each).get("name") for each in items(at(pods, ("spec", "resourceClaims")))]
    return Claimed(0, (), asked.models, asked.share) if claim.get("name") in makes else asked


def _devices(claim: Json) -> Claimed:
    devices = mapping(claim.get("devices"))
    return _asked(items(devices.get("requests")), items(devices.get("constraints")))


def _asked(requests: Sequence[Any], constraints: Sequence[Any]) -> Claimed:
    asked = [_request(mapping(each)) for each in requests]
    models = tuple(model for _, found in asked for model in found)
    if any(share is None for share, _ in asked):
        return Claimed(None, (), models)
    share = sum(share or 0 for share, _ in asked)
    return Claimed(min(share, WHOLE) if any(map(_one_parent, constraints)) else share, (), models)


def _one_parent(constraint: Any) -> bool:
    """Whether all partitions of a claim are cut from one GPU, so that they are never more than it."""
    known = mapping(constraint)
    return text(known.get("matchAttribute")).endswith("/parentUUID") and not items(known.get("requests"))


def _request(request: Json) -> tuple[int | None, tuple[str, ...]]:
    """Share and models of one request: `exactly` in v1, the request itself before, or the first of several."""
    choices = [mapping(each) for each in items(request.get("firstAvailable"))]
    if choices:
        shares = {_share(each) for each in choices}
        models = tuple(model for each in choices for model in selected_models(each.get("selectors")))
        return (shares.pop() if len(shares) == 1 else None), models
    exact = mapping(request.get("exactly")) or request
    return _share(exact), selected_models(exact.get("selectors"))


def _share(request: Mapping[str, Any]) -> int | None:
    name = text(request.get("deviceClassName"))
    accelerates = is_gpu_class(name)
    if accelerates is False or request.get("adminAccess") is True:
        return 0
    if accelerates is None or request.get("allocationMode") == "All" or mapping(request.get("capacity")):
        return None
    count = 1 if request.get("count") is None else whole(request.get("count"))
    each = _each(request, partition="mig" in _WORD.findall(name.lower()))
    return None if count is None or each is None else count * each


def _each(request: Mapping[str, Any], *, partition: bool) -> int | None:
    """Share of one device of a request; a partition needs a profile to have a size."""
    text_of = (text(at(each, ("cel", "expression")))[:_LONGEST] for each in items(request.get("selectors")))
    profile = next((match[1] for each in text_of if (match := _PROFILE.search(each))), "")
    return share_of_profile(profile) if profile or partition else WHOLE
