"""Dead letters: what happened, what to do, a replay; texts only for whoever may see them."""

import ast
import base64
import json
import pathlib
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import translation

from kafka_bridge.contract.codec import encode
from kafka_bridge.contract.events import EVENTS
from kafka_bridge.dead_letters import payload_view
from kafka_bridge.dead_letters.remediation import _BY_SOURCE, OBSTACLES, REASONS, advice_for
from kafka_bridge.models import DeadLetter, InboxMessage, MessageTask
from staff.groups import OPERATORS, REVIEWERS
from tests.db.apps.storage import factories as f

pytestmark = pytest.mark.django_db
PAGE = "/admin/kafka_bridge/deadletter/"
MARKER = "Тайна-4711"


def client_of(group: str, *permissions: str) -> Client:
    user = get_user_model().objects.create(username="somebody@example.com", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def buried(event: Any = None, **changes: Any) -> DeadLetter:
    """What a handler gave up, with its message and its row."""
    event = event or f.NewRequestFactory(resume=MARKER)
    message = InboxMessage.objects.create(
        cluster_id="c", epoch=0, topic=event.topic, partition=3,
        offset=InboxMessage.objects.count(), key=event.key, value=encode(event),
        content_hash=b"", occurred_at=f.EPOCH,
    )  # fmt: skip
    task = MessageTask.objects.create(
        message=message, name="ai.analyze", state="dead", attempts=8, crashes_alone=2
    )
    values = {
        "source": "handler", "reason": "exhausted", "detail": "provider_unavailable",
        "topic": event.topic, "partition": 3, "offset": message.offset, "key": event.key.encode(),
        "value": encode(event), "occurred_at": f.EPOCH, "task": task,
    }  # fmt: skip
    return DeadLetter.objects.create(**values | changes)


def page_of(client: Client, letter: DeadLetter) -> str:
    return client.get(f"{PAGE}{letter.pk}/change/").content.decode()


# --- advice ---------------------------------------------------------------------------------------


def reasons_in_the_code() -> set[str]:
    """The constant words that become a dead letter's reason, wherever the code writes them."""
    found: set[str] = set()
    root = pathlib.Path(settings.BASE_DIR)
    for path in [*root.glob("apps/**/*.py"), *root.glob("kafka_bridge/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            is_final = any(
                word.arg == "permanent" and getattr(word.value, "value", False) is True
                for word in node.keywords
            )
            if name in ("Permanent", "Undecodable") or (name == "TransportError" and is_final):
                found |= _words(node.args[:1])
            elif name == "_insert_dead_letter":
                found |= _words(node.args[1:2])
            elif name in ("DeadLetter", "dead_letter"):
                found |= _words([word.value for word in node.keywords if word.arg == "reason"])
    execution = ast.parse((root / "kafka_bridge/tasks/execution.py").read_text(encoding="utf-8"))
    for node in ast.walk(execution):  # `reason, detail = "unexpected", …` in `_dead_letter`
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            assert isinstance(node.value, ast.Tuple)
            names = [getattr(target, "id", "") for target in node.targets[0].elts]
            if "reason" in names:
                found |= _words([node.value.elts[names.index("reason")]])
    return found


def _words(nodes: list[Any]) -> set[str]:
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_reason_in_the_code_has_its_cause_and_its_advice_in_both_languages() -> None:
    found = reasons_in_the_code()
    # The search itself must see each of the forms.
    assert found >= {"owner_conflict", "not_json", "crashed", "unexpected", "exhausted",
                     "unstorable", "forbidden_address"}  # fmt: skip
    assert not found - set(REASONS)
    for advice in [*REASONS.values(), *OBSTACLES.values(), *_BY_SOURCE.values()]:
        for sentence in (advice.cause, advice.what_to_do):
            with translation.override("ru"):
                assert any("а" <= letter <= "я" for letter in str(sentence).lower()), sentence


@pytest.mark.parametrize(
    ("source", "reason", "key"),
    [
        ("handler", "status_301", "status_3"),
        ("handler", "status_410", "status_410"),
        ("handler", "status_404", "status_4"),
        ("handler", "status_600", "status_"),
        ("outbox", "MSG_SIZE_TOO_LARGE", "MSG_SIZE_TOO_LARGE"),
        ("outbox", "_INVALID_ARG", "INVALID_ARG"),
    ],
)
def test_reasons_that_name_an_answer_or_an_error_find_their_row(
    source: str, reason: str, key: str
) -> None:
    assert advice_for(source=source, reason=reason) == REASONS[key]


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("timeout", OBSTACLES["timeout"]),
        ("status_503", OBSTACLES["status_5"]),
        ("status_429", OBSTACLES["status_4"]),
        ("something new", REASONS["exhausted"]),
        ("DataError at apps/storage/projection/upserts.py:88", REASONS["unexpected"]),
    ],
)
def test_what_was_tried_in_vain_has_the_advice_of_what_stood_in_the_way(
    detail: str, expected: Any
) -> None:
    assert advice_for(source="handler", reason="exhausted", detail=detail) == expected


def test_every_obstacle_to_a_callback_has_advice() -> None:
    root = pathlib.Path(settings.BASE_DIR)
    tree = ast.parse(
        (root / "apps/notifications/delivery/transport.py").read_text(encoding="utf-8")
    )
    [reason_of] = [
        node for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "_reason"
    ]  # fmt: skip
    words = _words([node.value for node in ast.walk(reason_of) if isinstance(node, ast.Return)])
    assert words
    assert not words - set(OBSTACLES)


def test_a_reason_of_tomorrow_has_the_advice_of_its_source() -> None:
    for source in DeadLetter.Source.values:
        assert advice_for(source=source, reason="brand_new") == _BY_SOURCE[source]


# --- the payload ----------------------------------------------------------------------------------


def full_events() -> list[Any]:
    """One of each event that carries words of somebody's, each of them the marker."""
    url = f"https://client.example/{MARKER}?token={MARKER}"
    details = {"criteria": [{"name": MARKER, "evidence": [{"quote": MARKER, "start": 1}]}],
               "flags": [{"kind": MARKER, "text": MARKER}], MARKER: MARKER}  # fmt: skip
    response = f.SendingResponseFactory(
        callback_url=url, matches=[MARKER], recommendation=MARKER, verdict=MARKER, details=details
    )
    return [
        f.NewUserFactory(username=f"{MARKER}@example.com", full_name=MARKER),
        f.NewResumeFactory(resume=MARKER),
        f.NewRequirementsFactory(requirements=MARKER),
        f.NewRequestFactory(callback_url=url, resume=MARKER, requirements=MARKER),
        f.NewProcessingFactory(matches=[MARKER], recommendation=MARKER, verdict=MARKER,
                               details=details),
        f.NewSendingFactory(response=response, message_error=MARKER),
        f.NewNotificationsFactory(response=response, message_error=MARKER),
        f.DeleteProcessingFactory(),
        f.DeleteRequirementsFactory(),
    ]  # fmt: skip


def test_no_word_of_any_event_is_shown_without_the_permission_and_all_with_it() -> None:
    events = full_events()
    known = {event.key for event in EVENTS}
    assert known - {event.key for event in events} <= {"erase_user"}
    for event in events:
        masked = payload_view.payload(encode(event), with_texts=False)
        assert MARKER not in masked.text
        assert "token" not in masked.text
        shown = json.loads(masked.text)
        assert shown.get("user_id", shown.get("response", {}).get("user_id")) == 1
        whole = payload_view.payload(encode(event), with_texts=True)
        assert json.loads(whole.text) == json.loads(encode(event))
        assert masked.is_masked == (MARKER in whole.text or event.key == "new_user")
        assert not whole.is_masked


@pytest.mark.parametrize(
    "value",
    [MARKER.encode(), b"[" + json.dumps(MARKER).encode() + b"]", json.dumps(MARKER).encode(),
     b"{" + MARKER.encode(), MARKER.encode("cp1251"), b"[" * 100_000],
)  # fmt: skip
def test_bytes_that_are_no_event_are_a_size_or_for_the_permitted_their_beginning(
    value: bytes,
) -> None:
    masked = payload_view.payload(value, with_texts=False)
    assert masked.is_masked
    assert masked.text == f"▒ {len(value)} bytes"
    shown = payload_view.payload(value, with_texts=True).text
    assert value[:16].hex(" ") in shown
    assert len(shown) < 5000


def test_numbers_and_names_under_which_a_text_could_hide_are_masked() -> None:
    value = json.dumps({"score": 5, "phone": 79161234567, f"{MARKER} x": 1, "resume_id": MARKER})
    shown = json.loads(payload_view.payload(value.encode(), with_texts=False).text)
    assert shown.pop("score") == 5
    assert all(str(part).startswith("▒") for part in (shown["phone"], shown["resume_id"]))
    assert MARKER not in repr(shown)


# --- the page -------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", [REVIEWERS, OPERATORS])
def test_the_page_tells_cause_place_attempts_and_what_to_do_with_the_texts_masked(
    group: str,
) -> None:
    letter = buried(headers=[["event_id", base64.b64encode(b"abc").decode()],
                             ["note", base64.b64encode(MARKER.encode()).decode()]])  # fmt: skip
    page = page_of(client_of(group), letter)
    advice = REASONS["exhausted"]
    for expected in (str(advice.cause), str(advice.what_to_do), "provider_unavailable",
                     "AI_handler [3] @ 0", "ai.analyze", "8; crashes while alone: 2",
                     "https://client.example/…", "new_request", "abc",
                     "/admin/storage/storedprocessing/?q=20"):  # fmt: skip
        assert expected in page, expected
    assert MARKER not in page
    assert "Texts are masked" in page


def test_who_may_see_payloads_sees_the_texts() -> None:
    page = page_of(client_of(OPERATORS, "view_payload"), buried())
    assert MARKER in page
    assert "Texts are masked" not in page


def test_the_list_shows_no_payload_and_asks_few_questions(
    django_assert_max_num_queries: Any,
) -> None:
    client = client_of(OPERATORS, "view_payload")
    for _ in range(30):
        buried()
    with django_assert_max_num_queries(12):
        page = client.get(PAGE).content.decode()
    assert MARKER not in page
    assert page.count("AI_handler [3]") == 30


def test_one_or_many_are_replayed_once_and_the_rest_is_left_with_its_reason() -> None:
    client = client_of(OPERATORS)
    letters = [buried(), buried()]
    unreadable = DeadLetter.objects.create(
        source="intake", reason="not_json", topic="AI_handler", partition=0, offset=9,
        key=b"new_request", value=b"no json",
    )  # fmt: skip
    ids = [str(letter.pk) for letter in (*letters, unreadable)]
    page = client.post(PAGE, {"action": "replay", "_selected_action": ids}, follow=True)
    text = page.content.decode()
    assert "2 dead letters will be tried again." in text
    assert "1 was left as it is. It still cannot be read as an event." in text
    assert set(MessageTask.objects.values_list("state", "replays")) == {("pending", 1)}
    logged = LogEntry.objects.order_by("pk").values_list("object_id", "change_message")
    assert list(logged) == [(str(letter.pk), "Replayed it.") for letter in letters]

    one = f"{PAGE}{letters[0].pk}/action/replay/"
    assert one not in page_of(client, letters[0]), "it was replayed"
    again = client.post(one, follow=True).content.decode()
    assert "It was replayed before." in again
    assert LogEntry.objects.count() == 2


def test_a_reviewer_sees_no_replay_and_is_refused() -> None:
    client, letter = client_of(REVIEWERS), buried()
    one = f"{PAGE}{letter.pk}/action/replay/"
    assert one not in page_of(client, letter)
    assert 'value="replay"' not in client.get(PAGE).content.decode()
    form = {"action": "replay", "_selected_action": [str(letter.pk)]}
    assert client.post(PAGE, form).status_code == 403
    assert client.get(one).status_code == client.post(one).status_code == 403
    letter.refresh_from_db()
    assert letter.replayed_at is None


def test_those_that_wait_are_found_by_filter_and_search() -> None:
    client, waits, done = client_of(REVIEWERS), buried(), buried(replayed_at=f.EPOCH)
    page = client.get(PAGE, {"replayed": "no"}).content.decode()
    assert f"{PAGE}{waits.pk}/change/" in page
    assert f"{PAGE}{done.pk}/change/" not in page
    assert f"{PAGE}{done.pk}/change/" in client.get(PAGE, {"q": "exhausted"}).content.decode()
