"""What strangers send, each attack from a free account or none.

An answer is a success that comes to an outcome, a refusal (4xx), or 503 where too much is asked.
"""

import json
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests

from devstack.client import Client
from tools.attack import payloads
from tools.bench.texts import REQUIREMENTS, resume

SMALL_BYTES = 20_000
GREEDY_STARTS = 600
OUTCOME_SECONDS = 60.0
STILL_SECONDS = 3.0
TRICKLE_SECONDS = 8.0
HEAD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n"
T = TypeVar("T")
R = TypeVar("R")
Upload = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Answer:
    text: str
    is_answer: bool


@dataclass(frozen=True)
class Target:
    api: str
    callback_url: str

    def stranger(self) -> Client:
        return Client.of_new_user(self.api, "stranger")


def newlines(target: Target) -> Answer:
    """a resume of [x and 14,990 newlines"""
    return _judge(target, [("/create_resume/text", {"json": {"resume": payloads.NEWLINES}})])


def marks(target: Target) -> Answer:
    """4 .txt of 180 kB and a .docx of combining marks"""
    files = {f"{number}.txt": payloads.MARKS.encode() for number in range(4)}
    return _judge(target, _files(files | {"marks.docx": payloads.marked_docx()}))


def zeros(target: Target) -> Answer:
    """2.4 MB of zeros as processing_ids"""
    body = json.dumps({"processing_ids": [0] * 800_000})
    headers = {"Content-Type": "application/json"}
    answer = target.stranger().send("POST", "/delete_processing", data=body, headers=headers)
    size = len(answer.content)
    is_answer = _is_answer(answer.status_code) and size < SMALL_BYTES
    return Answer(f"{answer.status_code}, {size:,} bytes", is_answer)


def bombs(target: Target) -> Answer:
    """a .txt of 9.8 MB, .docx and .pdf that swell or nest"""
    return _judge(target, _files(payloads.bombs()))


def pdfs(target: Target) -> Answer:
    """12 slow PDFs"""
    return _judge(target, _files({f"{n}.pdf": payloads.slow_pdf(n) for n in range(12)}))


def trickle(target: Target) -> Answer:
    """40 heads and 40 bodies, a byte at a time"""
    where = urlsplit(target.api)
    address = (str(where.hostname), where.port or 80)
    until = time.monotonic() + TRICKLE_SECONDS
    with ExitStack() as opened, suppress(OSError):  # it may hang up on them
        slow = [opened.enter_context(socket.create_connection(address, 10)) for _ in range(80)]
        for number, connection in enumerate(slow):
            connection.sendall(BODY if number % 2 else HEAD)
        while time.monotonic() < until:
            for connection in slow:
                connection.sendall(b"a")
            time.sleep(0.2)
    return Answer("none is due", is_answer=True)


def logins(target: Target) -> Answer:
    """24 logins of random names at once"""

    def login(number: int) -> requests.Response:
        account = {"username": f"{secrets.token_hex(6)}@example.com", "password": "a wrong horse"}
        return Client(target.api).send("POST", "/auth/login", json=account)

    return _summary(_at_once(login, range(24), threads=24))


def texts(target: Target) -> Answer:
    """60 adversarial resumes, requirements and files"""
    short, long = (payloads.texts(n) for n in (payloads.REQUIREMENTS, payloads.RESUME))
    return _judge(
        target,
        [
            *(("/create_requirements/text", {"json": {"requirements": t}}) for t in short),
            *(("/create_resume/text", {"json": {"resume": text}}) for text in long),
            *_files({f"{number}.txt": text.encode() for number, text in enumerate(long)}),
        ],
    )


def greedy(target: Target) -> Answer:
    """starts of as much as the AI answers in a day"""
    first = secrets.randbelow(10**12)
    numbers = range(first, first + GREEDY_STARTS)
    resumes = [("/create_resume/text", {"json": {"resume": resume(n)}}) for n in numbers]
    return _judge(target, resumes, is_greedy=True)


# The greedy come last: they use up the day's budget.
ATTACKS: dict[str, Callable[[Target], Answer]] = {
    attack.__name__: attack
    for attack in (newlines, marks, zeros, bombs, pdfs, trickle, logins, texts, greedy)
}


def _files(files: dict[str, bytes]) -> list[Upload]:
    return [("/create_resume/file", {"files": {"file": each}}) for each in files.items()]


def _judge(target: Target, uploads: Sequence[Upload], *, is_greedy: bool = False) -> Answer:
    """Upload all at once, start what was taken, and wait while outcomes come."""
    client = target.stranger()
    good = {
        "requirements_id": client.create_requirements(REQUIREMENTS),
        "resume_id": client.create_resume(resume(secrets.randbelow(10**12))),
        "callback_url": target.callback_url,
    }
    uploaded = _at_once(lambda upload: client.send("POST", upload[0], **upload[1]), uploads)
    taken = [good | answer.json() for answer in uploaded if answer is not None and answer.ok]
    _at_once(lambda ids: client.start_processing(**ids), taken)
    patience = STILL_SECONDS if is_greedy else OUTCOME_SECONDS
    seen, changed = client.outcomes(), time.monotonic()
    while sum(seen) < len(taken) and time.monotonic() - changed < patience:
        time.sleep(0.2)
        if (now := client.outcomes()) != seen:
            seen, changed = now, time.monotonic()
    said, missing = _summary(uploaded), len(taken) - sum(seen)
    outcomes = f"; {seen[0]} judged, {seen[1]} failed, {missing} waiting" if taken else ""
    return Answer(said.text + outcomes, said.is_answer and (is_greedy or not missing))


def _at_once(call: Callable[[T], R], items: Iterable[T], *, threads: int = 12) -> list[R | None]:
    """What each call returned; None where no answer came."""

    def answer(item: T) -> R | None:
        try:
            return call(item)
        except requests.RequestException:
            return None

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(answer, items))


def _summary(answers: Sequence[requests.Response | None]) -> Answer:
    statuses = Counter(0 if answer is None else answer.status_code for answer in answers)
    text = ", ".join(f"{status or 'none'} x {n}" for status, n in sorted(statuses.items()))
    return Answer(text, all(_is_answer(status) for status in statuses))


def _is_answer(status: int) -> bool:
    return 200 <= status < 500 or status == 503
