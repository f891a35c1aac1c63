"""An erased user's words are nowhere, whatever state their work was in, and never come back."""

import json
import signal
import uuid

import pytest

from devstack.stack import Stack
from tests.db.apps.notifications.receiver import Receiver, says
from tests.stack.system.client import REQUIREMENTS, RESUME, ApiClient, wait_for
from tests.stack.system.search import keys_with, rows_of, rows_with
from tests.support.commands import manage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
UNFINISHED = "SELECT 1 FROM kafka_bridge_messagetask WHERE state IN ('pending', 'leased') LIMIT 1"
ERASED = (
    "SELECT count(*) FROM kafka_bridge_messagetask t JOIN kafka_bridge_inboxmessage m"
    " ON m.id = t.message_id WHERE m.key = 'erase_user' AND t.state = 'done' AND m.user_id = %s"
)
LEASED = (
    "SELECT 1 FROM kafka_bridge_messagetask t JOIN kafka_bridge_inboxmessage m"
    " ON m.id = t.message_id WHERE t.name = 'ai.analyze' AND t.state = 'leased' AND m.user_id = %s"
)


class Person:
    """A user all of whose texts, names and addresses hold one word."""

    def __init__(self, stack: Stack, produce) -> None:
        self.word = f"zq{uuid.uuid4().hex[:10]}"
        self.client = ApiClient(stack.info, username=f"{self.word}@example.com")
        self.id = self.client.user_id
        self._stack, self._produce = stack, produce

    def texts(self) -> dict[str, int]:
        return self.client.upload(
            resume=f"{RESUME}\nPython, {self.word}, {uuid.uuid4().hex}",
            requirements=f"{REQUIREMENTS}- {self.word} {uuid.uuid4().hex}\n",
        )

    def start(self, url: str | None = None):
        url = url or f"{self._stack.info['callback_sink']}/hook/{self.word}/{uuid.uuid4().hex}"
        processing = self.client.post("/start_processing", {**self.texts(), "callback_url": url})
        return processing["processing_id"]

    def tell(self, topic: str, key: str, **changes) -> None:
        """As a foreign service would, of this person."""
        value = {"user_id": self.id, **changes}
        self._produce(topic, key.encode(), json.dumps(value).encode())

    def tell_of_everything(self, first_id: int) -> None:
        ids = {"processing_id": first_id, "resume_id": first_id, "requirements_id": first_id}
        word, url = self.word, f"{self._stack.info['callback_sink']}/late/{self.word}"
        result = {"score": 1, "matches": [word], "recommendation": word, "verdict": word}
        result |= {"details": {"note": word}}
        created = "2026-01-01T00:00:00Z"
        self.tell("uploading_data", "new_user", username=word, full_name=word, created_at=created)
        self.tell("uploading_data", "new_resume", resume_id=first_id, resume=word)
        self.tell("uploading_data", "new_requirements", requirements_id=first_id, requirements=word)
        texts = {"callback_url": url, "resume": word, "requirements": word}
        self.tell("AI_handler", "new_request", **ids, **texts)
        self.tell("uploading_data", "new_processing", **ids, **result)
        for topic, key in (("sending", "new_sending"), ("notifications", "new_notifications")):
            response = {"user_id": self.id, "callback_url": url, **ids, **result}
            told = {"success": True, "response": response, "message_error": None}
            self._produce(topic, key.encode(), json.dumps(told).encode())
        self._produce(
            "uploading_data", b"new_resume", f'{{"user_id": {self.id}, "resume": "{word}'.encode()
        )


@pytest.fixture
def person(stack, ai, produce) -> Person:
    stack.wait_ready(timeout=60)
    return Person(stack, produce)


def in_every_state(person: Person, other: ApiClient, ai, query) -> Receiver:
    """Work of the person that is done, failed, dead, undelivered, waiting and under way."""
    echo = Receiver(says(200, f"thank you, {person.word}".encode()))
    delivered = person.start(f"http://127.0.0.1:{echo.port}/{person.word}")
    state = "SELECT 1 FROM notifications_callback WHERE processing_id = %s AND state = %s"
    wait_for(lambda: query(state, delivered, "delivered"))
    dead = person.start(f"http://127.0.0.1:1/{person.word}")
    wait_for(lambda: query(state, dead, "failed"))
    ai(fail=[{"status": 401, "times": 1}])
    failed = person.start()
    wait_for(lambda: query(state, failed, "delivered"))

    # Dead letters: what cannot be read, and what claims another user's row.
    theirs = other.upload()["resume_id"]
    wait_for(lambda: query("SELECT 1 FROM storage_storedresume WHERE resume_id = %s", theirs))
    person.tell("uploading_data", "new_resume", resume_id=theirs, resume=person.word)
    person.tell("uploading_data", "new_resume", resume=person.word)
    letters = "SELECT 1 FROM kafka_bridge_deadletter WHERE user_id = %s"
    wait_for(lambda: len(query(letters, person.id)) == 3)

    # What was read is cached.
    for path in ("/get_processing_detail", "/get_requirements", "/me"):
        assert person.word in person.client.get(path).text
    return echo


@pytest.mark.slow
def test_nothing_of_an_erased_user_is_left_and_nothing_brings_it_back(
    stack, person, ai, query, queue, produce
):
    other = ApiClient(stack.info)
    other.judge().callback()
    echo = in_every_state(person, other, ai, query)
    wait_for(lambda: not query(UNFINISHED))
    theirs = rows_of(query, other.user_id)
    assert rows_with(query, person.word)
    assert keys_with(queue, person.word)

    ai(reset=True, fail=[{"status": 503, "times": 1}])
    waiting = person.start()
    retried = "SELECT 1 FROM kafka_bridge_messagetask WHERE state = 'pending' AND attempts > 0"
    wait_for(lambda: query(retried))
    ai(reset=True, delay=2)
    under_way = person.start()
    wait_for(lambda: query(LEASED, person.id))
    stack.kill("bridge", signal.SIGSTOP)  # so that what follows stays in the outbox
    try:
        person.texts()
        assert query("SELECT 1 FROM kafka_bridge_outboxmessage WHERE partition_key = %s", person.id)
        printed = manage(stack, "erase_user", person.client.username, "--dry-run")
        assert f"would erase user {person.id}" in printed
        assert query("SELECT username FROM accounts_user WHERE id = %s", person.id) == [
            (person.client.username,)
        ]
        manage(stack, "erase_user", person.client.username, "--yes")
        assert person.client.get("/me").status_code == 401
        account = {"username": person.client.username, "password": person.client.password}
        person.client.post("/auth/login", account, 401)
    finally:
        stack.kill("bridge", signal.SIGCONT)

    wait_for(lambda: query(ERASED, person.id) == [(6,)], 90)
    wait_for(lambda: not query(UNFINISHED))
    assert rows_with(query, person.word) == []
    assert keys_with(queue, person.word) == []
    counts = manage(stack, "erase_user", str(person.id), "--dry-run").splitlines()[:-1]
    assert [line.split()[0] for line in counts] == ["0"] * len(counts)
    assert rows_of(query, other.user_id) == theirs
    state = "SELECT state FROM notifications_callback WHERE processing_id = ANY(%s)"
    assert set(query(state, [waiting, under_way])) == {("cancelled",)}
    figures = "SELECT score, input_tokens > 0 FROM ai_analysis WHERE user_id = %s AND score > 0"
    assert query(figures, person.id)[0][1] is True

    # What comes late, again, or from Kafka's own memory.
    known = "SELECT count(*) FROM kafka_bridge_inboxmessage WHERE user_id = %s"
    [(before,)] = query(known, person.id)
    asked, called = ai()["counters"].get("requests", 0), len(echo.requests)
    person.tell_of_everything(first_id=800_000_000 + person.id)
    person.tell("uploading_data", "erase_user")
    wait_for(lambda: query(known, person.id) == [(before + 9,)])
    wait_for(lambda: query(ERASED, person.id) == [(12,)])
    for source in ("--kafka", "--inbox", "--dead-letters"):
        manage(stack, "replay", source, "--handlers", "all")
        wait_for(lambda: not query(UNFINISHED))
    assert rows_with(query, person.word) == []
    assert keys_with(queue, person.word) == []
    assert ai()["counters"].get("requests", 0) == asked
    assert len(echo.requests) == called
    echo.close()
