"""A client as a recruiting system would write one: HTTP, nothing else."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

REQUIREMENTS = """Требуется Python-разработчик.
Обязательно:
- опыт коммерческой разработки на Python от 3 лет
- PostgreSQL
- Docker
Будет плюсом:
- Kafka
"""
RESUME = """Иван Примеров, разработчик.
Опыт работы: 2018 - 2024, ООО «Пример». Пишу на Python 6 лет, Django, PostgreSQL, Docker, Kafka.
"""


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true value of `condition`; fails when it did not come true in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)
    return value


@dataclass
class ApiClient:
    """One user of a running stack, registered and logged in."""

    info: dict[str, Any]
    username: str = field(default_factory=lambda: f"{uuid.uuid4().hex[:12]}@example.com")
    password: str = "a long enough pass phrase"
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        account = {"username": self.username, "password": self.password}
        self.user_id = int(self.post("/auth/register", account, 201)["user_id"])
        tokens = self.post("/auth/login", account)
        self.session.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        answer = self.session.post(self.info["api"] + path, json=body, timeout=30)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        return answer.json()

    def get(self, path: str, **parameters: Any) -> requests.Response:
        return self.session.get(self.info["api"] + path, params=parameters, timeout=30)

    def upload(self, resume: str = RESUME, requirements: str = REQUIREMENTS) -> dict[str, int]:
        return {
            **self.post("/create_resume/text", {"resume": resume}),
            **self.post("/create_requirements/text", {"requirements": requirements}),
        }

    def start(self, ids: dict[str, int], path: str | None = None) -> "Processing":
        path = path or f"/hook/{uuid.uuid4().hex}"
        body = {**ids, "callback_url": self.info["callback_sink"] + path}
        return Processing(self, self.post("/start_processing", body)["processing_id"], path)

    def judge(self, path: str | None = None) -> "Processing":
        """Upload a resume and requirements of its own and have them judged."""
        return self.start(self.upload(resume=f"{RESUME}\n{uuid.uuid4().hex}"), path)


@dataclass
class Processing:
    client: ApiClient
    id: int
    path: str

    def callbacks(self) -> list[dict[str, Any]]:
        answer = requests.get(
            self.client.info["callback_sink"] + "/received", params={"path": self.path}, timeout=30
        )
        return list(answer.json())

    def callback(self, seconds: float = 60) -> dict[str, Any]:
        return dict(wait_for(self.callbacks, seconds)[0])

    def stored(self) -> Any:
        """The finished processing, or None while there is none."""
        answer = self.client.get("/get_processing", processing_id=self.id)
        return answer.json()[0] if answer.status_code == 200 else None
