"""Where callbacks may go: the one rule about addresses and about the URLs that spell them.

Knows no Django. A URL's text is judged when it is given; a name is resolved, and every address it
leads to judged, when it is called.
"""

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL_LENGTH = 2048

# What `is_global` alone would let through: addresses that carry or hide another one, anycast
# relays, site-local, SRv6, and the dummy and documentation blocks that came after Python's table.
_HIDING = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
        "192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24",
    )
)  # fmt: skip
_UNPRINTABLE = re.compile(r"[\s\x00-\x20\x7f-\xa0\\]")
# What a host's name may hold, once folded: anything else is read differently by different clients.
_NOT_IN_HOSTS = re.compile(r"[\x00-\x20!\"#$%&'()*+,/;<=>?@\[\\\]^`{|}~\x7f]")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")
_FULL_STOPS = str.maketrans("\u3002\uff0e\uff61", "...")  # dots to IDNA


class BadUrl(Exception):
    """`reason` is a constant word: malformed, scheme, credentials, forbidden_address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_permitted(address: Address, allowed: Sequence[Network]) -> bool:
    """Public unicast, or inside a network that the operator opened."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id:
            return False
        if address.ipv4_mapped:
            address = address.ipv4_mapped
    if any(address in network for network in allowed):
        return True
    if any(address in network for network in _HIDING):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def check_url(url: str, allowed: Sequence[Network]) -> None:
    """Raises BadUrl unless `url` may be called, as far as its text tells.

    An address in `allowed` is good whatever it is; `localhost` counts as 127.0.0.1.
    """
    if len(url) > MAX_URL_LENGTH or _UNPRINTABLE.search(url):
        raise BadUrl("malformed")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadUrl("malformed") from error
    if parts.scheme not in ("http", "https"):
        raise BadUrl("scheme")
    if not host or port == 0:
        raise BadUrl("malformed")
    if "@" in parts.netloc:
        raise BadUrl("credentials")
    address = literal(host)
    if address is not None and not is_permitted(address, allowed):
        raise BadUrl("forbidden_address")


def literal(host: str) -> Address | None:
    """The address that a host spells, in any of the spellings that resolvers understand.

    None for a name. Raises BadUrl for what is neither.
    """
    # Clients fold full-width digits and ideographic dots as IDNA does.
    host = unicodedata.normalize("NFKC", host.translate(_FULL_STOPS)).lower()
    host = host.removesuffix(".")
    if host == "localhost" or host.endswith(".localhost"):
        return ipaddress.IPv4Address("127.0.0.1")
    if not host or _NOT_IN_HOSTS.search(host):
        raise BadUrl("malformed")
    if ":" in host:
        try:
            return ipaddress.IPv6Address(host)
        except ValueError as error:
            raise BadUrl("malformed") from error
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError) as error:
        # A last label that is a number makes it an address to browsers, and no name to anybody.
        labels = host.split(".")
        if _NUMBER.match(labels[-1]) or "" in labels:
            raise BadUrl("malformed") from error
        return None
