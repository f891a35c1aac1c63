"""What staff may have done to processings: told as events, once, logged, and by permission only."""

from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from apps.ai.models import Analysis
from apps.storage import orders
from apps.storage.models import StoredProcessing, StoredRequirements, StoredResume
from apps.uploads import services
from apps.uploads.models import Processing, Requirements, Resume
from kafka_bridge.contract import codec
from kafka_bridge.contract.events import (
    DeleteProcessing,
    DeleteRequirements,
    Event,
    NewNotifications,
    NewSending,
)
from kafka_bridge.models import OutboxMessage
from resume_platform.admin import staff_action_pages
from resume_platform.admin.staff_actions import carry_out
from resume_platform.http.errors import Conflict, NotFound
from staff.groups import OPERATORS, REVIEWERS
from staff.processings.actions import processing_actions
from tests.db.apps.storage import factories as f
from tests.db.apps.uploads.factories import ProcessingFactory, RequirementsFactory, ResumeFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/storage/storedprocessing/"
ACTIONS = ("judge_again", "deliver_again", "cancel", "delete_with_texts")


def member_of(group: str) -> Client:
    user = get_user_model().objects.create(username=f"{group}@example.com".lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator() -> Client:
    return member_of(OPERATORS)


@pytest.fixture
def reviewer() -> Client:
    return member_of(REVIEWERS)


def told() -> list[Event]:
    """The outbox, which is emptied."""
    rows = OutboxMessage.objects.order_by("pk")
    events = [codec.decode(row.topic, row.key.encode(), bytes(row.value)) for row in rows]
    rows.delete()
    return events


def queued(number: int = 20) -> StoredProcessing:
    f.tell(f.NewResumeFactory(), f.NewRequirementsFactory())
    f.tell(f.NewRequestFactory(processing_id=number))
    return StoredProcessing.objects.get(processing_id=number)


def finished(number: int = 20) -> StoredProcessing:
    queued(number)
    f.tell(f.NewProcessingFactory(processing_id=number), seconds=9)
    return StoredProcessing.objects.get(processing_id=number)


def choose(client: Client, action: str, *rows: StoredProcessing, **more: str) -> Any:
    form = {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}
    return client.post(LIST, form, follow=True)


# --- judge again ----------------------------------------------------------------------------------


def test_judged_again_is_a_request_of_the_next_run_asked_once(operator: Client) -> None:
    row = finished()
    page = choose(operator, "judge_again", row).content.decode()
    assert "1 processing will be judged again." in page
    [request] = told()
    assert request == f.NewRequestFactory(run=1)

    again = choose(operator, "judge_again", row).content.decode()
    assert "1 was left as it is. It is being judged again already." in again
    f.tell(request, seconds=(timezone.now() - f.EPOCH).total_seconds())
    assert (
        "It is being judged again already." in choose(operator, "judge_again", row).content.decode()
    )
    assert told() == []

    f.tell(f.NewProcessingFactory(run=1), seconds=99)
    choose(operator, "judge_again", row)
    assert [event.run for event in told()] == [2]


def test_a_run_that_never_came_back_may_be_asked_for_anew(settings: Any) -> None:
    settings.STALLED_AFTER_MINUTES = 60
    row = finished()
    assert orders.judge_again(pk=row.pk) == 1
    f.tell(*told())  # requested at the epoch: longer than an hour ago
    assert orders.judge_again(pk=row.pk) == 2


def test_what_cannot_be_judged_again_is_left_with_the_reason() -> None:
    waiting = queued(20)
    deleted = finished(21)
    f.tell(f.DeleteProcessingFactory(processing_ids=[21]))
    f.tell(f.NewProcessingFactory(processing_id=22))
    f.tell(f.NewRequestFactory(processing_id=23, resume_id=99))
    f.tell(f.NewProcessingFactory(processing_id=23), seconds=5)
    by_number = {row.processing_id: row.pk for row in StoredProcessing.objects.all()}
    for pk, code in (
        (waiting.pk, "waits"),
        (deleted.pk, "deleted"),
        (by_number[22], "unknown"),
        (by_number[23], "no_texts"),
        (0, "deleted"),
    ):
        with pytest.raises(Conflict) as refused:
            orders.judge_again(pk=pk)
        assert refused.value.code == code
    assert told() == []


def test_a_strangers_claim_is_not_driven() -> None:
    finished()
    f.tell(f.NewRequestFactory(user_id=2), seconds=-5)  # the owner's earlier claim comes second
    stranger = StoredProcessing.objects.get(user_id=1)
    with pytest.raises(Conflict, match="not_owner"):
        orders.judge_again(pk=stranger.pk)


# --- cancel ---------------------------------------------------------------------------------------


def test_what_waits_ends_as_failed_and_its_client_is_told(operator: Client) -> None:
    row = queued()
    asked = choose(operator, "cancel", row)
    assert "staff_action.html" in str([template.name for template in asked.templates])
    assert told() == [], "it asks first"

    page = choose(operator, "cancel", row, confirmed="yes").content.decode()
    assert "1 processing is cancelled; its client is being told." in page
    [failure] = told()
    assert isinstance(failure, NewSending)
    assert (failure.success, failure.run) == (False, 0)
    assert failure.response.callback_url == "https://client.example/hook"
    assert failure.message_error == "Обработку отменил сотрудник сервиса."
    f.tell(failure, seconds=50)
    row.refresh_from_db()
    assert (row.status, row.message_error) == ("failed", failure.message_error)

    again = choose(operator, "cancel", row, confirmed="yes").content.decode()
    assert "It does not wait any more: it has its outcome." in again
    assert told() == []


def test_cancelling_twice_before_the_event_arrives_tells_the_client_once(operator: Client) -> None:
    row = queued()
    for _ in range(2):
        choose(operator, "cancel", row, confirmed="yes")
    assert len(told()) == 1


def test_a_judgement_that_was_just_made_is_not_cancelled(operator: Client) -> None:
    row = queued()
    Analysis.objects.create(
        processing_id=20, run=0, user_id=1, requirements_id=40, status="finished",
        prompt_version="1", model="m", score=80,
    )  # fmt: skip
    page = choose(operator, "cancel", row, confirmed="yes").content.decode()
    assert "It does not wait any more: it has its outcome." in page
    assert told() == []


def test_the_run_that_the_watchdog_just_asked_for_is_the_one_that_is_cancelled(
    operator: Client,
) -> None:
    row = queued()
    StoredProcessing.objects.update(watched_run=0)
    choose(operator, "cancel", row, confirmed="yes")
    assert [event.run for event in told()] == [1]


@pytest.mark.parametrize(("key", "kind"), [("new_sending", NewSending),
                                           ("new_notifications", NewNotifications)])  # fmt: skip
def test_with_a_foreign_ai_it_fails_in_a_higher_run_which_wins(
    settings: Any, key: str, kind: type
) -> None:
    settings.ENABLED_APPS = [name for name in settings.ENABLED_APPS if name != "ai"]
    settings.OUTCOME_EVENT = key
    row = queued()
    choose(member_of(OPERATORS), "cancel", row, confirmed="yes")
    [failure] = told()
    assert isinstance(failure, kind)
    assert (failure.run, failure.message_error) == (1, orders.CANCELLED)
    f.tell(failure, f.NewProcessingFactory(run=0), seconds=50)
    row.refresh_from_db()
    assert row.status == "failed"
    assert not Analysis.objects.exists()


# --- delete with texts ----------------------------------------------------------------------------


def uploaded(processing: Processing) -> StoredProcessing:
    """Storage's side of an upload."""
    ids = {
        "processing_id": processing.pk,
        "resume_id": processing.resume_id,
        "requirements_id": processing.requirements_id,
    }
    f.tell(
        f.NewResumeFactory(resume_id=processing.resume_id, resume=processing.resume.text),
        f.NewRequirementsFactory(
            requirements_id=processing.requirements_id, requirements=processing.requirements.text
        ),
        f.NewRequestFactory(**ids),
        f.NewProcessingFactory(**ids),
    )
    return StoredProcessing.objects.get(processing_id=processing.pk)


def test_a_deleted_processing_takes_its_texts_along_and_a_replay_brings_nothing_back(
    operator: Client,
) -> None:
    processing = ProcessingFactory()
    row = uploaded(processing)
    page = choose(operator, "delete_with_texts", row, confirmed="yes").content.decode()
    assert "1 processing is deleted with its texts." in page
    events = told()
    assert events == [
        DeleteProcessing(
            processing_ids=[processing.pk], resume_ids=[processing.resume_id], user_id=1
        ),
        DeleteRequirements(requirements_ids=[processing.requirements_id], user_id=1),
    ]
    f.tell(*events)
    uploaded(processing)  # everything is replayed
    row.refresh_from_db()
    assert (row.status, row.recommendation, row.callback_url) == ("deleted", None, "")
    assert (StoredResume.objects.get().resume, StoredResume.objects.get().deleted) == ("", True)
    assert StoredRequirements.objects.get().requirements == ""
    assert (Resume.objects.get().text, Requirements.objects.get().text) == ("", "")
    assert Processing.objects.get().callback_url == ""

    again = choose(operator, "delete_with_texts", row, confirmed="yes").content.decode()
    assert "There is nothing of it left to delete." in again
    assert told() == []


def test_texts_that_another_processing_of_the_user_needs_stay_until_it_goes_too(
    operator: Client,
) -> None:
    resume, requirements = ResumeFactory(text="shared"), RequirementsFactory(text="shared too")
    first, second = (ProcessingFactory(resume=resume, requirements=requirements) for _ in range(2))
    rows = [uploaded(first), uploaded(second)]
    choose(operator, "delete_with_texts", rows[0], confirmed="yes")
    assert told() == [DeleteProcessing(processing_ids=[first.pk], user_id=1)]
    assert Resume.objects.get().text == "shared"
    assert Requirements.objects.get().deleted_at is None

    choose(operator, "delete_with_texts", rows[1], confirmed="yes")
    assert len(told()) == 2
    assert Resume.objects.get().text == ""
    with pytest.raises(NotFound):
        services.start_processing(
            user_id=1, resume_id=resume.pk, requirements_id=requirements.pk, callback_url="http://x"
        )


def test_the_claim_of_a_stranger_deletes_nothing_of_the_owners(operator: Client) -> None:
    processing = ProcessingFactory()
    f.tell(f.NewRequestFactory(processing_id=processing.pk, user_id=2))
    choose(operator, "delete_with_texts", StoredProcessing.objects.get(), confirmed="yes")
    processing.refresh_from_db()
    assert processing.deleted_at is None
    assert told() == []


# --- who may, and what stays behind ---------------------------------------------------------------


def test_each_action_leaves_a_line_in_the_log_and_what_was_left_leaves_none(
    operator: Client,
) -> None:
    done, left = finished(20), queued(21)
    page = choose(operator, "judge_again", done, left).content.decode()
    assert "1 processing will be judged again." in page
    assert "1 was left as it is. It is still waiting for its first judgement." in page
    choose(operator, "cancel", left, confirmed="yes")
    logged = LogEntry.objects.order_by("pk").values_list(
        "user__username", "object_id", "object_repr", "action_flag", "change_message"
    )
    who = "operators@example.com"
    assert list(logged) == [
        (who, str(done.pk), "processing 20", CHANGE, "Had it judged again."),
        (who, str(left.pk), "processing 21", CHANGE, "Cancelled it."),
    ]
    listed = operator.get("/admin/admin/logentry/").content.decode()
    assert "processing 21" in listed
    assert "Cancelled it." in listed


def test_a_deletion_is_logged_as_one(operator: Client) -> None:
    row = uploaded(ProcessingFactory())
    choose(operator, "delete_with_texts", row, confirmed="yes")
    assert LogEntry.objects.get().action_flag == DELETION


@pytest.mark.parametrize("action", ACTIONS)
def test_a_reviewer_sees_no_action_and_is_refused(
    reviewer: Client, operator: Client, action: str
) -> None:
    row = finished()
    assert f'value="{action}"' in operator.get(LIST).content.decode()
    page = f"{LIST}{row.pk}/change/"
    one = f"{LIST}{row.pk}/action/{action}/"
    listed = reviewer.get(LIST).content.decode()
    assert "#20" in listed
    assert f'value="{action}"' not in listed
    assert "/action/" not in reviewer.get(page).content.decode()
    assert choose(reviewer, action, row, confirmed="yes").status_code == 403
    assert reviewer.get(one).status_code == reviewer.post(one).status_code == 403
    assert told() == []
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("action", ["judge_again", "delete_with_texts"])
def test_from_its_own_page_each_action_asks_first(operator: Client, action: str) -> None:
    row = uploaded(ProcessingFactory())
    one = f"{LIST}{row.pk}/action/{action}/"
    assert one in operator.get(f"{LIST}{row.pk}/change/").content.decode()
    assert (
        f"{LIST}{row.pk}/action/cancel/"
        not in operator.get(f"{LIST}{row.pk}/change/").content.decode()
    ), "it does not wait"
    asked = operator.get(one).content.decode()
    assert f"processing {row.processing_id}" in asked
    assert told() == []
    answer = operator.post(one, {"confirmed": "yes"}, follow=True)
    assert answer.redirect_chain[-1][0] == f"{LIST}{row.pk}/change/"
    assert told()


def test_whoever_calls_it_nothing_is_carried_out_without_the_permission() -> None:
    reader = get_user_model().objects.create(username="reader@example.com", is_staff=True)
    for action in processing_actions():
        with pytest.raises(PermissionDenied):
            carry_out(action, [finished()], staff=reader)
    assert told() == []
    assert not LogEntry.objects.exists()


def test_an_action_or_a_row_that_is_not_there_is_404(operator: Client) -> None:
    row = finished()
    for path in (f"{row.pk}/action/burn/", "0/action/cancel/", "x/action/cancel/"):
        assert operator.get(LIST + path).status_code == 404


def test_too_many_rows_at_once_are_refused_whole(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff_action_pages, "MAX_ROWS", 1)
    rows = [finished(20), finished(21)]
    page = choose(operator, "judge_again", *rows).content.decode()
    assert "Choose at most 1 rows at once; nothing was done to these 2." in page
    assert told() == []


def test_the_page_that_asks_says_the_lists_choice_again(operator: Client) -> None:
    rows = [queued(20), queued(21)]
    asked = choose(operator, "cancel", rows[0], select_across="1", index="0").content.decode()
    assert "processing 20" in asked
    assert "processing 21" in asked
    assert 'name="select_across" value="1"' in asked
    page = choose(operator, "cancel", rows[0], select_across="1", confirmed="yes").content.decode()
    assert "2 processings are cancelled; their clients are being told." in page
