"""Users of a measured system, and their texts, made before the clock starts."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from devstack.errors import StackError
from devstack.stack import Stack
from tools.bench import load
from tools.bench.texts import REQUIREMENTS, resume

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class User:
    user_id: int
    username: str
    password: str
    token: str
    requirements_id: int


def port(stack: Stack) -> int:
    """The API's."""
    return int(urlsplit(stack.info["api"]).port or 0)


def make(stack: Stack, count: int) -> list[User]:
    """Registered and logged in, with a vacancy each."""
    return [_make(stack.info["api"]) for _ in range(count)]


def create_resumes(stack: Stack, users: Sequence[User], count: int, *, first: int) -> list[int]:
    """Ids of resumes of different texts, the users in turn."""
    posts = [
        load.request(
            "POST",
            "/create_resume/text",
            token=users[number % len(users)].token,
            body=json.dumps({"resume": resume(first + number)}).encode(),
        )
        for number in range(count)
    ]
    report = load.run(port(stack), posts).must_all_be(200)
    return [json.loads(body)["resume_id"] for body in report.bodies]


def starts(
    users: Sequence[User], resumes: Sequence[int], *, callback_url: str, first: int = 0
) -> dict[str, str]:
    """The prepared POST /start_processing of each resume, by its callback's path."""
    prepared = {}
    for number, resume_id in enumerate(resumes):
        user = users[number % len(users)]
        path = f"/{first + number}"
        body = {
            "requirements_id": user.requirements_id,
            "resume_id": resume_id,
            "callback_url": callback_url + path,
        }
        prepared[path] = load.request(
            "POST", "/start_processing", token=user.token, body=json.dumps(body).encode()
        )
    return prepared


def _make(api: str) -> User:
    username = f"bench-{secrets.token_hex(6)}@example.com"
    password = secrets.token_urlsafe(24)
    account = {"username": username, "password": password}
    user_id = _post(api, "/auth/register", {**account, "full_name": "Bench"})["user_id"]
    token = _post(api, "/auth/login", account)["access_token"]
    vacancy = _post(api, "/create_requirements/text", {"requirements": REQUIREMENTS}, token)
    return User(int(user_id), username, password, str(token), int(vacancy["requirements_id"]))


def _post(api: str, path: str, body: dict[str, str], token: str = "") -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.post(f"{api}{path}", json=body, headers=headers, timeout=TIMEOUT_SECONDS)
    if not answer.ok:
        raise StackError(f"{path} answered {answer.status_code}: {answer.text[:300]}")
    return dict(answer.json())
