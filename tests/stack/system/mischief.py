"""A full run, with a marker wherever a person or a neighbour can write something."""

import json
import random
import socket
import string
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from confluent_kafka import Producer

from devstack.stack import Stack
from tests.db.apps.uploads.files import pdf
from tests.stack.system.client import ApiClient, Processing, wait_for
from tests.stack.system.markers import Markers
from tests.support.stand_in import StandIn

REFUSED_PORT = 9  # discard: nobody listens there


@dataclass
class FullRun:
    """`errors` are the bodies of all answers but the good ones."""

    stack: Stack
    ai: StandIn
    markers: Markers
    errors: list[str] = field(default_factory=list)

    def play(self) -> None:
        self.client = self._register()
        self._sessions()
        self._judgements()
        self._files()
        self._odd_requests()
        self._poison()

    # --- people -----------------------------------------------------------------------------

    def _register(self) -> ApiClient:
        mark = self.markers
        # Nothing like the password: that would be refused.
        mark.also("user name", "".join(random.choices(string.digits, k=28)))
        client = ApiClient(
            self.stack.info,
            username=f"{mark['user name']}@example.com",
            password=f"pass {mark['password']}",
        )
        self._post("/auth/register", {"username": client.username, "password": "x y z 1 2 3"}, 409)
        token = str(client.session.headers["Authorization"]).removeprefix("Bearer ")
        mark.also("access token", token)
        secret = client.get("/webhook_secret").json()["secret"]
        mark.also("the user's webhook secret", secret.removeprefix("whsec_"))
        return client

    def _sessions(self) -> None:
        mark, client = self.markers, self.client
        account = {"username": client.username, "password": client.password}
        self._post("/auth/login", account | {"password": mark["wrong password"]}, 401)
        self._post("/auth/login", {"username": mark["unknown user"], "password": "x"}, (401, 422))
        pair = client.post("/auth/login", account)
        mark.also("refresh token", pair["refresh_token"])
        renewed = client.post("/auth/refresh_token", {"refresh_token": pair["refresh_token"]})
        mark.also("renewed token", renewed["access_token"])
        self._post("/auth/refresh_token", {"refresh_token": pair["refresh_token"]}, 401)
        self._post("/auth/refresh_token", {"refresh_token": mark["forged token"]}, 401)
        form = {"username": mark["staff name"], "password": mark["staff password"]}
        requests.post(self.stack.info["admin"]["url"] + "login/", data=form, timeout=30)
        requests.get(
            self.stack.info["flower"] + "/api/tasks", auth=("dev", mark["flower guess"]), timeout=30
        )

    # --- judgements -------------------------------------------------------------------------

    def _judgements(self) -> None:
        mark = self.markers
        for number, path in enumerate(
            ("hook/{}", "status/410/{}", "flaky/1/{}", "status/302/{}", "status/500/{}")
        ):
            mark_of_path = mark[f"callback path {number}"]
            processing = self._start(
                f"/{path.format(mark_of_path)}?token={mark['callback query']}", f"good {number}"
            )
            wait_for(lambda p=processing, m=mark_of_path: self._called(p, m))
        away = f"http://127.0.0.1:{REFUSED_PORT}/{mark['path of a dead receiver']}"
        self._start(away, "dead receiver")
        refused = {"resume_id": 1, "requirements_id": 1}
        for url in (
            f"http://user:{mark['password in a URL']}@127.0.0.1/hook",
            f"ftp://127.0.0.1/{mark['path of no callback']}",
            f"http://169.254.169.254/{mark['path of a forbidden address']}",
        ):
            self._post("/start_processing", refused | {"callback_url": url}, 422)
        for number, fault in enumerate(self._faults()):
            self.ai.order(fail=[fault])
            processing = self._start(f"/hook/fault-{number}", f"fault {number}")
            processing.callback(90)
        self.ai.order(reset=True)

    def _faults(self) -> list[dict[str, Any]]:
        said = {"message": f"I refuse {self.markers['echo of the AI']}", "code": "invalid_prompt"}
        return [
            {"mode": "error", "status": 400, "body": {"error": said}, "times": 9},
            {"mode": "error", "status": 500, "body": {"error": said}, "times": 1},
            {"mode": "error", "status": 401, "body": {"error": said}, "times": 9},
            {"mode": "malformed", "times": 1},
            {"mode": "garbage", "times": 1},
            {"mode": "refused", "times": 1},
        ]

    def _start(self, callback: str, what: str) -> Processing:
        mark = self.markers
        ids = self.client.upload(
            resume=f"Python, Docker. Jane {mark[f'resume, {what}']} jane@{mark['mail']}.example",
            requirements=f"Must have: Python, Docker, {mark[f'requirements, {what}']}",
        )
        url = callback if callback[0] != "/" else self.stack.info["callback_sink"] + callback
        body = {**ids, "callback_url": url}
        number = self.client.post("/start_processing", body)["processing_id"]
        return Processing(self.client, number, callback.partition("?")[0])

    def _called(self, processing: Processing, path: str) -> bool:
        sink = self.stack.info["callback_sink"] + "/received"
        return any(path in record["path"] for record in requests.get(sink, timeout=30).json())

    # --- requests that are none -------------------------------------------------------------

    def _files(self) -> None:
        mark = self.markers
        contents = {
            "broken.pdf": b"%PDF-1.7\n" + mark["broken PDF"].encode() + b"\n%%EOF",
            "broken.docx": b"PK\x03\x04" + mark["broken DOCX"].encode(),
            f"{mark['name of a file']}.exe": b"MZ",
            "empty.txt": b"",
            "long.txt": mark["long text"].encode() * 1_000,
        }
        for name, content in contents.items():
            answer = self.client.session.post(
                self.stack.info["api"] + "/create_resume/file",
                files={"file": (name, content)},
                timeout=60,
            )
            assert answer.status_code in (400, 413), (name, answer.status_code)
            self.errors.append(answer.text)
        good = {"file": ("cv.pdf", pdf(f"Python {mark['text of a PDF']}"))}
        self.client.session.post(
            self.stack.info["api"] + "/create_resume/file", files=good, timeout=60
        ).raise_for_status()

    def _odd_requests(self) -> None:
        mark, api = self.markers, self.stack.info["api"]
        odd: list[dict[str, Any]] = [
            {"path": f"/{mark['unknown path']}?token={mark['query']}"},
            {"headers": {"Authorization": f"Bearer {mark['broken token']}"}},
            {"headers": {"Authorization": f"Basic {mark['another scheme']}"}},
            {"headers": {"X-Request-ID": f"{mark['no request id']} and more"}},
            {"headers": {"Host": mark["host"]}},
            {"headers": {"traceparent": mark["no traceparent"]}},
            {"path": "/get_processing", "params": {"processing_id": mark["no number"]}},
            {"path": "/auth/register", "method": "POST", "data": f'{{"{mark["no JSON"]}'},
        ]
        for request in odd:
            path, method = request.pop("path", "/me"), request.pop("method", "GET")
            answer = requests.request(method, api + path, timeout=30, **request)
            self.errors.append(answer.text)
        self._post("/create_resume/text", {"resume": [mark["list for a text"]]}, 422)
        self._post("/start_processing", {"callback_url": mark["no URL"]}, 422)
        address = urlsplit(api)
        with socket.create_connection((address.hostname, address.port), timeout=10) as raw:
            raw.sendall(
                f"GET /{mark['raw path']} HTTP/9.9\r\n{mark['raw header']}\r\n\r\n".encode()
            )
            self.errors.append(raw.recv(65_536).decode("utf-8", "replace"))

    def _post(self, path: str, body: Any, status: int | tuple[int, ...]) -> None:
        session = self.client.session if hasattr(self, "client") else requests
        answer = session.post(self.stack.info["api"] + path, json=body, timeout=30)
        expected = (status,) if isinstance(status, int) else status
        assert answer.status_code in expected, (path, answer.status_code, answer.text)
        self.errors.append(answer.text)

    # --- a neighbour that writes anything ---------------------------------------------------

    def _poison(self) -> None:
        mark = self.markers
        producer = Producer({"bootstrap.servers": self.stack.info["kafka_bootstrap_servers"]})
        result = {"processing_id": 9_000_007, "user_id": 7, "resume_id": 7, "requirements_id": 7}
        result |= {"score": 1, "matches": [], "recommendation": "", "verdict": "Suitable"}
        # JSON may hold it, Python reads it as infinity, and jsonb refuses the whole, quoting it.
        unstorable = json.dumps(result | {"details": {"a": mark["refused by PostgreSQL"], "b": 0}})
        unstorable = unstorable.replace('"b": 0', '"b": 1e999')
        headers = [
            ("event_id", mark["no event id"].encode() + b" of ours"),
            ("traceparent", mark["no traceparent of Kafka"].encode()),
            ("request_id", mark["no request id of Kafka"].encode() + b"\n"),
            (mark["name of a header"], mark["header"].encode()),
        ]
        letters = {
            b"new_request": [
                mark["no event"].encode(),
                json.dumps({"user_id": 1, mark["no field"]: mark["no value"]}).encode(),
                json.dumps({"user_id": mark["no id"]}).encode(),
            ],
            mark["no key"].encode(): [b"{}"],
        }
        for key, values in letters.items():
            for value in values:
                producer.produce("AI_handler", value, key, headers=headers)
        producer.produce("uploading_data", unstorable.encode(), b"new_processing", headers=headers)
        assert producer.flush(10) == 0
