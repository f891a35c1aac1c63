"""Whose address a request comes from, when proxies may stand between."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_address(meta: Mapping[str, Any], trusted_proxies: Sequence[Network]) -> str:
    """The peer's address, or what trusted proxies say of it.

    `X-Forwarded-For` is read from the right, and only while its writer is trusted: the first
    entry that is no proxy of ours is the client. What stands left of it is the client's own word.
    """
    peer = _parse(str(meta.get("REMOTE_ADDR") or ""))
    if peer is None:
        return "unknown"  # a Unix socket: every client shares one counter
    client = peer
    entries = str(meta.get("HTTP_X_FORWARDED_FOR") or "").split(",")
    for entry in reversed(entries):
        if not _within(client, trusted_proxies):
            break
        address = _parse(entry)
        if address is None:
            break
        client = address
    return str(client)


def client_network(meta: Mapping[str, Any], trusted_proxies: Sequence[Network]) -> str:
    """By what a client is counted: its address, or its /64, which is one client's in IPv6."""
    client = client_address(meta, trusted_proxies)
    if ":" not in client:
        return client
    return str(ipaddress.ip_network((client, 64), strict=False))


def is_trusted_proxy(meta: Mapping[str, Any], trusted_proxies: Sequence[Network]) -> bool:
    peer = _parse(str(meta.get("REMOTE_ADDR") or ""))
    return peer is not None and _within(peer, trusted_proxies)


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or ipaddress.IPv6Address(int(address))
    return address
