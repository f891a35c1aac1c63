"""10,000 messages that are none, between good ones, through one intake that never restarts."""

import json
import random
import uuid

import pytest
from confluent_kafka import Producer
from django.conf import settings

from kafka_bridge.contract import codec
from kafka_bridge.inbox.consumer import Intake
from kafka_bridge.inbox.store import POISON_ALARM_AFTER
from kafka_bridge.models import DeadLetter, InboxMessage, MessageTask
from resume_platform.observability import metrics
from tests.db.kafka_bridge.conftest import resume
from tests.stack.kafka.tools import ids_of, produce, running, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

BAD, GOOD = 10_000, 1_000
GOOD_VALUE = {"resume_id": 1, "user_id": 2, "resume": "Python"}
KEY = b"new_resume"


def bad_message(rng: random.Random) -> tuple[bytes | None, bytes | None]:
    """A key and a value that are no event of `uploading_data`, never twice the same."""
    return rng.choice(BREAKERS)(rng)


def _random_bytes(rng):
    return KEY, b"\xff" + rng.randbytes(rng.randrange(200))


def _truncated(rng):
    whole = json.dumps(GOOD_VALUE | {"resume": "x" * rng.randrange(50)}).encode()
    return KEY, whole[: rng.randrange(len(whole))]


def _wrong_type(rng):
    field = rng.choice(["resume_id", "user_id", "resume"])
    wrong = rng.choice([None, True, [], {}, 1.5, -1, 0, 2**63, -(2**70), [1], {"a": 1}])
    if field == "resume_id":
        wrong = rng.choice([wrong, "7", "", 1e300])
    return KEY, json.dumps(GOOD_VALUE | {field: wrong}).encode()


def _no_object(rng):
    return KEY, json.dumps(rng.choice([[], 1, "x", None, True, [GOOD_VALUE], "{}"])).encode()


def _missing_field(rng):
    value = dict(GOOD_VALUE)
    del value[rng.choice(list(value))]
    return KEY, json.dumps(value).encode()


def _deep(rng):
    depth = rng.randrange(500, 50_000)
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}")])
    return KEY, b'{"resume_id":' + opening * depth + b"1" + closing * depth + b"}"


def _giant(rng):
    return KEY, b'{"resume_id": "' + b"9" * rng.randrange(1_000, 60_000) + b'"}'


def _giant_number(rng):
    digits = b"9" * rng.randrange(20, 10_000)
    return KEY, b'{"resume_id": ' + digits + b', "user_id": 1, "resume": ""}'


def _wrong_key(rng):
    key = rng.choice(
        [b"", b"new_request", b"NEW_RESUME", b"\xff\xfe", rng.randbytes(8), b"k" * 5_000, b"\x00"]
    )
    return key, json.dumps(GOOD_VALUE).encode()


def _no_key(rng):
    return None, json.dumps(GOOD_VALUE).encode()


def _no_value(rng):
    return rng.choice([KEY, None]), None


def _bad_utf8_and_surrogates(rng):
    text = rng.choice(
        [b"\xed\xa0\x80", b"\xc0\xaf", b"\xf8\x88\x80\x80\x80", b'\\ud800"x', b"\x00"]
    )
    return KEY, b'{"resume_id": 1, "user_id": 2, "resume": "' + text + b'"}'


BREAKERS = [
    _random_bytes, _truncated, _wrong_type, _no_object, _missing_field, _deep, _giant,
    _giant_number, _wrong_key, _no_key, _no_value, _bad_utf8_and_surrogates,
]  # fmt: skip


def odd_headers(rng: random.Random) -> list[tuple[str, bytes | None]]:
    return [
        (rng.choice(["event_id", "traceparent", "x" * 500, "Ёж", ""]), value)
        for value in rng.sample([b"", b"\x00", b"\xff" * 300, None, uuid.uuid4().bytes], 2)
    ]


@pytest.mark.slow
def test_every_good_one_is_taken_every_bad_one_is_a_dead_letter_and_nothing_restarts(
    own_topics, handlers
):
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    rng = random.Random(seed)
    plan = [True] * GOOD + [False] * BAD
    rng.shuffle(plan)
    topic = own_topics["uploading_data"]
    producer = Producer({"bootstrap.servers": settings.KAFKA_BOOTSTRAP_SERVERS, "linger.ms": 50})
    sent_bad: list[tuple[bytes | None, bytes | None]] = []
    good = 0
    with running(Intake) as stopped:
        for n, is_good in enumerate(plan):
            if is_good:
                good += 1
                key, value = KEY, codec.encode(resume(good))
            else:
                key, value = bad_message(rng)
                sent_bad.append((key, value))
            # Any moment that fits: a neighbour's clock may be wrong.
            producer.produce(
                topic, value, key, partition=n % 4, headers=odd_headers(rng), timestamp=1 + n
            )
            producer.poll(0)
            # The embedded broker keeps 5 MB of each partition: it is not to run ahead.
            if n % 200 == 0:
                assert producer.flush(30) == 0
                wait_until(lambda n=n: InboxMessage.objects.count() > n - 200, seconds=60)
                assert not stopped.is_set()
        assert producer.flush(30) == 0
        wait_until(lambda: InboxMessage.objects.count() == GOOD + BAD, seconds=120)

    taken = InboxMessage.objects.filter(tasks__isnull=False).values_list("value", flat=True)
    assert ids_of(taken) == list(range(1, GOOD + 1))
    assert MessageTask.objects.count() == GOOD
    letters = [
        (bytes(k) if k is not None else None, bytes(v) if v is not None else None)
        for k, v in DeadLetter.objects.values_list("key", "value")
    ]
    assert sorted(letters, key=repr) == sorted(sent_bad, key=repr)
    assert set(DeadLetter.objects.values_list("reason", flat=True)) == {
        "not_json",
        "invalid",
        "unknown_key",
    }


def test_a_run_of_nothing_but_poison_raises_an_alarm_and_stops_nothing(own_topics, handlers):
    before = metrics.INBOX_POISON_ALARMS._value.get()
    poison = [(b"new_resume", b"?")] * (POISON_ALARM_AFTER + 1)
    with running(Intake):
        produce(own_topics["uploading_data"], *poison)
        wait_until(lambda: InboxMessage.objects.count() == len(poison))
        wait_until(lambda: metrics.INBOX_POISON_ALARMS._value.get() == before + 1)
        assert metrics.INBOX_POISON_RUN._value.get() == len(poison)
        produce(own_topics["uploading_data"], (b"new_resume", codec.encode(resume(1))))
        wait_until(MessageTask.objects.exists)
        wait_until(lambda: metrics.INBOX_POISON_RUN._value.get() == 0)
