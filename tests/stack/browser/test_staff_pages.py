"""The staff's way through the pages, in a browser, on a stack that just judged real resumes."""

import re
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from devstack.stack import Stack
from tests.stack.browser.conftest import PATIENCE_MS
from tests.stack.system.client import ApiClient, Processing
from tests.stack.system.client import wait_for as wait_for_seconds
from tests.support.paths import EXAMPLES

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
Picture = Callable[[str], Any]
wait_for = partial(wait_for_seconds, seconds=PATIENCE_MS / 1000)


def upload(client: ApiClient, kind: str, name: str) -> dict[str, int]:
    folder = "resumes" if kind == "resume" else "vacancies"
    answer = client.session.post(
        f"{client.info['api']}/create_{kind}/file",
        files={"file": (name, (EXAMPLES / folder / name).read_bytes())},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def judged(client: ApiClient) -> list[Processing]:
    """Every example resume by one vacancy, stored and called back."""
    vacancy = upload(client, "requirements", "senior_python_developer.docx")
    started = [
        client.start(upload(client, "resume", resume.name) | vacancy)
        for resume in sorted((EXAMPLES / "resumes").iterdir())
    ]
    for processing in started:
        processing.callback(seconds=PATIENCE_MS / 1000)
        wait_for(processing.stored)
    return started


def log_in(page: Page, stack: Stack) -> None:
    admin = stack.info["admin"]
    page.goto(admin["url"])
    page.get_by_label("e-mail").fill(admin["username"])
    page.get_by_label("Password").fill(admin["password"])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Dead letters")).to_be_visible()


def test_a_days_work_of_the_staff(
    page: Page, stack: Stack, client: ApiClient, picture: Picture
) -> None:
    processings = judged(client)
    log_in(page, stack)
    expect(page.locator("canvas").first).to_be_visible()
    picture("start-page")

    page.goto(stack.info["admin"]["url"] + "storage/storedprocessing/")
    expect(page.get_by_text(f"#{processings[-1].id}", exact=True)).to_be_visible()

    best = max(processings, key=lambda one: one.stored()["score"])
    page.get_by_role("link", name=f"#{best.id}", exact=True).click()
    expect(page.locator("mark").first).to_be_visible()
    picture("processing")

    page.get_by_role("link", name="Judge again").click()
    expect(page.get_by_text("is paid anew")).to_be_visible()
    page.get_by_role("button", name="Judge again").click()
    expect(page.get_by_text("1 processing will be judged again.")).to_be_visible()
    wait_for(lambda: len(best.callbacks()) == 2)


def test_a_dead_letter_is_understood_and_replayed(
    page: Page, stack: Stack, client: ApiClient
) -> None:
    # Three attempts fail, the fourth, which the replay makes, succeeds.
    processing = client.judge(path=f"/flaky/3/{uuid.uuid4().hex}")
    wait_for(lambda: len(processing.callbacks()) == 3)

    log_in(page, stack)
    listed = stack.info["admin"]["url"] + "kafka_bridge/deadletter/"

    def is_listed() -> bool:
        page.goto(listed)
        return page.get_by_text("exhausted status_500").count() > 0

    wait_for(is_listed)
    page.get_by_role("link", name=re.compile(r"^\d+$")).first.click()
    expect(
        page.get_by_text("Ask the client whether the receiver works again, then replay it.")
    ).to_be_visible()
    expect(page.get_by_text("notifications.deliver")).to_be_visible()

    page.get_by_role("link", name="Replay").click()
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("1 dead letter will be tried again.")).to_be_visible()
    wait_for(lambda: len(processing.callbacks()) == 4)

    page.goto(stack.info["admin"]["url"] + "admin/logentry/")
    expect(page.get_by_text("Replayed it.").first).to_be_visible()


def test_the_api_is_described_by_a_page_that_loads_nothing_from_elsewhere(
    page: Page, stack: Stack
) -> None:
    page.goto(stack.info["api"] + "/docs")
    expect(page.get_by_text("/start_processing")).to_be_visible()
