"""One POST to one callback: resolve once, vet, connect there, one deadline for all of it.

Nothing of the environment is used (no proxy, no netrc), no redirect is followed, and at most
64 kB of the answer are read.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, LocationParseError

from apps.notifications.addresses import Network, is_permitted
from apps.notifications.connection import Route, RouteAdapter, default_tls_context

MAX_BODY = 64 * 1024
EXCERPT = 1024

Resolve = Callable[[str, int], Sequence[str]]


class TransportError(Exception):
    """No answer came. `reason` is a constant word; `permanent` means another try is pointless."""

    def __init__(self, reason: str, *, permanent: bool = False, address: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.address = address


@dataclass(frozen=True)
class Answer:
    """`excerpt` is the first kilobyte of the body, as far as it came."""

    status: int
    retry_after: str | None
    address: str
    excerpt: str


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float,
    allowed: Sequence[Network] = (),
    resolve: Resolve | None = None,
    tls_context: ssl.SSLContext | None = None,
) -> Answer:
    """POST once. Whatever the receiver does, this ends within `timeout` seconds.

    Raises TransportError; every status is an Answer.
    """
    request, host, port = _prepare(url, body, headers)
    if urlsplit(request.url or "").scheme == "https":
        tls_context = tls_context or default_tls_context()
    deadline = time.monotonic() + timeout
    route = Route(_vetted(host, port, deadline, allowed, resolve or _addresses), deadline)
    adapter = RouteAdapter(route, tls_context)
    try:
        response = adapter.send(request, stream=True, timeout=route.remaining())
        return Answer(
            status=response.status_code,
            retry_after=response.headers.get("Retry-After"),
            address=route.connected_to,
            excerpt=_excerpt(response),
        )
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise TransportError(_reason(error, route), address=route.connected_to) from error
    finally:
        adapter.close()


def _prepare(
    url: str, body: bytes, headers: Mapping[str, str]
) -> tuple[requests.PreparedRequest, str, int]:
    try:
        request = requests.Request("POST", url, data=body, headers=dict(headers)).prepare()
        parts = urlsplit(request.url or "")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except (requests.RequestException, LocationParseError, ValueError) as error:
        raise TransportError("bad_url", permanent=True) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TransportError("bad_url", permanent=True)
    return request, parts.hostname, port


def _vetted(
    host: str, port: int, deadline: float, allowed: Sequence[Network], resolve: Resolve
) -> tuple[str, ...]:
    """The host's addresses; one that is forbidden forbids them all."""
    found = tuple(dict.fromkeys(_in_time(lambda: resolve(host, port), deadline)))
    for address in found:
        if not is_permitted(address, allowed):
            raise TransportError("forbidden_address", permanent=True, address=address)
    return found


def _addresses(host: str, port: int) -> Sequence[str]:
    if host == "localhost" or host.endswith(".localhost"):
        return ["127.0.0.1"]
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in infos]


def _in_time(resolve: Callable[[], Sequence[str]], deadline: float) -> Sequence[str]:
    """Resolve in a thread that is left behind if the resolver hangs: it knows no timeout."""
    found: list[Sequence[str]] = []

    def run() -> None:
        try:
            found.append(resolve())
        except (OSError, UnicodeError):
            found.append(())

    thread = threading.Thread(target=run, name="resolve", daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if not found or not found[0]:
        raise TransportError("name_not_resolved")
    return found[0]


def _excerpt(response: requests.Response) -> str:
    """Reading on is a courtesy; the status has come, so a body that breaks off changes nothing."""
    body = b""
    try:
        for piece in response.raw.stream(EXCERPT, decode_content=False):
            body += piece
            if len(body) >= MAX_BODY:
                break
    except (HTTPError, OSError):
        pass
    return body[:EXCERPT].decode("utf-8", "replace").replace("\x00", "")


def _reason(error: Exception, route: Route) -> str:
    if time.monotonic() >= route.deadline or isinstance(error, requests.Timeout):
        return "timeout"
    if isinstance(error, requests.exceptions.SSLError):
        return "tls_failed"
    if not route.connected_to:
        return "connection_refused"
    return "connection_broken"
