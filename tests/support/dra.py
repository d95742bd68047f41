"""Dynamic resource allocation as drivers and the scheduler write it: classes, slices, claims, pods that use them."""

from typing import Any

Body = dict[str, Any]
DRIVER = "gpu.nvidia.com"
API = "/apis/resource.k8s.io/v1"
GIB = 1 << 30


def gpu(minor: int, uuid: str, product: str = "NVIDIA H100 80GB HBM3", **more: Any) -> Body:
    """A whole GPU as the NVIDIA driver publishes it."""
    attributes = {
        "type": {"string": "gpu"},
        "uuid": {"string": uuid},
        "productName": {"string": product},
        "brand": {"string": "Nvidia"},
        "architecture": {"string": "Hopper"},
        "driverVersion": {"version": "580.126.0"},
        "resource.kubernetes.io/pciBusID": {"string": f"0000:{minor:02x}:00.0"},
    }
    return {"name": f"gpu-{minor}", "attributes": attributes, "capacity": {"memory": {"value": "80Gi"}}, **more}


def mig(minor: int, parent: str, profile: str, place: int, product: str = "NVIDIA H100 80GB HBM3") -> Body:
    """A MIG instance as the NVIDIA driver publishes it."""
    attributes = {
        "type": {"string": "mig"},
        "uuid": {"string": f"MIG-{parent.removeprefix('GPU-')}-{place}"},
        "parentUUID": {"string": parent},
        "profile": {"string": profile},
        "productName": {"string": product},
    }
    name = f"gpu-{minor}-mig-{profile.replace('.', '')}-{place}"
    return {"name": name, "attributes": attributes, "capacity": {"multiprocessors": {"value": "16"}}}


def resource_slice(node: str, *devices: Body, driver: str = DRIVER) -> Body:
    """The slice of a driver on a node."""
    pool = {"name": node, "generation": 1, "resourceSliceCount": 1}
    spec = {"driver": driver, "nodeName": node, "pool": pool, "devices": list(devices)}
    metadata = {"name": f"{node}-{driver}"}
    return {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": metadata, "spec": spec}


def device_class(name: str, expression: str) -> Body:
    """A class of devices, by a CEL expression."""
    spec = {"selectors": [{"cel": {"expression": expression}}]}
    return {"apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass", "metadata": {"name": name}, "spec": spec}


def claim_spec(name: str = "gpu", **exactly: Any) -> Body:
    """What a claim asks for: one request."""
    return {"devices": {"requests": [{"name": name, "exactly": exactly}]}}


def claim(namespace: str, name: str, spec: Body) -> Body:
    """A claim that several pods may name."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "metadata": metadata, "spec": spec}


def template(namespace: str, name: str, spec: Body) -> Body:
    """A template of which each pod gets a claim of its own."""
    metadata = {"name": name, "namespace": namespace}
    kind = "ResourceClaimTemplate"
    return {"apiVersion": "resource.k8s.io/v1", "kind": kind, "metadata": metadata, "spec": {"spec": spec}}


def pod(namespace: str, name: str, *, of: Body, resources: Body | None = None, **spec: Any) -> Body:
    """A pod that uses one claim: `of` is `{"resourceClaimName": ...}` or `{"resourceClaimTemplateName": ...}`."""
    container = {"name": "main", "image": "trainer:1", "resources": {**(resources or {}), "claims": [{"name": "gpu"}]}}
    whole = {
        "containers": [container],
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "resourceClaims": [{"name": "gpu", **of}],
        **spec,
    }
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": whole}


def allocated(*results: Body, consumers: tuple[tuple[str, str], ...] = ()) -> Body:
    """The status of a claim with an allocation."""
    reserved = [{"resource": "pods", "name": name, "uid": uid} for name, uid in consumers]
    return {"allocation": {"devices": {"results": list(results)}}, "reservedFor": reserved}


def result(pool: str, device: str, driver: str = DRIVER, **more: Any) -> Body:
    """One device of an allocation."""
    return {"request": "gpu", "driver": driver, "pool": pool, "device": device, **more}
