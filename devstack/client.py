"""The system's API as a client sees it, for the demo and the benchmarks."""

import secrets
from pathlib import Path
from typing import Any

import requests

from devstack.errors import StackError

TIMEOUT_SECONDS = 30


class UnexpectedAnswer(StackError):
    def __init__(self, what: str, answer: requests.Response) -> None:
        super().__init__(f"{what} answered {answer.status_code}: {answer.text[:500]}")


class Client:
    """One user's session. Every answer that is not a success raises UnexpectedAnswer."""

    def __init__(self, api: str) -> None:
        self._api = api
        self._http = requests.Session()
        # The stack is on loopback, whatever proxy the environment names.
        self._http.trust_env = False

    @classmethod
    def of_new_user(cls, api: str, name: str) -> "Client":
        """Registered under a random name, and logged in."""
        client, password = cls(api), secrets.token_urlsafe(24)
        username = f"{name}-{secrets.token_hex(6)}@example.com"
        client.register(username=username, password=password, full_name=name)
        client.login(username=username, password=password)
        return client

    def register(self, *, username: str, password: str, full_name: str) -> int:
        body = {"username": username, "password": password, "full_name": full_name}
        return int(self._post("/auth/register", json=body)["user_id"])

    def login(self, *, username: str, password: str) -> None:
        pair = self._post("/auth/login", data={"username": username, "password": password})
        self._http.headers["Authorization"] = f"Bearer {pair['access_token']}"

    def upload_resume(self, file: Path) -> int:
        return self._upload("/create_resume/file", file, "resume_id")

    def upload_requirements(self, file: Path) -> int:
        return self._upload("/create_requirements/file", file, "requirements_id")

    def create_resume(self, text: str) -> int:
        return int(self._post("/create_resume/text", json={"resume": text})["resume_id"])

    def create_requirements(self, text: str) -> int:
        body = {"requirements": text}
        return int(self._post("/create_requirements/text", json=body)["requirements_id"])

    def start_processing(self, *, requirements_id: int, resume_id: int, callback_url: str) -> int:
        body = {
            "requirements_id": requirements_id,
            "resume_id": resume_id,
            "callback_url": callback_url,
        }
        return int(self._post("/start_processing", json=body)["processing_id"])

    def ranked(self, requirements_id: int) -> list[dict[str, Any]]:
        """The finished processings of a vacancy, best first."""
        query: dict[str, str | int] = {
            "requirements_id": requirements_id,
            "sort_by": "score",
            "order": "desc",
        }
        answer = self._http.get(
            f"{self._api}/get_processing_detail", params=query, timeout=TIMEOUT_SECONDS
        )
        if answer.status_code == 404:
            return []  # storage follows the events: a moment later it is there
        return list(self._json("/get_processing_detail", answer))

    def outcomes(self) -> tuple[int, int]:
        """How many of the user's processings are finished, and how many failed."""
        return self._count("finished"), self._count("failed")

    def webhook_secret(self) -> str:
        answer = self._http.get(f"{self._api}/webhook_secret", timeout=TIMEOUT_SECONDS)
        return str(self._json("/webhook_secret", answer)["secret"])

    def _upload(self, path: str, file: Path, key: str) -> int:
        with file.open("rb") as content:
            return int(self._post(path, files={"file": (file.name, content)})[key])

    def send(self, method: str, path: str, **request: Any) -> requests.Response:
        """The answer, whatever it is."""
        return self._http.request(method, f"{self._api}{path}", timeout=TIMEOUT_SECONDS, **request)

    def _count(self, status: str) -> int:
        answer = self.send("GET", "/get_processing", params={"status": status, "limit": "1"})
        self._json("/get_processing", answer)
        return int(answer.headers["X-Total-Count"])

    def _post(self, path: str, **request: Any) -> dict[str, Any]:
        return dict(self._json(path, self.send("POST", path, **request)))

    def _json(self, what: str, answer: requests.Response) -> Any:
        if not answer.ok:
            raise UnexpectedAnswer(what, answer)
        return answer.json()


def received(sink: str, path: str) -> list[dict[str, Any]]:
    """What the callback sink recorded under a path."""
    with requests.Session() as http:
        http.trust_env = False
        answer = http.get(f"{sink}/received", params={"path": path}, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        return list(answer.json())
