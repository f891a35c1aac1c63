"""Scale: do lists, rankings, the staff's pages and the pipeline stay flat as rows pile up?"""

import re
import time
from collections.abc import Callable
from http import HTTPStatus

import psycopg2
import requests

from devstack.bench import users
from devstack.bench.figures import Figures, percentile
from devstack.bench.ingest import FIRST_ID, ingest
from devstack.bench.latency import OneByOne
from devstack.bench.multiply import analyse, multiply
from devstack.bench.plans import explain
from devstack.bench.receiver import Receiver
from devstack.bench.rig import Rig
from devstack.bench.throughput import judge
from devstack.errors import StackError
from devstack.stack import Stack

SIZES = (1_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000, 50_000)
OWN = 100
"""Rows of the user who asks, whatever all others have."""
BASE = 10**12
REPEATS = 15
EVENTS = 2000


def measure(rig: Rig, figures: Figures) -> None:
    sizes = QUICK_SIZES if rig.is_quick else SIZES
    with rig.stack() as stack, Receiver() as receiver:
        (user,) = users.make(stack, 1)
        (processing,) = judge(stack, receiver, [user], 1, first=0).processings
        single = OneByOne(stack, receiver)
        single.measure(3)
        ask = _questions(stack, user, processing)
        done = 0
        for size in sizes:
            rig.tell(f"stored: filling up to {size:,} processings")
            _fill(stack, user, processing, done, size)
            done = size
            for run in rig.each_run(f"stored, {size:,}"):
                _measure(figures, size, ask)
                _add(figures, size, "start_processing to callback", _callback(single))
                first = FIRST_ID + (size * 10 + run) * 10**4
                seconds, _ = ingest(stack, first, EVENTS)
                _add(figures, size, f"{EVENTS} events into storage", seconds * 1000)
        figures.plans |= explain(
            stack, user=user.user_id, requirements=user.requirements_id, processing=processing
        )
    figures.remark(f"The user who asks has {OWN} processings of one vacancy at every size.")


def _measure(figures: Figures, size: int, ask: dict[str, Callable[[], None]]) -> None:
    for name, question in ask.items():
        question()
        samples = []
        for _ in range(REPEATS):
            began = time.perf_counter()
            question()
            samples.append((time.perf_counter() - began) * 1000)
        _add(figures, size, name, percentile(samples, 50))


def _add(figures: Figures, size: int, name: str, milliseconds: float) -> None:
    floor = None if size == SIZES[0] else f"{name}, {SIZES[0]:,} stored"
    figures.add(f"{name}, {size:,} stored", milliseconds, "ms", floor=floor)


def _callback(single: OneByOne) -> float:
    return percentile(single.measure(5)["callback"], 50)


def _questions(stack: Stack, user: users.User, processing: int) -> dict[str, Callable[[], None]]:
    client, staff = requests.Session(), _staff(stack)
    client.headers["Authorization"] = f"Bearer {user.token}"
    api = stack.info["api"]
    ranking = f"requirements_id={user.requirements_id}&sort_by=score&limit=50"
    paths = {
        "GET /get_processing, one": (client, f"/get_processing?processing_id={processing}"),
        "GET /get_processing, a user's list": (client, "/get_processing?limit=50"),
        "GET /get_processing, ranking": (client, f"/get_processing?{ranking}"),
        "GET /get_processing_detail, ranking": (client, f"/get_processing_detail?{ranking}"),
        "staff: list of processings": (staff, "/admin/storage/storedprocessing/"),
        "staff: start page": (staff, "/admin/"),
    }
    return {name: _question(who, api + path) for name, (who, path) in paths.items()}


def _question(session: requests.Session, url: str) -> Callable[[], None]:
    def ask() -> None:
        answer = session.get(url, timeout=60, allow_redirects=False)
        if answer.status_code != HTTPStatus.OK:
            raise StackError(f"{url} answered {answer.status_code}.")

    return ask


def _staff(stack: Stack) -> requests.Session:
    """A member of the staff, logged in."""
    session, admin = requests.Session(), stack.info["admin"]
    page = session.get(f"{admin['url']}login/", timeout=60).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    form = {
        "username": admin["username"],
        "password": admin["password"],
        "csrfmiddlewaretoken": token[1],
        "next": "/admin/",
    }
    headers = {"Referer": f"{admin['url']}login/"}
    answer = session.post(f"{admin['url']}login/", data=form, headers=headers, timeout=60)
    answer.raise_for_status()
    assert "sessionid" in session.cookies
    return session


def _fill(stack: Stack, user: users.User, processing: int, done: int, size: int) -> None:
    """The first OWN rows are this user's; each of the others has as many, of one vacancy too."""
    mine = f"n < {OWN}"
    owner = f"CASE WHEN {mine} THEN {user.user_id} ELSE {BASE} + n / {OWN} END"
    vacancy = f"CASE WHEN {mine} THEN {user.requirements_id} ELSE {BASE} + n / {OWN} END"
    processing_id, resume_id = f"{BASE} + n", f"{BASE} + n"
    when = "source.{} - n * interval '1 second'"
    tables: dict[str, tuple[str, dict[str, str]]] = {
        "storage_storedresume": (
            f"user_id = {user.user_id}",
            {"resume_id": resume_id, "user_id": owner, "resume": "'Applicant ' || n"},
        ),
        "storage_storedprocessing": (
            f"processing_id = {processing}",
            {
                "processing_id": processing_id,
                "user_id": owner,
                "requirements_id": vacancy,
                "resume_id": resume_id,
                "create_at": when.format("create_at"),
                "score": "n % 101",
            },
        ),
        "ai_analysis": (
            f"processing_id = {processing}",
            {"processing_id": processing_id, "user_id": owner, "requirements_id": vacancy},
        ),
        "kafka_bridge_inboxmessage": (
            "key = 'new_request'",
            {"id": f"{BASE} + n", "offset": f"{BASE} + n", "value": "NULL"},
        ),
        "kafka_bridge_messagetask": (
            "name = 'storage.apply' AND state = 'done'",
            {"id": f"{BASE} + n", "message_id": f"{BASE} + n"},
        ),
    }
    database = psycopg2.connect(stack.info["database_url"])
    try:
        for table, (source, changes) in tables.items():
            multiply(database, table, source=source, first=done, last=size - 1, changes=changes)
        analyse(database)
    finally:
        database.close()
