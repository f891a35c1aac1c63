"""The server: what each path answers, after which delay, with which fault to order."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from datetime import date
from typing import Any

from devstack.openai_standin import answers, prompts, protocol
from devstack.openai_standin.faults import Control, Fault
from devstack.openai_standin.http import Connection, Request

_APIS = {
    "/v1/responses": (protocol.asked_of_responses, protocol.response_object),
    "/v1/chat/completions": (protocol.asked_of_chat, protocol.completion_object),
}
_DRIP_SECONDS = 0.05


class StandInServer:
    """Listens once made; `serve_forever` answers in the thread that calls it, until `shutdown`."""

    def __init__(self, address: tuple[str, int], *, delay: float = 0.0) -> None:
        """Raises OSError where the address is taken."""
        self.control = Control(delay)
        self._socket = socket.create_server(address, backlog=1024)
        self.server_address: tuple[str, int] = self._socket.getsockname()[:2]
        self._connections: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        # Counted, not printed: a trace may show a prompt.
        self._loop.set_exception_handler(lambda *_: self.control.count("connection_errors"))
        self._is_over = asyncio.Event()

    def serve_forever(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    def shutdown(self) -> None:
        """From any thread, or from a signal's handler, once."""
        self._loop.call_soon_threadsafe(self._is_over.set)

    async def _serve(self) -> None:
        server = await self._loop.create_server(
            lambda: Connection(self._handle, self._connections), sock=self._socket
        )
        await self._is_over.wait()
        server.close()
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)  # in which they end

    def _handle(self, connection: Connection, request: Request) -> None:
        Call(connection, request, self.control, self._loop).begin()


class Call:
    """One request and its way to its answer."""

    def __init__(
        self,
        connection: Connection,
        request: Request,
        control: Control,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._connection = connection
        self._request = request
        self._control = control
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        if self._request.method == "GET":
            self._get(self._request.path)
        elif self._request.method != "POST":
            self._send(501, protocol.error_object("GET or POST"))
        elif self._request.body is None:
            self._send(
                400,
                protocol.error_object("A body with a Content-Length of at most 2 MB is needed."),
            )
        else:
            self._post(self._request.path, self._request.body)

    def _get(self, path: str) -> None:
        if path == "/healthz":
            self._send(200, {"status": "OK", "server": protocol.MODEL_NAME})
        elif path == "/_control":
            self._send(200, self._control.state())
        elif path == "/cdn-cgi/trace":
            self._send_bytes(200, self._trace(), "text/plain")
        elif path == "/v1/models":
            if self._has_key():
                self._send(200, protocol.models_object())
        else:
            self._unknown(path)

    def _post(self, path: str, body: bytes) -> None:
        if path == "/_control":
            self._order(body)
        elif path in _APIS:
            if self._has_key():
                self._begin_answer(path, body)
        else:
            self._unknown(path)

    def _begin_answer(self, path: str, raw: bytes) -> None:
        delay = self._control.begin()
        self._connection.on_lost = self._lose
        try:
            self._answer(path, raw, delay)
        except Exception:
            self._control.end()
            self._connection.on_lost = None
            self._connection.abort()
            raise

    def _answer(self, path: str, raw: bytes, delay: float) -> None:
        control = self._control
        control.count("requests", f"path:{path}")
        read_request, make_object = _APIS[path]
        try:
            body = json.loads(raw)
            if not isinstance(body, dict):
                raise ValueError
        except ValueError:
            self._end(
                400, protocol.error_object("We could not parse the JSON body of your request.")
            )
            return
        try:
            asked = read_request(body)
            request = prompts.read(asked.prompt, asked.schema)
        except protocol.BadRequest as error:
            self._end(400, protocol.error_object(error.message, param=error.param))
            return
        except prompts.Unanswerable as error:
            self._end(400, protocol.error_object(str(error), code="unanswerable_by_rules"))
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

        def answer() -> None:
            self._end(200, make_object(asked, answered))
            control.count("answered")

        self._later(delay - (time.monotonic() - started), answer)

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        if seconds <= 0:
            do()
        else:
            self._timer = self._loop.call_later(seconds, do)

    def _lose(self) -> None:
        """The client left before its answer: counted, not printed, for it is ordinary."""
        if self._timer is not None:
            self._timer.cancel()
        self._control.count("connection_errors")
        self._control.end()

    def _trace(self) -> bytes:
        self._control.count("path:trace")
        return f"h=standin\nip=127.0.0.1\nloc={self._control.country}\ntls=off\n".encode()

    def _break(self, fault: Fault, delay: float) -> None:
        if fault.mode == "drip":
            self._connection.on_lost = self._lose_drip
            self._connection.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Pad: ")
            self._drip(self._loop.time() + fault.seconds)
        elif fault.mode == "error":
            body = fault.body
            if body is None:
                body = protocol.error_object("A fault to order.", kind="server_error")
            self._later(delay, lambda: self._end(fault.status, body, fault.headers))
        elif fault.mode == "garbage":
            self._later(delay, self._end_with_garbage)
        else:
            self._later(fault.seconds if fault.mode == "hang" else delay, self._reset)

    def _drip(self, ends: float) -> None:
        """Each byte comes in time for any timeout that counts from the last one."""
        if self._loop.time() >= ends:
            self._connection.on_lost = None
            self._connection.close()
            self._control.end()
            return
        self._connection.write(b".")
        self._timer = self._loop.call_later(_DRIP_SECONDS, self._drip, ends)

    def _lose_drip(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._control.count("drip_ended_by_client")
        self._control.end()

    def _end_with_garbage(self) -> None:
        self._send_bytes(200, b"<html>certainly no JSON", "application/json")
        self._control.end()

    def _reset(self) -> None:
        self._connection.on_lost = None
        self._connection.reset()
        self._control.end()

    def _order(self, raw: bytes) -> None:
        try:
            order = json.loads(raw)
            if not isinstance(order, dict):
                raise ValueError("an order is a JSON object")
            self._control.apply(order)
        except (ValueError, TypeError) as error:
            self._send(400, protocol.error_object(str(error)))
        else:
            self._send(200, self._control.state())

    def _has_key(self) -> bool:
        scheme, _, key = self._request.authorization.partition(" ")
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
            protocol.error_object(
                f"Invalid URL ({self._request.method} {path[:100]})", code="unknown_url"
            ),
        )

    def _end(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, body, headers)
        self._control.end()

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._send_bytes(
            status, json.dumps(body, ensure_ascii=False).encode(), "application/json", headers
        )

    def _send_bytes(
        self, status: int, body: bytes, content_type: str, headers: dict[str, str] | None = None
    ) -> None:
        self._connection.answer(
            status,
            body,
            {
                "Content-Type": content_type,
                "Content-Length": str(len(body)),
                "x-openai-standin": protocol.MODEL_NAME,
                **(headers or {}),
            },
        )


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
