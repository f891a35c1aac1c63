"""A batch of events reduced to one row per key: a pure join, so order and repetition do not matter.

`upserts.py` joins these rows with the stored ones by the same rules:
- `create_at` is the earliest timestamp, and the ids that a processing refers to are of that event;
- of texts, and of users, the later timestamp wins, then the hash of the content;
- of results the higher run wins, then the timestamp, then the hash; of requests likewise.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from apps.storage.models import Status, Tombstone
from kafka_bridge.contract.events import (
    DeleteProcessing,
    DeleteRequirements,
    Event,
    NewProcessing,
    NewRequest,
    NewRequirements,
    NewResume,
    NewUser,
    ResultEvent,
)
from kafka_bridge.tasks import Permanent, Received

Row = dict[str, Any]
ProcessingEvent = NewRequest | NewProcessing | ResultEvent
T = TypeVar("T")

KIND = Tombstone.Kind
TEXTS: dict[str, type[Event]] = {"resume": NewResume, "requirements": NewRequirements}
NO_RESULT: Row = {
    "status": Status.QUEUED,
    "run": None,
    "result_at": None,
    "result_hash": "",
    "score": None,
    "verdict": None,
    "matches": None,
    "recommendation": None,
    "details": None,
    "message_error": None,
    "wait_seconds": None,
}
NO_REQUEST: Row = {"requested_run": None, "requested_at": None, "callback_url": ""}
NO_TEXT: Row = {"text": "", "text_at": None, "text_hash": ""}


@dataclass(frozen=True)
class Grave:
    """A tombstone as a value, ordered for locking and inserting."""

    kind: str
    target_id: int
    user_id: int


def content_hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def graves(batch: Iterable[Received]) -> set[Grave]:
    found = set()
    for received in batch:
        event = received.event
        if isinstance(event, DeleteProcessing):
            found |= {Grave(KIND.PROCESSING, id_, event.user_id) for id_ in event.processing_ids}
            found |= {Grave(KIND.RESUME, id_, event.user_id) for id_ in event.resume_ids}
        elif isinstance(event, DeleteRequirements):
            found |= {Grave(KIND.PROCESSING, id_, event.user_id) for id_ in event.processings_ids}
            found |= {
                Grave(KIND.REQUIREMENTS, id_, event.user_id) for id_ in event.requirements_ids
            }
    return found


def users(batch: Iterable[Received]) -> list[Row]:
    rows = []
    for received in batch:
        if isinstance(received.event, NewUser):
            row = received.event.model_dump(mode="json")
            row |= {"event_at": received.occurred_at, "event_hash": content_hash(row)}
            rows.append(row)
    return [
        max(same, key=lambda row: (row["event_at"], row["event_hash"]))
        for same in _grouped(rows, lambda row: row["user_id"])
    ]


def texts(kind: str, batch: Iterable[Received], dead: set[Grave]) -> list[Row]:
    """Those of a kind of TEXTS; `dead` are the tombstones that stand: what they hide keeps its
    claim alone.
    """
    rows = [
        _text_row(kind, received.event, received.occurred_at)
        for received in batch
        if isinstance(received.event, TEXTS[kind])
    ]
    id_name = f"{kind}_id"
    return [
        row | NO_TEXT | {"deleted": True}
        if Grave(kind, row[id_name], row["user_id"]) in dead
        else row
        for row in (
            max(same, key=lambda row: (row["text_at"], row["text_hash"]))
            | {"create_at": min(row["create_at"] for row in same)}
            for same in _grouped(rows, lambda row: (row[id_name], row["user_id"]))
        )
    ]


def processings(batch: Iterable[Received], dead: set[Grave]) -> list[Row]:
    events = [
        (received.occurred_at, _subject(received.event), received.event)
        for received in batch
        if isinstance(received.event, ProcessingEvent)
    ]
    rows = []
    for same in _grouped(events, lambda item: (item[1].processing_id, item[1].user_id)):
        created, origin, _ = min(
            same, key=lambda item: (item[0], item[1].requirements_id, item[1].resume_id)
        )
        row: Row = {
            "processing_id": origin.processing_id,
            "user_id": origin.user_id,
            "resume_id": origin.resume_id,
            "requirements_id": origin.requirements_id,
            "create_at": created,
        }
        is_dead = (
            Grave(KIND.PROCESSING, origin.processing_id, origin.user_id) in dead
            or Grave(KIND.REQUIREMENTS, origin.requirements_id, origin.user_id) in dead
        )
        if is_dead:
            rows.append(row | NO_RESULT | NO_REQUEST | {"status": Status.DELETED})
            continue
        requests = [_request(event, at) for at, _, event in same if isinstance(event, NewRequest)]
        results = [_result(event, at) for at, _, event in same if not isinstance(event, NewRequest)]
        row |= max(
            requests,
            key=lambda it: (it["requested_run"], it["requested_at"], it["callback_url"]),
            default=NO_REQUEST,
        )
        row |= max(
            results,
            key=lambda it: (it["run"], it["result_at"], it["result_hash"]),
            default=NO_RESULT,
        )
        rows.append(row)
    return rows


def graves_over(batch: Iterable[Received]) -> set[Grave]:
    """Every tombstone that would hide something of the batch."""
    found = set()
    for received in batch:
        event = received.event
        if isinstance(event, NewResume):
            found.add(Grave(KIND.RESUME, event.resume_id, event.user_id))
        elif isinstance(event, NewRequirements):
            found.add(Grave(KIND.REQUIREMENTS, event.requirements_id, event.user_id))
        elif isinstance(event, ProcessingEvent):
            subject = _subject(event)
            found.add(Grave(KIND.PROCESSING, subject.processing_id, subject.user_id))
            found.add(Grave(KIND.REQUIREMENTS, subject.requirements_id, subject.user_id))
    return found


def _subject(event: Any) -> Any:
    """Where an event carries the ids of its processing."""
    return event.response if isinstance(event, ResultEvent) else event


def _request(event: NewRequest, at: datetime) -> Row:
    return {"requested_run": event.run, "requested_at": at, "callback_url": event.callback_url}


def _result(event: NewProcessing | ResultEvent, at: datetime) -> Row:
    """The same judgement told by NewProcessing and by a ResultEvent gives the same content."""
    content = NO_RESULT | {"run": event.run}
    if isinstance(event, ResultEvent) and not event.success:
        content |= {
            "status": Status.FAILED,
            "message_error": event.message_error or "",
            "wait_seconds": event.wait_seconds,
        }
    else:
        judged = _subject(event)
        if judged.score is None:
            raise Permanent("success_without_score")
        content |= {
            "status": Status.FINISHED,
            "score": judged.score,
            "verdict": judged.verdict or "",
            "matches": judged.matches or [],
            "recommendation": judged.recommendation or "",
            "details": judged.details,
        }
    return content | {"result_hash": content_hash(content), "result_at": at}


def _text_row(kind: str, event: Any, at: datetime) -> Row:
    text = getattr(event, kind)
    return {
        f"{kind}_id": getattr(event, f"{kind}_id"),
        "user_id": event.user_id,
        "create_at": at,
        "text": text,
        "text_at": at,
        "text_hash": content_hash(text),
        "deleted": False,
    }


def _grouped(items: Iterable[T], key: Callable[[T], Any]) -> list[list[T]]:
    """Groups in the order of their keys: every batch locks its rows in the same order."""
    groups: dict[Any, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return [groups[name] for name in sorted(groups)]
