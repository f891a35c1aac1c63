"""Whose word about an address counts."""

import ipaddress

import pytest

from resume_platform.http.client_address import client_address, client_network

PROXIES = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.5", None, "203.0.113.5"),
        ("203.0.113.5", "1.2.3.4", "203.0.113.5"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.9.9.9", "1.2.3.4"),
        ("10.0.0.1", "10.1.1.1, 10.9.9.9", "10.1.1.1"),
        ("10.0.0.1", "1.2.3.4, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("", "1.2.3.4", "unknown"),
    ],
)
def test_only_a_trusted_proxy_speaks_for_others(
    peer: str, forwarded: str | None, client: str
) -> None:
    meta = {"REMOTE_ADDR": peer}
    if forwarded is not None:
        meta["HTTP_X_FORWARDED_FOR"] = forwarded

    assert client_address(meta, PROXIES) == client


def test_a_network_of_ipv6_is_one_client() -> None:
    networks = [
        client_network({"REMOTE_ADDR": address}, [])
        for address in ("2001:db8::1", "2001:db8::ffff:2", "::ffff:1.2.3.4", "1.2.3.4", "")
    ]
    assert networks == ["2001:db8::/64", "2001:db8::/64", "1.2.3.4", "1.2.3.4", "unknown"]
