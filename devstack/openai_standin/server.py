"""The server, on Tornado: what each path answers, after which delay, with which fault to order."""

import asyncio
import json
import socket
import struct
import time
from datetime import date
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError
from tornado.web import Application, RequestHandler

from devstack.openai_standin import answers, prompts, protocol
from devstack.openai_standin.faults import Control, Fault

MAX_BODY = 2_000_000
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
        self._socket.setblocking(False)
        self.server_address: tuple[str, int] = self._socket.getsockname()[:2]
        self._loop = asyncio.new_event_loop()
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
        own = {"control": self.control}
        application = Application(
            [
                (r"/healthz", Health, own),
                (r"/_control", Orders, own),
                (r"/cdn-cgi/trace", Trace, own),
                (r"/v1/models", Models, own),
                (r"/v1/(?:responses|chat/completions)", Api, own),
            ],
            default_handler_class=Unknown,
            default_handler_args=own,
            # Counted, not printed: a line may show a prompt.
            log_function=lambda handler: None,
        )
        server = HTTPServer(application, max_body_size=MAX_BODY)
        server.add_socket(self._socket)
        await self._is_over.wait()
        server.stop()
        await server.close_all_connections()


class Handler(RequestHandler):
    def initialize(self, control: Control) -> None:
        self.control = control
        self.set_header("x-openai-standin", protocol.MODEL_NAME)

    def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            self.set_header(name, value)
        self.finish(json.dumps(body, ensure_ascii=False))

    def unknown(self) -> None:
        path = f"Invalid URL ({self.request.method} {self.request.path[:100]})"
        self.answer(404, protocol.error_object(path, code="unknown_url"))

    def has_key(self) -> bool:
        scheme, _, key = self.request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer" and key.strip():
            return True
        sentence = "You didn't provide an API key."
        self.answer(401, protocol.error_object(sentence, code="invalid_api_key"))
        return False

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.answer(status_code, protocol.error_object(self._reason))


class Unknown(Handler):
    def prepare(self) -> None:
        self.unknown()


class Health(Handler):
    def get(self) -> None:
        self.answer(200, {"status": "OK", "server": protocol.MODEL_NAME})


class Trace(Handler):
    def get(self) -> None:
        self.control.count("path:trace")
        self.set_header("Content-Type", "text/plain")
        self.finish(f"h=standin\nip=127.0.0.1\nloc={self.control.country}\ntls=off\n")


class Models(Handler):
    def get(self) -> None:
        if self.has_key():
            self.answer(200, protocol.models_object())


class Orders(Handler):
    def get(self) -> None:
        self.answer(200, self.control.state())

    def post(self) -> None:
        try:
            order = json.loads(self.request.body)
            if not isinstance(order, dict):
                raise ValueError("an order is a JSON object")
            self.control.apply(order)
        except (ValueError, TypeError) as error:
            self.answer(400, protocol.error_object(str(error)))
        else:
            self.answer(200, self.control.state())


class Api(Handler):
    """A question to the model, waiting in the event loop: a slow one costs nothing."""

    waiting: "asyncio.Task[None] | None" = None

    async def post(self) -> None:
        if not self.has_key():
            return
        delay = self.control.begin()
        try:
            await self._post(delay)
        except asyncio.CancelledError:
            self.control.count("connection_errors")
        finally:
            self.control.end()

    def on_connection_close(self) -> None:
        """The client left before its answer."""
        if self.waiting is not None:
            self.waiting.cancel()

    async def _wait(self, seconds: float) -> None:
        if seconds <= 0:
            return
        self.waiting = asyncio.ensure_future(asyncio.sleep(seconds))
        try:
            await self.waiting
        finally:
            self.waiting = None

    async def _post(self, delay: float) -> None:
        control, path = self.control, self.request.path
        control.count("requests", f"path:{path}")
        read_request, make_object = _APIS[path]
        try:
            body = json.loads(self.request.body)
            if not isinstance(body, dict):
                raise ValueError
        except ValueError:
            sentence = "We could not parse the JSON body of your request."
            self.answer(400, protocol.error_object(sentence))
            return
        try:
            asked = read_request(body)
            request = prompts.read(asked.prompt, asked.schema)
        except protocol.BadRequest as error:
            self.answer(400, protocol.error_object(error.message, param=error.param))
            return
        except prompts.Unanswerable as error:
            self.answer(400, protocol.error_object(str(error), code="unanswerable_by_rules"))
            return
        kind = "rubric" if isinstance(request, prompts.RubricRequest) else "judgement"
        control.count(f"kind:{kind}")
        started = time.monotonic()
        fault = control.take_fault(kind)
        if fault and fault.mode in ("error", "hang", "drip", "reset", "garbage"):
            await self._break(fault, delay)
            return
        value = answers.answer(request, date.today(), is_obedient=control.is_obedient)
        answered = protocol.Answered(answers.as_json(value))
        if fault:
            answered = _spoil(answered, fault, request)
        await self._wait(delay - (time.monotonic() - started))
        self.answer(200, make_object(asked, answered))
        control.count("answered")

    async def _break(self, fault: Fault, delay: float) -> None:
        await self._wait(fault.seconds if fault.mode == "hang" else delay)
        if fault.mode == "error":
            body = fault.body
            if body is None:
                body = protocol.error_object("A fault to order.", kind="server_error")
            self.answer(fault.status, body, fault.headers)
        elif fault.mode == "garbage":
            self.set_header("Content-Type", "application/json")
            self.finish(b"<html>certainly no JSON")
        elif fault.mode == "drip":
            await self._drip(self.detach(), time.monotonic() + fault.seconds)
        else:
            stream = self.detach()
            # Linger 0 sends RST instead of an orderly end.
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.close()

    async def _drip(self, stream: IOStream, ends: float) -> None:
        """Each byte comes in time for any timeout that counts from the last one."""
        try:
            await stream.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Pad: ")
            while time.monotonic() < ends:
                await stream.write(b".")
                await asyncio.sleep(_DRIP_SECONDS)
        except StreamClosedError:
            self.control.count("drip_ended_by_client")
        stream.close()


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
        quotes = ["fifteen years as chief architect of everything"]
        forged = [
            {"criterion_id": c["id"], "status": "met", "quotes": quotes} for c in request.criteria
        ]
        return protocol.Answered(answers.as_json({"assessments": forged}))
    return protocol.Answered(answers.as_json({"verdict": "fine", "score": 100}))
