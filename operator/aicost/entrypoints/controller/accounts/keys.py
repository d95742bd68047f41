"""Keys of Secrets in one namespace, each read by its name when it is needed, and kept nowhere."""

import base64
import binascii

import msgspec

from aicost.adapters.kube.client import KubeClient
from aicost.adapters.kube.wire.errors import NotFound
from aicost.adapters.kube.wire.resources import SECRETS
from aicost.ports.errors import InvalidAnswer


class _Secret(msgspec.Struct):
    data: dict[str, str] | None = None


class SecretKeys:
    """Reads keys of Secrets.

    Attributes:
        namespace: where they are.
    """

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self._client, self.namespace = client, namespace

    async def read(self, secret: str, key: str) -> str | None:
        """What a key of a Secret holds; None where one of the two is not there.

        Raises:
            NotPermitted: it is not ours to read.
            ClusterUnavailable, InvalidAnswer: see `KubeClient`; no message shows what the Secret holds.
        """
        try:
            raw = await self._client.get(SECRETS, secret, self.namespace)
            found = (msgspec.json.decode(raw, type=_Secret).data or {}).get(key)
            return None if found is None else base64.b64decode(found, validate=True).decode()
        except NotFound:
            return None
        except (msgspec.MsgspecError, binascii.Error, UnicodeDecodeError):
            raise InvalidAnswer(f"Secret {self.namespace}/{secret}, key {key}: holds no text") from None
