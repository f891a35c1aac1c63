"""`./dev demo`: the main job on the real files in `examples/`, through the API as a client would.

Every step is seen to work or the demo fails: an answer that is no success, a callback that does
not come, that reports a failure, is badly signed or differs from what was stored, and a ranking
that contradicts the labels (Spearman under 0.8).
"""

import json
import secrets
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from standardwebhooks import Webhook, WebhookVerificationError

from devstack import console, demo_report
from devstack.client import Client, received
from devstack.errors import StackError
from devstack.paths import DEV_DIR, EXAMPLES
from devstack.stack import Stack
from devstack.vacancies import Vacancy, load

LEAST_AGREEMENT = 0.8
STANDIN_WAIT_SECONDS = 90.0
# A real model thinks for seconds, and its limits may make us wait.
REAL_WAIT_SECONDS = 900.0
STORED_WAIT_SECONDS = 20.0


def main(arguments: Sequence[str]) -> int:
    if arguments:
        print("dev: demo takes no arguments.", file=sys.stderr)
        return 2
    began = time.monotonic()
    vacancies = load(EXAMPLES)
    console.say("starting the system")
    stack = Stack(directory=DEV_DIR / "demo", report=console.say, progress=console.say)
    with stack:
        console.show_choices(stack)
        failures = Demo(stack, vacancies).run()
    if failures:
        print("\n".join(f"dev: {failure}" for failure in failures), file=sys.stderr)
        return 1
    console.say(f"every step was seen to work; {time.monotonic() - began:.0f} s in all")
    return 0


class Demo:
    def __init__(self, stack: Stack, vacancies: list[Vacancy]) -> None:
        self._info = stack.info
        self._master = stack.environment.values["WEBHOOK_SECRET"].split()[0]
        real = stack.environment.outside.openai
        self._wait_seconds = REAL_WAIT_SECONDS if real else STANDIN_WAIT_SECONDS
        self._vacancies = vacancies
        self._candidates = [each for vacancy in vacancies for each in vacancy.candidates]
        self._client = Client(self._info["api"])
        self._callback_path = f"/callbacks/{secrets.token_hex(4)}"

    def run(self) -> list[str]:
        """What contradicts the labels; everything else that goes wrong raises StackError."""
        self._sign_in()
        with _progress() as progress:
            self._upload(progress)
            self._start()
            callbacks = self._await_callbacks(progress)
        self._read_stored()
        sample = self._check_callbacks(callbacks)
        seconds = [
            callbacks[candidate.processing_id]["received_at"] - candidate.started_at
            for candidate in self._candidates
        ]
        demo_report.show_callback(sample)
        for vacancy in self._vacancies:
            demo_report.show_vacancy(vacancy)
        console.say(
            f"one judgement took {statistics.median(seconds):.2f} s at the median, from "
            f"start_processing to its callback ({len(seconds)} at once, "
            f"{max(seconds):.2f} s for the slowest)"
        )
        return [
            f"the ranking for «{vacancy.title}» contradicts the labels: Spearman "
            f"{vacancy.agreement():.2f}, at least {LEAST_AGREEMENT} is expected."
            for vacancy in self._vacancies
            if vacancy.agreement() < LEAST_AGREEMENT
        ]

    def _sign_in(self) -> None:
        username = f"recruiter-{secrets.token_hex(4)}@example.com"
        password = secrets.token_urlsafe(16)
        self._client.register(username=username, password=password, full_name="Demo Recruiter")
        self._client.login(username=username, password=password)
        console.say(f"registered and logged in as {username}")

    def _upload(self, progress: Progress) -> None:
        total = len(self._vacancies) + len(self._candidates)
        task = progress.add_task("uploading files", total=total)
        for vacancy in self._vacancies:
            vacancy.requirements_id = self._client.upload_requirements(vacancy.file)
            progress.advance(task)
            for candidate in vacancy.candidates:
                candidate.resume_id = self._client.upload_resume(candidate.file)
                progress.advance(task)

    def _start(self) -> None:
        for vacancy in self._vacancies:
            for candidate in vacancy.candidates:
                candidate.started_at = time.time()
                candidate.processing_id = self._client.start_processing(
                    requirements_id=vacancy.requirements_id,
                    resume_id=candidate.resume_id,
                    callback_url=self._info["callback_sink"] + self._callback_path,
                )

    def _await_callbacks(self, progress: Progress) -> dict[int, dict[str, Any]]:
        """The first callback of each processing; raises on one that reports a failure."""
        total = len(self._candidates)
        task = progress.add_task("judging resumes", total=total)
        deadline = time.monotonic() + self._wait_seconds
        arrived: dict[int, dict[str, Any]] = {}
        while len(arrived) < total:
            for record in received(self._info["callback_sink"], self._callback_path):
                body = json.loads(record["body"])
                if not body.get("success"):
                    raise StackError(f"a callback reports a failure: {record['body']}")
                arrived.setdefault(body["response"]["processing_id"], record)
            progress.update(task, completed=len(arrived))
            if time.monotonic() > deadline:
                raise StackError(
                    f"only {len(arrived)} of {total} callbacks came within "
                    f"{self._wait_seconds:.0f} s."
                )
            time.sleep(0.05)
        return arrived

    def _read_stored(self) -> None:
        for vacancy in self._vacancies:
            deadline = time.monotonic() + STORED_WAIT_SECONDS
            while True:
                items = self._client.ranked(vacancy.requirements_id)
                if len(items) == len(vacancy.candidates):
                    break
                if time.monotonic() > deadline:
                    raise StackError(
                        f"GET /get_processing_detail shows {len(items)} of "
                        f"{len(vacancy.candidates)} judgements for «{vacancy.title}»."
                    )
                time.sleep(0.05)
            by_id = {item["processing_id"]: item for item in items}
            for candidate in vacancy.candidates:
                candidate.judgement = by_id[candidate.processing_id]

    def _check_callbacks(self, callbacks: dict[int, dict[str, Any]]) -> dict[str, Any]:
        """Returns the best candidate's callback, checked like all the others."""
        own = self._client.webhook_secret()
        for candidate in self._candidates:
            record = callbacks[candidate.processing_id]
            for secret in (own, self._master):
                try:
                    Webhook(secret).verify(record["body"], record["headers"])
                except WebhookVerificationError as error:
                    raise StackError(f"a callback's signature is wrong: {error}") from error
            said = json.loads(record["body"])["response"]
            for key in ("resume_id", "requirements_id", "score", "verdict", "matches"):
                if said[key] != candidate.judgement[key]:
                    raise StackError(
                        f"processing {candidate.processing_id}: the callback says {key}="
                        f"{said[key]!r}, storage has {candidate.judgement[key]!r}."
                    )
        best = max(self._candidates, key=lambda each: float(each.judgement["score"]))
        return callbacks[best.processing_id]


def _progress() -> Progress:
    return Progress(
        TextColumn("         {task.description:<16}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=demo_report.screen(),
    )
