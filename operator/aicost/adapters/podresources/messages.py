"""What the kubelet answers to `v1.PodResourcesLister/List`, as far as devices go.

| Message | Field | What it holds |
|---|---|---|
| ListPodResourcesResponse | 1 | PodResources, one per pod |
| PodResources | 1, 2, 3 | name, namespace, ContainerResources |
| ContainerResources | 2, 5 | ContainerDevices, DynamicResource |
| ContainerDevices | 1, 2 | name of the resource, ids of devices |
| DynamicResource | 4 | ClaimResource |
| ClaimResource | 2, 4 | driver, device |
"""

from collections.abc import Iterator

from aicost.adapters.podresources.wire import fields, text
from aicost.ports.agent import Held


def pods(data: bytes) -> tuple[Held, ...]:
    """All pods that hold devices.

    Raises:
        InvalidAnswer: the answer is no such message.
    """
    found = [_pod(content) for number, content in fields(data) if number == 1]
    return tuple(one for one in found if one.devices or one.claimed)


def _pod(data: bytes) -> Held:
    name, namespace = "", ""
    devices: list[str] = []
    claimed: list[tuple[str, str]] = []
    for number, content in fields(data):
        if number == 1:
            name = text(content)
        elif number == 2:
            namespace = text(content)
        elif number == 3:
            devices += _devices(content)
            claimed += _claimed(content)
    return Held(namespace, name, tuple(dict.fromkeys(devices)), tuple(dict.fromkeys(claimed)))


def _devices(container: bytes) -> Iterator[str]:
    for inner in _inner(container, 2):
        yield from map(text, _inner(inner, 2))


def _claimed(container: bytes) -> Iterator[tuple[str, str]]:
    for claim in _inner(container, 5):
        for resource in _inner(claim, 4):
            found = dict(fields(resource))
            yield text(found.get(2, b"")), text(found.get(4, b""))


def _inner(data: bytes, number: int) -> Iterator[bytes]:
    return (content for found, content in fields(data) if found == number)
