"""Staff see the whole story of a processing in plain admin lists."""

import re

import pytest
import requests

from tests.stack.system.client import wait_for

pytestmark = pytest.mark.e2e

LISTS = {
    "accounts/user": "example.com",
    "uploads/resume": "",
    "uploads/requirements": "",
    "uploads/processing": "",
    "ai/rubric": "",
    "ai/analysis": "",
    "storage/storeduser": "",
    "storage/storedresume": "",
    "storage/storedrequirements": "",
    "storage/storedprocessing": "",
    "notifications/callback": "delivered",
    "kafka_bridge/inboxmessage": "new_request",
    "kafka_bridge/outboxmessage": "",
    "kafka_bridge/messagetask": "ai.analyze",
    "kafka_bridge/deadletter": "not_json",
}


@pytest.fixture
def staff(stack) -> requests.Session:
    admin = stack.info["admin"]
    session = requests.Session()
    session.get(admin["url"] + "login/", timeout=30)
    form = {
        "username": admin["username"],
        "password": admin["password"],
        "csrfmiddlewaretoken": session.cookies["csrftoken"],
        "next": "/admin/",
    }
    answer = session.post(admin["url"] + "login/", data=form, timeout=30)
    assert "Site administration" in answer.text
    return session


def test_every_list_and_its_rows_open_and_show_what_happened(stack, client, staff, produce, query):
    processing = client.judge()
    produce("AI_handler", b"new_request", b"no json")
    processing.callback()
    wait_for(processing.stored)
    wait_for(lambda: query("SELECT 1 FROM kafka_bridge_deadletter WHERE reason = 'not_json'"))
    wait_for(lambda: query("SELECT 1 FROM notifications_callback WHERE state = 'delivered'"))

    for name, expected in LISTS.items():
        url = f"{stack.info['admin']['url']}{name}/"
        page = staff.get(url, timeout=30)
        assert page.status_code == 200, name
        assert expected in page.text, name
        row = re.search(rf'href="(/admin/{name}/[^/"]+/change/)', page.text)
        if row is None:
            assert name == "kafka_bridge/outboxmessage", f"{name} has no row"
            continue
        detail = staff.get(stack.info["api"] + row.group(1), timeout=30)
        assert detail.status_code == 200, name


def test_a_client_cannot_enter_the_admin(stack, client):
    session = requests.Session()
    session.get(stack.info["admin"]["url"] + "login/", timeout=30)
    form = {
        "username": client.username,
        "password": client.password,
        "csrfmiddlewaretoken": session.cookies["csrftoken"],
    }
    answer = session.post(stack.info["admin"]["url"] + "login/", data=form, timeout=30)
    assert "Site administration" not in answer.text
