"""One POST to one callback: resolve once, vet, connect there, one deadline for all of it.

Nothing of the environment is used (no proxy, no netrc), no redirect is followed, and at most
64 kB of the answer are read.
"""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException

from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse
from urllib3.util import Url, parse_url

from apps.notifications.delivery.connection import (
    CallbackConnection,
    Route,
    default_tls_context,
    new_connection,
)
from apps.notifications.delivery.idle_connections import IDLE, Origin
from resume_platform.net import addresses
from resume_platform.net.addresses import Network

MAX_BODY = 64 * 1024
EXCERPT = 1024
DNS_SECONDS = 5.0
BODY_SECONDS = 2.0

Resolve = Callable[[str, int], Sequence[str]]
_FAILURES = (HTTPException, HTTPError, OSError, ValueError)


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
    target, host, port = _parsed(url, allowed)
    is_tls = target.scheme == "https"
    tls_context = (tls_context or default_tls_context()) if is_tls else None
    deadline = time.monotonic() + timeout
    route = Route(_vetted(host, port, deadline, allowed, resolve or _addresses), deadline)
    origin: Origin = (target.scheme or "", host, port, id(tls_context))
    kept = IDLE.take(origin, route)
    connection = kept or new_connection(host, port, tls_context)
    try:
        try:
            response = _exchange(connection, route, target, body, headers)
        except (HTTPException, HTTPError, ConnectionError):
            # The receiver may have closed a kept one just as it was used: that is no refusal.
            connection.close()
            if kept is None or time.monotonic() >= deadline:
                raise
            response = _exchange(connection, route, target, body, headers)
        answer = Answer(
            status=response.status,
            retry_after=response.headers.get("Retry-After"),
            address=route.connected_to,
            excerpt=_excerpt(response, route),
        )
    except _FAILURES as error:
        connection.close()
        raise TransportError(_reason(error, route), address=route.connected_to) from error
    except BaseException:
        connection.close()
        raise
    if connection.sock is not None and response.isclosed():
        IDLE.keep(origin, connection)
    else:
        response.close()
        connection.close()
    return answer


def _parsed(url: str, allowed: Sequence[Network]) -> tuple[Url, str, int]:
    try:
        addresses.check_url(url, allowed)
        target = parse_url(url)
        host = (target.host or "").removeprefix("[").removesuffix("]")
        port = target.port or (443 if target.scheme == "https" else 80)
        if target.auth is not None or not host:
            raise addresses.BadUrl("malformed")
        literal = addresses.literal(host)
    except addresses.BadUrl as error:
        reason = error.reason if error.reason == "forbidden_address" else "bad_url"
        raise TransportError(reason, permanent=True, address=_spelt(url)) from error
    except HTTPError as error:
        raise TransportError("bad_url", permanent=True) from error
    return target, str(literal or host), port


def _spelt(url: str) -> str:
    """The address that a forbidden URL spells, for the record."""
    try:
        host = (parse_url(url).host or "").removeprefix("[").removesuffix("]")
        return str(addresses.literal(host) or "")
    except (HTTPError, addresses.BadUrl):
        return ""


def _vetted(
    host: str, port: int, deadline: float, allowed: Sequence[Network], resolve: Resolve
) -> tuple[str, ...]:
    """The host's addresses; one that is forbidden forbids them all."""
    try:
        found: Sequence[str] = [str(ipaddress.ip_address(host))]
    except ValueError:
        found = _in_time(lambda: resolve(host, port), deadline)
    for address in found:
        try:
            is_good = addresses.is_permitted(ipaddress.ip_address(address), allowed)
        except ValueError:
            is_good = False
        if not is_good:
            raise TransportError("forbidden_address", permanent=True, address=address)
    return tuple(dict.fromkeys(found))


def _addresses(host: str, port: int) -> Sequence[str]:
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
    thread.join(max(0.0, min(deadline - time.monotonic(), DNS_SECONDS)))
    if not found or not found[0]:
        raise TransportError("name_not_resolved")
    return found[0]


def _exchange(
    connection: CallbackConnection,
    route: Route,
    target: Url,
    body: bytes,
    headers: Mapping[str, str],
) -> HTTPResponse:
    connection.use(route)
    connection.request(
        "POST",
        target.request_uri,
        body=body,
        headers={"Host": target.netloc or "", **headers},
        preload_content=False,
        decode_content=False,
    )
    return connection.getresponse()


def _excerpt(response: HTTPResponse, route: Route) -> str:
    """Reading on is a courtesy; the status has come, so a body that breaks off changes nothing."""
    body = b""
    route.budget = 2 * MAX_BODY  # the framing of many small chunks comes on top of the body
    route.deadline = min(route.deadline, time.monotonic() + BODY_SECONDS)
    try:
        while len(body) < MAX_BODY and (piece := response.read1(16_384)):
            body += piece
    except _FAILURES:
        pass
    return body[:EXCERPT].decode("utf-8", "replace").replace("\x00", "")


def _reason(error: Exception, route: Route) -> str:
    if isinstance(error, TimeoutError) or time.monotonic() >= route.deadline:
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls_failed"
    if not route.connected_to:
        return "connection_refused"
    return "connection_broken"
