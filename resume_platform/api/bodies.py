"""The bodies of requests on the wire, below Django."""

import io
import json
from collections.abc import Callable, Iterable
from typing import Any

WSGIApplication = Callable[..., Iterable[bytes]]

# Room for the multipart frame around a file of the largest size.
FRAME_BYTES = 100_000
# What is larger than this many files is not worth reading to its end.
HOPELESS_FACTOR = 4
_PIECE = 65_536


def read_whole(application: WSGIApplication, *, max_file_bytes: int) -> WSGIApplication:
    """Takes bodies without a Content-Length, and reads each to its end.

    Django alone would take a body that comes in chunks for empty. And a server that answers without
    having read everything must close the connection, on which the client may not even have read
    the answer, or is sending its next request.
    """

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        source = environ["wsgi.input"]
        chunked = environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
        if chunked and not environ.get("CONTENT_LENGTH"):
            limit = max_file_bytes + FRAME_BYTES
            body = source.read(limit + 1)
            if len(body) > limit:
                return _too_large(start_response)
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
            return application(environ, start_response)
        answer = application(environ, start_response)
        if environ.get("CONTENT_LENGTH", "0") not in ("", "0"):
            _drain(source, HOPELESS_FACTOR * max_file_bytes)
        return answer

    return wrapped


def _drain(source: Any, most: int) -> None:
    try:
        while most > 0 and (piece := source.read(_PIECE)):
            most -= len(piece)
    except OSError:
        return  # the client has gone


def _too_large(start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = json.dumps({"detail": "The request body is too large.", "code": "body_too_large"})
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("413 Content Too Large", headers)
    return [body.encode()]
