"""Which callback URLs are taken, as far as their text tells."""

import ipaddress

import pytest

from apps.uploads.callback_url import BadCallbackUrl, check


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://example.com:8443/path?query=1#x",
        "HTTPS://EXAMPLE.COM/",
        "https://пример.рф/обратно",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/",
        "https://my-host.internal/",
        "https://1.example.com/",
    ],
)
def test_a_public_http_url_is_taken(url: str) -> None:
    check(url, [])


@pytest.mark.parametrize(
    ("reason", "urls"),
    [
        ("scheme", ["ftp://example.com", "file:///etc/passwd", "example.com", "//example.com", ""]),
        ("credentials", ["https://user:pass@example.com/", "https://@example.com"]),
        (
            "malformed",
            [
                "http://",
                "http:///path",
                "https://exa mple.com",
                "https://example.com\n",
                "https://example.com:99999/",
                "https://example.com:0/",
                "https://example.com:x/",
                "https://[::1",
                "https://[zz]/",
                "https://[fe80::1%25eth0]/",
                "https://127.0.0.1%2f/",
                "http:\\\\example.com",
                "https://./",
                "https://example.com/".ljust(2049, "x"),
            ],
        ),
        (
            "forbidden_address",
            [
                f"http://{host}/"
                for host in (
                    "localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.1", "2130706433",
                    "0x7f000001", "0177.0.0.1", "127.0.0.1.", "１２７.０.０.１", "127。0。0。1",
                    "①②⑦.0.0.1", "0.0.0.0", "0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
                    "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1",
                    "240.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::ffff:127.0.0.1]",
                    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]",
                    "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fec0::1]", "[fe80::1]", "[fd00::1]",
                    "[ff02::1]", "[2001:db8::1]",
                )
            ],
        ),
    ],
)  # fmt: skip
def test_a_url_that_must_not_be_called_is_refused(reason: str, urls: list[str]) -> None:
    for url in urls:
        with pytest.raises(BadCallbackUrl) as raised:
            check(url, [])
        assert raised.value.reason == reason, url


def test_an_operator_may_open_a_private_network() -> None:
    opened = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("fd00::/8")]

    for host in ("127.0.0.1:8000", "localhost", "[fd00::5]", "[::ffff:127.0.0.1]"):
        check(f"http://{host}/", opened)
    with pytest.raises(BadCallbackUrl):
        check("http://10.0.0.1/", opened)
