"""Whether a callback URL may be called at all, as far as its text tells. Knows no Django.

Names are resolved, and their addresses vetted, when the callback is made.
"""

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_LENGTH = 2048

# What `is_global` alone would let through: addresses that carry or hide another one.
_HIDING = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10",
    )
)  # fmt: skip
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f\\]")


class BadCallbackUrl(Exception):
    """`reason` is a constant word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check(url: str, allowed_networks: Sequence[Network]) -> None:
    """Raises BadCallbackUrl.

    An address in `allowed_networks` is good whatever it is; `localhost` counts as 127.0.0.1.
    """
    if len(url) > MAX_LENGTH or _UNPRINTABLE.search(url):
        raise BadCallbackUrl("malformed")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadCallbackUrl("malformed") from error
    if parts.scheme not in ("http", "https"):
        raise BadCallbackUrl("scheme")
    if not host or port == 0:
        raise BadCallbackUrl("malformed")
    if "@" in parts.netloc:
        raise BadCallbackUrl("credentials")
    address = _literal(host)
    if address is not None and not _permitted(address, allowed_networks):
        raise BadCallbackUrl("forbidden_address")


def _literal(host: str) -> Address | None:
    """The address that a host spells, in any of the spellings that resolvers understand."""
    # Clients fold full-width digits and ideographic dots as IDNA does.
    host = unicodedata.normalize("NFKC", host).replace("。", ".").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return ipaddress.IPv4Address("127.0.0.1")
    if not host or "%" in host:
        raise BadCallbackUrl("malformed")
    if ":" in host:
        try:
            return ipaddress.IPv6Address(host)
        except ValueError as error:
            raise BadCallbackUrl("malformed") from error
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None


def _permitted(address: Address, allowed_networks: Sequence[Network]) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in allowed_networks):
        return True
    if any(address in network for network in _HIDING):
        return False
    return address.is_global and not address.is_multicast
