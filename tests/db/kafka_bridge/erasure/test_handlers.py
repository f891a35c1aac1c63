"""Each app's erasure: what goes, what stays, what is under way, and what cuts it off."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
import redis
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from apps.ai.models import Analysis, Rubric
from apps.auth import services
from apps.auth.models import User
from apps.uploads import services as uploads
from apps.uploads.models import Processing, Resume
from kafka_bridge.contract import codec, erased_users
from kafka_bridge.contract.erased_users import UserErased
from kafka_bridge.contract.events import DeleteProcessing, EraseUser, NewRequest
from kafka_bridge.contract.routes import tasks_for
from kafka_bridge.dead_letters.replay import make_due, replay
from kafka_bridge.erasure import erase_user, personal_data
from kafka_bridge.models import DeadLetter, ErasedUser, InboxMessage, MessageTask, OutboxMessage
from kafka_bridge.tasks import RetryLater, handler, leases
from kafka_bridge.tasks.execution import run_each
from kafka_bridge.tasks.registry import load_handlers
from resume_platform.http.errors import ServiceUnavailable
from resume_platform.redis.cache import cache_for
from tests.db.apps.auth.factories import UserFactory
from tests.db.apps.uploads.factories import ProcessingFactory, RequirementsFactory, ResumeFactory
from tests.db.kafka_bridge.conftest import FakeMessage, message, request, resume, state

pytestmark = pytest.mark.django_db
OWNER, OTHER = 7, 8
Store = Callable[..., list[int]]


def erase(user_id: int = OWNER) -> None:
    """All apps, in the order in which they happen to be registered."""
    for part in erase_user.enabled_apps_data():
        erase_user._erase(part, user_id)


# --- what comes, and what is under way ------------------------------------------------------------


def test_nothing_of_an_erased_user_is_taken_in_and_others_are(store: Store, inbox: Any) -> None:
    erased_users.mark(OWNER)
    assert len(store(resume(1, OWNER), resume(2, OTHER))) == 1
    broken = FakeMessage(b'{"user_id": 7, "resume": "his', offset_no=9, header_list=[("x", b"his")])
    inbox.store([broken], cluster_id="cluster")
    kept = InboxMessage.objects.exclude(value=None).values_list("user_id", flat=True)
    assert list(kept) == [OTHER]
    assert InboxMessage.objects.count() == 3  # what comes again is known
    letter = DeadLetter.objects.get()
    assert (letter.value, letter.headers, letter.user_id) == (None, [], OWNER)
    assert not replay(letter)


def test_the_order_to_erase_is_taken_in_though_the_tombstone_stands(store: Store) -> None:
    erased_users.mark(OWNER)
    assert len(store(EraseUser(user_id=OWNER), task="storage.erase")) == 1


def test_the_outbox_refuses_an_erased_user_and_drops_what_waits() -> None:
    uploads.create_resume(user_id=OWNER, text="his")
    uploads.create_resume(user_id=OTHER, text="hers")
    erase_user.request(OWNER)
    rows = OutboxMessage.objects.order_by("pk").values_list("partition_key", "key")
    assert list(rows) == [(OTHER, "new_resume"), (OWNER, "erase_user")]
    with pytest.raises(UserErased):
        uploads.create_resume(user_id=OWNER, text="his")
    assert Resume.objects.filter(user_id=OWNER).count() == 1


def test_work_that_waits_is_ended_for_the_user_alone(store: Store) -> None:
    waiting, other = store(resume(1, OWNER), resume(2, OTHER))
    erase_user.cut_off(OWNER)
    assert (state(waiting), state(other)) == ("done", "pending")


def test_a_worker_in_the_middle_loses_its_lease_and_what_it_did(
    inbox: Any, handlers: dict[str, Any], transactional_db: None
) -> None:
    @handler("ai.analyze", NewRequest, queue="ai")
    def analyze(event: NewRequest, attempt: Any) -> None:
        erase_user.cut_off(event.user_id)  # meanwhile, by another worker
        with attempt.finish():
            UserFactory(username="effect@example.com")

    told = message(request(1), topic_name="AI_handler")
    [task] = inbox.store([told], cluster_id="cluster")["ai.analyze"]
    run_each(handlers["ai.analyze"], [task])
    assert not User.objects.filter(username="effect@example.com").exists()
    assert state(task) == "done"


def test_a_batch_with_rows_of_others_is_waited_for(store: Store) -> None:
    his, hers = store(resume(1, OWNER), resume(2, OTHER))
    claimed = leases.claim(name="storage.apply", ids=[his, hers])
    with pytest.raises(RetryLater, match="batch_under_way"):
        erase_user.cut_off(OWNER)
    leases.finish([his, hers], claimed[0].lease_token)  # raises LeaseLost if it was taken away
    erase_user.cut_off(OWNER)


def test_payloads_that_an_older_version_stored_are_found(store: Store) -> None:
    task, _ = store(resume(1, OWNER), resume(2, OTHER))
    DeadLetter.objects.create(source="intake", reason="invalid", topic="t",
                              value=b'{"response": {"user_id": 7')  # fmt: skip
    InboxMessage.objects.update(user_id=None)
    erase()
    assert state(task) == "done"
    assert [m.user_id for m in InboxMessage.objects.exclude(value=None)] == [OTHER]
    assert DeadLetter.objects.get().value is None


def test_a_dead_letter_of_an_erased_user_is_not_tried_again(store: Store) -> None:
    [task] = store(resume(1, OWNER))
    [row] = leases.claim(name="storage.apply", ids=[task])
    leases.dead_letter(task, row.lease_token, reason="owner_conflict", detail="")
    erase()
    assert not replay(DeadLetter.objects.get())
    assert not make_due(row.message_id, "storage.apply")
    assert state(task) == "dead"


# --- what each app empties ------------------------------------------------------------------------


def test_uploads_and_their_copies_go_and_the_rows_stay() -> None:
    his, hers = ResumeFactory(user_id=OWNER), ResumeFactory(user_id=OTHER)
    started = ProcessingFactory(
        user_id=OWNER, resume=his, requirements=RequirementsFactory(user_id=OWNER)
    )
    for row in (his, hers):
        cache_for("uploads").set(f"resume:{row.id}", {"text": row.text}, 60)
    counted = erase_user.counts(OWNER)
    assert counted["uploads.resumes"] == counted["uploads.requirements"] == 1
    erase()
    assert not any(erase_user.counts(OWNER).values())
    his.refresh_from_db()
    assert (his.text, his.deleted_at is None) == ("", False)
    assert Processing.objects.get(pk=started.pk).callback_url == ""
    assert Resume.objects.get(pk=hers.pk).text == hers.text != ""
    assert list(cache_for("uploads").get_many([f"resume:{his.id}", f"resume:{hers.id}"])) == [
        f"resume:{hers.id}"
    ]


def test_a_rubric_that_others_are_judged_by_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def rubric(key: str, **values: Any) -> Rubric:
        return Rubric.objects.create(
            key=key, requirements_hash=key, criteria=[{"text": key}], **values
        )

    shared, used, asked_for = rubric("shared"), rubric("used"), rubric("asked", user_id=OWNER)
    elsewhere = rubric("elsewhere", user_id=OTHER)
    for number, (user_id, by) in enumerate([(OWNER, shared), (OTHER, shared), (OWNER, used)]):
        Analysis.objects.create(
            processing_id=number, user_id=user_id, requirements_id=1, status="finished", rubric=by,
            result={"recommendation": "text"}, score=50, verdict="text", input_tokens=9,
        )  # fmt: skip
    erase()
    kept = Rubric.objects.exclude(criteria=None).order_by("pk")
    assert list(kept) == [shared, elsewhere]
    assert not Rubric.objects.filter(key__in=[used.key, asked_for.key]).exists()
    his = Analysis.objects.filter(user_id=OWNER).values_list(
        "status", "result", "verdict", "score", "input_tokens"
    )
    assert set(his) == {("forgotten", None, "", 50, 9)}
    assert Analysis.objects.get(user_id=OTHER).result == {"recommendation": "text"}


# --- cut off in the middle ------------------------------------------------------------------------


def test_without_redis_it_waits_and_then_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    ResumeFactory.create_batch(5, user_id=OWNER)
    part = erase_user.ERASED_BY_APP["uploads"]
    monkeypatch.setitem(personal_data.empty_of_user.__kwdefaults__, "batch_size", 2)
    forget, calls = personal_data._forget, []

    def broken(copies: Any, ids: Any) -> None:
        calls.append(ids)
        if len(calls) == 2:
            raise redis.ConnectionError
        forget(copies, ids)

    monkeypatch.setattr(personal_data, "_forget", broken)
    with pytest.raises(RetryLater, match="redis_away") as later:
        erase_user._erase(part, OWNER)
    assert not later.value.counted
    assert Resume.objects.filter(user_id=OWNER).exclude(text="").count() == 3
    erase_user._erase(part, OWNER)
    assert not Resume.objects.filter(user_id=OWNER).exclude(text="").exists()


def test_everything_is_looked_through_once_more(settings: Any) -> None:
    settings.ERASURE_SECOND_LOOK_SECONDS = 60
    part = erase_user.ERASED_BY_APP["uploads"]
    with pytest.raises(RetryLater, match="second_look") as later:
        erase_user._erase(part, OWNER)
    assert 50 < (later.value.seconds or 0) <= 60
    cache_for("uploads").set("resume:1", {"text": "late"}, 60)
    ResumeFactory(id=1, user_id=OWNER, text="")
    ErasedUser.objects.update(erased_at=timezone.now() - timedelta(seconds=61))
    erase_user._erase(part, OWNER)
    assert cache_for("uploads").get("resume:1") is None


# --- who asks -------------------------------------------------------------------------------------


def test_the_command_counts_asks_and_shuts_out(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = UserFactory(username="anna@example.com", full_name="Anna")
    ResumeFactory(user_id=user.id)
    call_command("erase_user", "Anna@Example.com", "--dry-run")
    printed = capsys.readouterr().out
    assert "1 uploads.resumes" in printed
    assert f"would erase user {user.id}" in printed
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("erase_user", str(user.id))
    assert not ErasedUser.objects.exists()
    monkeypatch.setattr("builtins.input", lambda _: str(user.id))
    call_command("erase_user", str(user.id))
    user.refresh_from_db()
    assert (user.is_active, user.full_name) == (False, None)
    assert user.username == f"erased-{user.id}@erased.invalid"
    assert OutboxMessage.objects.get().key == "erase_user"
    call_command("erase_user", str(user.id), "--yes")  # again: told again, which changes nothing
    with pytest.raises(CommandError, match="no account"):
        call_command("erase_user", "anna@example.com", "--yes")


def test_staff_erase_a_user_and_not_each_other(admin_client: Any) -> None:
    user, colleague = UserFactory(username="anna@example.com"), UserFactory(is_staff=True)
    form = {"action": "erase", "_selected_action": [user.id, colleague.id]}
    asked = admin_client.post("/admin/accounts/user/", form)
    assert "cannot be undone" in asked.content.decode()
    assert not ErasedUser.objects.exists()
    admin_client.post("/admin/accounts/user/", {**form, "confirmed": "yes"})
    assert list(ErasedUser.objects.values_list("user_id", flat=True)) == [user.id]
    erase(user.id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT object_id, object_repr, change_message FROM django_admin_log")
        assert cursor.fetchall() == [(str(user.id), "", "Had all data erased.")]
    colleague.refresh_from_db()
    assert colleague.is_active


@pytest.mark.parametrize(
    ("value", "owner"),
    [
        (codec.encode(resume(1, 42)), 42),
        (b'{"response": {"user_id": 42}}', 42),
        (b'{"user_id": "42"}', 42),
        (b'\xff{"resume": "x", "user_id" : 42', 42),
        (b'{"resume": "\\"user_id\\": 42", "user_id": 9}', 9),
        (b'{"resume": "\\"user_id\\": 42"', None),
        (b'{"user_id": true}', None),
        (b'{"user_id": 99999999999999999999}', None),
        (b"[" * 100_000, None),
        (None, None),
    ],
)
def test_whose_message_it_is(value: bytes | None, owner: int | None) -> None:
    assert codec.user_of(value) == owner


def test_a_delete_of_an_erased_user_changes_nothing(store: Store) -> None:
    erased_users.mark(OWNER)
    assert store(DeleteProcessing(processing_ids=[1], user_id=OWNER)) == []
    assert not MessageTask.objects.exists()


def test_nobody_is_half_shut_out_while_others_hold_the_lock(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = UserFactory(username="anna@example.com")
    monkeypatch.setattr(erased_users, "LOCK_TIMEOUT", "20ms")
    holder = psycopg2.connect(**connection.get_connection_params())
    holder.cursor().execute("SELECT pg_advisory_xact_lock_shared(%s)", [erased_users.ADVISORY_LOCK])
    with pytest.raises(ServiceUnavailable):
        services.erase_user(user_id=user.id)
    assert User.objects.get(pk=user.pk).is_active
    assert not ErasedUser.objects.exists()
    holder.close()
    services.erase_user(user_id=user.id)
    assert not User.objects.get(pk=user.pk).is_active


@pytest.mark.parametrize("left_out", ["auth", "uploads", "ai", "storage", "notifications"])
def test_the_others_and_the_bridge_do_their_part_without_an_app(
    left_out: str, settings: Any, store: Store
) -> None:
    settings.ENABLED_APPS = [name for name in settings.ENABLED_APPS if name != left_out]
    expected = {*settings.ENABLED_APPS, "bridge"}
    assert {part.app for part in erase_user.enabled_apps_data()} == expected
    assert set(tasks_for(EraseUser)) == {f"{app}.erase" for app in expected}
    user = UserFactory(username="somebody@example.com")
    services.erase_user(user_id=user.id)
    user.refresh_from_db()
    # A table of staff alone is not touched by the ids of somebody else's users.
    assert user.is_active == (left_out == "auth")
    assert not any(name.startswith(f"{left_out}.") for name in erase_user.counts(user.id))


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_no_event_erases_a_member_of_the_staff(
    store: Store, right: str, transactional_db: None
) -> None:
    somebody = UserFactory(**{right: True})
    mine = ResumeFactory(user_id=somebody.id)
    store(EraseUser(user_id=somebody.id), task="auth.erase")
    for task in MessageTask.objects.all():
        run_each(load_handlers()[task.name], [task.pk])
    assert set(DeadLetter.objects.values_list("reason", flat=True)) == {"protected_user"}
    somebody.refresh_from_db()
    mine.refresh_from_db()
    assert somebody.is_active
    assert mine.text
    assert erased_users.seconds_since(somebody.id) is None
