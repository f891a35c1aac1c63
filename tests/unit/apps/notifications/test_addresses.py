"""Where callbacks may go: what is refused when it is given, and not connected to when called."""

import ipaddress
import socket
from typing import Any

import pytest
from rest_framework.serializers import ValidationError

from apps.notifications.delivery import transport
from apps.notifications.delivery.connection import Route
from apps.notifications.delivery.transport import TransportError
from resume_platform.http.callback_url import CallbackUrlField
from resume_platform.net.addresses import BadUrl, check_url

GOOD = [
    "http://example.com",
    "https://example.com:8443/path?query=1#x",
    "HTTPS://EXAMPLE.COM/",
    "https://пример.рф/обратно",
    "https://1.1.1.1/",
    "https://[2606:4700:4700::1111]/",
    "https://my-host.internal/",
    "https://1.example.com/",
    "https://under_score.example.com/",
    "https://xn--e1afmkfd.xn--p1ai/",
    "https://example.com/a%20b?to=http://10.0.0.1/#@x",
]
# What spells an address that is private, loopback, link-local, shared, multicast or reserved,
# or hides one inside another.
FORBIDDEN_HOSTS = [
    # names of this machine
    "localhost", "LOCALHOST.", "a.localhost", "ⓛocalhost", "ｌｏｃａｌｈｏｓｔ", "a.LocalHost.",
    # 127.0.0.1: decimal, octal, hexadecimal, short, mixed, folded
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7F.1",
    "0x7f.0x0.0x0.0x1", "0177.0.0.1", "0177.1", "017700000001", "00000177.0.0.1", "127.0x1",
    "127.000.000.001", "１２７.０.０.１", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "①②⑦.0.0.1",
    "１２７。１", "𝟏𝟐𝟕.𝟎.𝟎.𝟏", "127.255.255.254",
    # other IPv4
    "0.0.0.0", "0", "0x0", "00.0", "0.1.2.3", "10.1.2.3", "167837955", "012.1.2.3", "172.16.0.1",
    "172.31.255.255", "192.168.1.1", "3232235777", "0xc0a80101", "169.254.169.254",
    "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "100.64.0.1",
    "100.100.100.200", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255",
    # IPv6
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::0.0.0.1]", "[fe80::1]", "[fec0::1]",
    "[fd00::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[ff0e::1]", "[2001:db8::1]",
    "[3fff::1]", "[100::1]", "[5f00::1]",
    # IPv6 that carries IPv4: mapped, compatible, translated, NAT64, 6to4, Teredo
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:169.254.169.254]", "[0:0:0:0:0:ffff:a00:1]",
    "[::127.0.0.1]", "[::7f00:1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b::10.0.0.1]", "[64:ff9b:1::1]", "[64:ff9b:1:ffff::a9fe:a9fe]", "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]", "[2001:0:7f00:1::]", "[2001::1]", "[2001:10::1]",
]  # fmt: skip
MALFORMED = [
    "http://", "http:///path", "http://:80/", "https://exa mple.com", "https://example.com:99999/",
    "https://example.com:0/", "https://example.com:x/", "https://example.com:-1/", "https://[::1",
    "https://[zz]/", "https://[]/", "https://[127.0.0.1]/",
    "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[::1%251]/",
    "https://127.0.0.1%2f/", "https://127.0.0.1%00.example.com/", "https://%31%32%37.0.0.1/",
    "https://%6c%6fcalhost/", "https://127.0.0.1%23.example.com/", "http:\\\\example.com",
    "http://127.0.0.1\\.example.com/", "http://example.com\\@127.0.0.1/",
    "http://127.0.0.1\t.example.com/", "http://127.0.0.1\n/", "http://exam\x00ple.com/",
    "https://./", "https://../", "https://127.0.0.1../", "https://.127.0.0.1/", "https://256.1.1.1/",
    "https://127.0.0.0x1g.1/", "https://1.2.3.4.5/", "https://0x7f.0.0.0.1/", "https://08.0.0.1/",
    "https://4294967296/", "https://example..1/", "https://example.0x7f/", "https://a..127.0.0.1/",
    "https://example.com/\u00a0", "https://127.0.0.1\u2028/", "https://a;b/", "https://a,b/",
    "https://example.com/".ljust(2049, "x"),
]  # fmt: skip
CREDENTIALS = [
    "https://user:pass@example.com/", "https://@example.com", "https://example.com@127.0.0.1/",
    "https://example.com:80@127.0.0.1:80/", "https://a@b@127.0.0.1/", "https://127.0.0.1@1.1.1.1/",
]  # fmt: skip
SCHEMES = [
    "ftp://example.com", "file:///etc/passwd", "example.com", "//127.0.0.1/", "", "gopher://127.1/",
    "javascript:alert(1)", "http+unix://%2fvar%2frun/", "127.0.0.1:80", "unix:/tmp/x", "hTTp",
]  # fmt: skip
HOSTILE = [
    *[("forbidden_address", f"http://{host}:{{port}}/") for host in FORBIDDEN_HOSTS],
    *[("malformed", url) for url in MALFORMED],
    *[("credentials", url) for url in CREDENTIALS],
    *[("scheme", url) for url in SCHEMES],
]


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*arguments: Any, **options: Any) -> None:
        pytest.fail("connected")

    monkeypatch.setattr(Route, "connect", connect)
    monkeypatch.setattr(socket, "create_connection", connect)


@pytest.mark.parametrize("url", GOOD)
def test_a_public_http_url_is_taken(url: str) -> None:
    check_url(url, [])


def test_there_are_spellings_enough() -> None:
    assert len(set(FORBIDDEN_HOSTS)) >= 80
    assert len(set(HOSTILE)) >= 140


@pytest.mark.parametrize(("reason", "url"), HOSTILE)
def test_a_hostile_url_is_refused_when_it_is_given(reason: str, url: str) -> None:
    with pytest.raises(BadUrl) as raised:
        check_url(url.replace("{port}", "8080"), [])
    assert raised.value.reason == reason


@pytest.mark.parametrize("url", [url for _, url in HOSTILE])
def test_a_hostile_url_that_came_all_the_same_makes_no_connection(
    url: str, no_connection: None
) -> None:
    resolved: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        resolved.append(host)
        return ["127.0.0.1"]

    with pytest.raises(TransportError) as raised:
        transport.post(
            url.replace("{port}", "8080"), body=b"", headers={}, timeout=2, resolve=resolve
        )
    assert raised.value.permanent
    assert not resolved


@pytest.mark.parametrize(
    "address",
    [host.strip("[]") for host in FORBIDDEN_HOSTS if host.startswith("[")]
    + ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "nonsense"]
    + ["fe80::1%eth0", "2606:4700:4700::1111%1", "192.0.0.8"],
)
def test_a_name_that_leads_there_is_not_connected_to(address: str, no_connection: None) -> None:
    """Alone, and hidden behind an address that is good."""
    for answers in ([address], ["93.184.216.34", address]):
        with pytest.raises(TransportError, match="forbidden_address") as raised:
            transport.post(
                "http://client.test/",
                body=b"",
                headers={},
                timeout=2,
                resolve=lambda host, port, answers=answers: answers,
            )
        assert raised.value.permanent


def test_an_operator_may_open_a_private_network() -> None:
    opened = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("fd00::/8")]

    for host in ("127.0.0.1:8000", "localhost", "[fd00::5]", "[::ffff:127.0.0.1]", "2130706433"):
        check_url(f"http://{host}/", opened)
    for host in ("10.0.0.1", "[::127.0.0.1]", "[64:ff9b::7f00:1]"):
        with pytest.raises(BadUrl):
            check_url(f"http://{host}/", opened)


def test_the_field_says_what_is_wrong(settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_PRIVATE_NETWORKS = []
    field = CallbackUrlField()
    assert field.run_validation("https://example.com/hook") == "https://example.com/hook"
    with pytest.raises(ValidationError, match="an address that is not called"):
        field.run_validation("http://127.1/")
