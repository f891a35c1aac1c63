"""What staff see of the callbacks, and what they may do."""

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from apps.notifications.models import Callback
from kafka_bridge.models import MessageTask
from tests.db.apps.notifications.conftest import Bridge
from tests.db.apps.notifications.receiver import Receiver, says
from tests.db.apps.notifications.test_delivery import outcome, request

PAGE = "/admin/notifications/callback/"


@pytest.fixture
def staff(client: Client, transactional_db: None) -> Client:
    client.force_login(get_user_model().objects.create_superuser("staff@example.com", "x"))
    return client


def deliver_again(client: Client, *callbacks: Callback) -> str:
    ids = [str(callback.pk) for callback in callbacks]
    form = {"action": "deliver_again", "_selected_action": ids}
    return client.post(PAGE, form, follow=True).content.decode()


def test_staff_see_why_it_was_not_delivered_and_every_attempt(
    staff: Client, bridge: Bridge, receive: Callable[..., Receiver]
) -> None:
    bridge.run(outcome(receive(says(404, b"no such hook"))))
    callback = Callback.objects.get()
    listed = staff.get(PAGE).content.decode()
    assert "The receiver answered 404. That answer is final." in listed
    row = staff.get(f"{PAGE}{callback.pk}/change/").content.decode()
    assert "no such hook" in row
    assert "key=secret" not in listed + row
    attempts = staff.get("/admin/notifications/callbackattempt/?status_code=404")
    assert "127.0.0.1" in attempts.content.decode()
    for filters in ("?state__exact=failed", "?last_error=status_404", "?q=20"):
        assert f"{PAGE}{callback.pk}/change/" in staff.get(PAGE + filters).content.decode()
    assert staff.post(f"{PAGE}{callback.pk}/delete/", {"post": "yes"}).status_code == 403


def test_one_or_many_are_delivered_again(
    staff: Client, bridge: Bridge, receive: Callable[..., Receiver]
) -> None:
    receiver = receive(says(404), says(410), says(200))
    for number in (1, 2):
        bridge.run(outcome(receiver, processing_id=number))
    bridge.run(request(receiver), "notifications.register")
    page = deliver_again(staff, *Callback.objects.all())
    assert "2 callbacks will be delivered again." in page
    for task in MessageTask.objects.filter(state="pending", name="notifications.deliver"):
        assert bridge.wake(task.pk).state == "done"
    assert Callback.objects.filter(state="delivered").count() == 2


def test_who_may_only_look_delivers_nothing_again(
    client: Client, bridge: Bridge, receive: Callable[..., Receiver]
) -> None:
    bridge.run(outcome(receive(says(404))))
    looker = get_user_model().objects.create_user("looker@example.com", "x")
    looker.is_staff = True
    looker.save()
    looker.user_permissions.add(Permission.objects.get(codename="view_callback"))
    client.force_login(looker)
    deliver_again(client, *Callback.objects.all())
    assert Callback.objects.get().state == "failed"
    assert not MessageTask.objects.filter(state="pending").exists()
