"""The HTTP server: one thread per connection, one write per answer, faults to order."""

import json
import socket
import struct
import time
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from devstack.openai_standin import answers, prompts, protocol
from devstack.openai_standin.faults import Control, Fault

_APIS = {
    "/v1/responses": (protocol.asked_of_responses, protocol.response_object),
    "/v1/chat/completions": (protocol.asked_of_chat, protocol.completion_object),
}
_MAX_BODY = 2_000_000


class StandInServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], *, delay: float = 0.0) -> None:
        self.control = Control(delay)
        super().__init__(address, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Counted, not printed: hanging up is ordinary, and a trace may show a prompt."""
        self.control.count("connection_errors")


class Handler(BaseHTTPRequestHandler):
    server: StandInServer
    protocol_version = "HTTP/1.1"
    server_version = "openai-standin"
    disable_nagle_algorithm = True
    timeout = 300

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the supervisor's log needs no line per request."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            self._send(200, {"status": "OK", "server": protocol.MODEL_NAME})
        elif path == "/_control":
            self._send(200, self.server.control.state())
        elif path == "/cdn-cgi/trace":
            self._send_bytes(200, self._trace(), "text/plain")
        elif path == "/v1/models":
            if self._has_key():
                self._send(200, protocol.models_object())
        else:
            self._unknown(path)

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        path = self.path.partition("?")[0]
        if path == "/_control":
            self._order(body)
        elif path in _APIS:
            if self._has_key():
                self._answer(path, body)
        else:
            self._unknown(path)

    def _answer(self, path: str, raw: bytes) -> None:
        control = self.server.control
        delay = control.begin()
        try:
            control.count("requests", f"path:{path}")
            read_request, make_object = _APIS[path]
            try:
                body = json.loads(raw)
                if not isinstance(body, dict):
                    raise ValueError
            except ValueError:
                self._send(
                    400, protocol.error_object("We could not parse the JSON body of your request.")
                )
                return
            try:
                asked = read_request(body)
                request = prompts.read(asked.prompt, asked.schema)
            except protocol.BadRequest as error:
                self._send(400, protocol.error_object(error.message, param=error.param))
                return
            except prompts.Unanswerable as error:
                self._send(400, protocol.error_object(str(error), code="unanswerable_by_rules"))
                return
            kind = "rubric" if isinstance(request, prompts.RubricRequest) else "judgement"
            control.count(f"kind:{kind}")
            started = time.monotonic()
            fault = control.take_fault(kind)
            if fault and fault.mode in ("error", "hang", "drip", "reset", "garbage"):
                self._break(fault, delay)
                return
            value = answers.answer(request, date.today(), is_obedient=control.is_obedient)
            answered = protocol.Answered(answers.as_json(value))
            if fault:
                answered = _spoil(answered, fault, request)
            if (rest := delay - (time.monotonic() - started)) > 0:
                time.sleep(rest)
            self._send(200, make_object(asked, answered))
            control.count("answered")
        finally:
            control.end()

    def _trace(self) -> bytes:
        self.server.control.count("path:trace")
        return f"h=standin\nip=127.0.0.1\nloc={self.server.control.country}\ntls=off\n".encode()

    def _drip(self, seconds: float) -> None:
        """Each byte comes in time for any timeout that counts from the last one."""
        self.close_connection = True
        ends = time.monotonic() + seconds
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Pad: "
        try:
            self.wfile.write(head)
            while time.monotonic() < ends:
                self.wfile.write(b".")
                time.sleep(0.05)
        except OSError:
            self.server.control.count("drip_ended_by_client")

    def _break(self, fault: Fault, delay: float) -> None:
        if fault.mode == "drip":
            self._drip(fault.seconds)
            return
        time.sleep(fault.seconds if fault.mode == "hang" else delay)
        if fault.mode == "error":
            body = fault.body
            if body is None:
                body = protocol.error_object("A fault to order.", kind="server_error")
            self._send(fault.status, body, fault.headers)
        elif fault.mode == "garbage":
            self._send_bytes(200, b"<html>certainly no JSON", "application/json")
        else:
            # Linger 0 sends RST instead of an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

    def _order(self, raw: bytes) -> None:
        try:
            order = json.loads(raw)
            if not isinstance(order, dict):
                raise ValueError("an order is a JSON object")
            self.server.control.apply(order)
        except (ValueError, TypeError) as error:
            self._send(400, protocol.error_object(str(error)))
        else:
            self._send(200, self.server.control.state())

    def _has_key(self) -> bool:
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer" and key.strip():
            return True
        self._send(
            401,
            protocol.error_object("You didn't provide an API key.", code="invalid_api_key"),
        )
        return False

    def _unknown(self, path: str) -> None:
        self._send(
            404,
            protocol.error_object(f"Invalid URL ({self.command} {path[:100]})", code="unknown_url"),
        )

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _MAX_BODY:
            self.close_connection = True
            self._send(
                400,
                protocol.error_object("A body with a Content-Length of at most 2 MB is needed."),
            )
            return None
        return self.rfile.read(int(length))

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._send_bytes(
            status, json.dumps(body, ensure_ascii=False).encode(), "application/json", headers
        )

    def _send_bytes(
        self, status: int, body: bytes, content_type: str, headers: dict[str, str] | None = None
    ) -> None:
        """Head and body in one write: two would meet delayed acknowledgements, 40 ms a call."""
        lines = {
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "x-openai-standin": protocol.MODEL_NAME,
            **(headers or {}),
        }
        if self.close_connection:
            lines["Connection"] = "close"
        reason = self.responses.get(status, ("",))[0]
        head = f"{self.protocol_version} {status} {reason}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.wfile.write(head.encode("latin-1") + b"\r\n" + body)


def _spoil(
    answered: protocol.Answered,
    fault: Fault,
    request: prompts.RubricRequest | prompts.JudgementRequest,
) -> protocol.Answered:
    if fault.mode == "truncated":
        return protocol.Answered(answered.text[: len(answered.text) // 2], is_truncated=True)
    if fault.mode == "refused":
        return protocol.Answered("", refusal="I'm sorry, I can't help with that.")
    if fault.mode == "malformed":
        return protocol.Answered("Sure! Here is the JSON you asked for:")
    if fault.mode == "forged_quotes" and isinstance(request, prompts.JudgementRequest):
        forged = [
            {
                "criterion_id": c["id"],
                "status": "met",
                "quotes": ["fifteen years as chief architect of everything"],
            }
            for c in request.criteria
        ]
        return protocol.Answered(answers.as_json({"assessments": forged}))
    return protocol.Answered(answers.as_json({"verdict": "fine", "score": 100}))
