"""Hosts that a message never goes to: they give credentials of the machine to whoever asks from it."""

import socket
import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NAMES = frozenset({"instance-data", "metadata", "metadata.goog", "metadata.google.internal"})
_NETWORKS = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",  # link-local; metadata of most clouds
        "fe80::/10",
        "fd00:ec2::/32",  # AWS, by IPv6
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure's host
        "192.0.0.192/32",  # Oracle
    )
)
_NAT64 = ip_network("64:ff9b::/96")


def is_forbidden(host: str) -> bool:
    """Whether a host is link-local or serves metadata, however it is written. No name is looked up."""
    text = unicodedata.normalize("NFKC", host).strip("[]").partition("%")[0].rstrip(".").lower()
    address = _address(text)
    return text in _NAMES or any(_plain(address) in network for network in _NETWORKS if address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address that a host stands for; 0xa9fea9fe and 2852039166 are addresses too."""
    try:
        return ip_address(text)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(text))
    except (OSError, UnicodeEncodeError):
        return None


def _plain(address: IPv4Address | IPv6Address | None) -> IPv4Address | IPv6Address | None:
    """The address behind one that only carries another."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        return inner or address
    return address
