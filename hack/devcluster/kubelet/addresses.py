"""Addresses of pods: one of 127.0.0.0/8 each, so that several can listen on the same port of one machine."""

import hashlib
import ipaddress

__all__ = ["Addresses"]

_FIRST = int(ipaddress.IPv4Address("127.64.0.1"))
_COUNT = 2**21


class Addresses:
    """Hands out loopback addresses from 127.64.0.1 to 127.95.255.255, each to one pod at a time.

    Args:
        cluster: what tells this cluster from others on this machine. Each begins at another place, so that their pods
            do not take each other's ports.
    """

    def __init__(self, cluster: str = "") -> None:
        self._used: set[str] = set()
        self._next = int.from_bytes(hashlib.sha256(cluster.encode()).digest()[:8], "big") % _COUNT if cluster else 0

    def take(self, wanted: str | None = None) -> str:
        """An address that nobody holds; ``wanted`` (an annotation, or the address of before) is given as it is."""
        address = wanted or self._free()
        self._used.add(address)
        return address

    def _free(self) -> str:
        for _ in range(_COUNT):
            address = str(ipaddress.IPv4Address(_FIRST + self._next))
            self._next = (self._next + 1) % _COUNT
            if address not in self._used and not address.endswith((".0", ".255")):
                return address
        raise RuntimeError("all addresses for pods are in use")

    def give_back(self, address: str) -> None:
        """Let another pod have it."""
        self._used.discard(address)
