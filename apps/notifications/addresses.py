"""Which addresses a callback may go to. Knows no Django.

The rule is about addresses alone; names are resolved by `transport.py`, once per attempt.
"""

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# What `is_global` alone would let through: addresses that carry or hide another one.
_HIDING = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10",
    )
)  # fmt: skip


def is_permitted(address: str, allowed: Sequence[Network]) -> bool:
    """Public unicast, or inside a network that the operator opened."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if any(parsed in network for network in allowed):
        return True
    if any(parsed in network for network in _HIDING):
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved
