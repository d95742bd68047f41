"""What the local kubelet has to know before it starts."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devcluster.host.paths import REPOSITORY
from devcluster.pki import Identity

__all__ = ["KubeletConfig", "default_images", "image_name"]


def image_name(reference: str) -> str:
    """The last word of an image reference, without tag and digest: ``registry:5000/team/aicost:1.2`` is ``aicost``."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[0]


def default_images() -> dict[str, tuple[str, ...]]:
    """Images that run as local processes, with the command that stands for their ENTRYPOINT."""
    installed = REPOSITORY / ".venv" / "bin" / "aicost"
    return {"aicost": (str(installed),) if installed.exists() else (sys.executable, "-m", "aicost")}


@dataclass(frozen=True, slots=True)
class KubeletConfig:
    """Where the API server is, who we are, and which images run as processes.

    The first back-off of a crashing container is shorter than a real kubelet's 10 s, so that tests need not wait.
    """

    server: str
    authority: Path
    identity: Identity
    state: Path
    images: Mapping[str, Sequence[str]] = field(default_factory=default_images)
    backoff_seconds: float = 1.0
    backoff_limit_seconds: float = 30.0
    refresh_seconds: float = 5.0

    def entrypoint(self, image: str) -> tuple[str, ...] | None:
        """The local command that stands for an image, or None when the image is foreign."""
        command = self.images.get(image_name(image))
        return tuple(command) if command else None
