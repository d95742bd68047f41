"""Pods that are part of the platform: what they hold is nobody's workload."""

from collections.abc import Iterable
from functools import lru_cache

from aicost.domain.inventory.pods import ContainerFacts

SYSTEM_IMAGES = (
    "dcgm-exporter",
    "nvidia/dcgm",
    "cuda-validator",
    "gpu-operator-validator",
    "k8s-device-plugin",
    "gpu-feature-discovery",
    "device-metrics-exporter",
    "nvidia-mig-manager",
)
"""Parts of image names of exporters, diagnostics and device managers."""


def is_system(containers: Iterable[ContainerFacts]) -> bool:
    """True if every container of the pod is an exporter, a diagnostic or a device manager."""
    images = [container.image for container in containers]
    return bool(images) and all(map(_is_of_platform, images))


@lru_cache(maxsize=4_096)
def _is_of_platform(image: str) -> bool:
    """Remembered, because thousands of pods run the same few images."""
    return any(part in image for part in SYSTEM_IMAGES)
