"""The Dockerfile seen to work where no engine runs: replayed on a bare Debian root, and started."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg2
import pytest
import requests
from psycopg2 import sql

from devstack.paths import DEV_DIR
from devstack.ports import HOST, free_port
from tests.stack.deploy.bare_root import TOOLS, debian_mirror
from tests.stack.deploy.image import Image, Replay, inside

DATABASE = "image_replay"
SETTINGS = ("SECRET_KEY", "JWT_SIGNING_KEY", "WEBHOOK_SECRET", "REDIS_URL")
START_SECONDS = 180
STOP_SECONDS = 60
BUILD_TOOLS = ("gcc", "cc", "make", "pip", "pip3", "git", "curl", "wget")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def may_make_namespaces() -> bool:
    trial = ["unshare", "--mount", "--pid", "--fork", "--", "true"]
    return os.geteuid() == 0 and subprocess.run(trial, check=False).returncode == 0


def what_is_missing() -> str:
    """What root could install, and CI (REQUIRE_REPLAY) has installed."""
    if absent := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"these programs are not installed: {', '.join(absent)}"
    return "" if debian_mirror() else "apt knows no Debian archive"


@pytest.fixture(scope="module")
def replay() -> Iterator[tuple[Replay, Image]]:
    missing = what_is_missing()
    if missing and os.environ.get("REQUIRE_REPLAY"):
        pytest.fail(f"The Dockerfile cannot be replayed: {missing}.")
    if not missing and not may_make_namespaces():
        missing = "that takes root, and the right to mount"
    if missing:
        pytest.skip(f"THE DOCKERFILE WAS NOT REPLAYED: {missing}.")
    directory = Path(tempfile.mkdtemp(prefix="image-", dir=DEV_DIR))
    directory.chmod(0o755)
    try:
        began = time.monotonic()

        def tell(line: str) -> None:
            sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {line}\n")

        replay = Replay(directory, mirror=debian_mirror() or "", tell=tell)
        yield replay, replay.build()
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="module")
def image(replay: tuple[Replay, Image]) -> Image:
    return replay[1]


@pytest.fixture(scope="module")
def settings_of_container() -> Iterator[dict[str, str]]:
    """The tests' servers, with a database of the image's own."""
    server = os.environ["DATABASE_URL"]
    name = sql.Identifier(DATABASE)
    connection = psycopg2.connect(server)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield {
            **{setting: os.environ[setting] for setting in SETTINGS},
            "DATABASE_URL": urlunsplit(urlsplit(server)._replace(path=f"/{DATABASE}")),
            "KAFKA_BOOTSTRAP_SERVERS": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "LOG_DIR": "",
        }
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
    finally:
        connection.close()


def test_the_final_stage_holds_no_build_tools_and_nothing_that_its_user_may_change(image: Image):
    uid = int(image.user.split(":")[0])
    assert uid != 0
    found = [tool for tool in BUILD_TOOLS if shutil.which(tool, path=_path_in(image))]
    assert not found
    for place in ("/srv/app", "/srv/venv"):
        everything = list(inside(image.root, place).rglob("*"))
        assert everything
        changeable = [
            path
            for path in everything
            if not path.is_symlink() and (path.stat().st_uid != 0 or path.stat().st_mode & 0o022)
        ]
        assert not changeable


def test_web_serves_as_an_ordinary_user_on_a_read_only_root_and_stops_when_told(
    replay: tuple[Replay, Image], settings_of_container: dict[str, str]
):
    recipe, image = replay
    status, output = image.run(
        ["python", "manage.py", "migrate", "--no-input"], settings_of_container
    )
    assert status == 0, output
    # Every app, handler and setting is in the image; a writable /tmp is all that is needed.
    status, output = image.run(["python", "manage.py", "check"], settings_of_container)
    assert status == 0, output
    status, output = image.run(["touch", "/srv/app/written"], settings_of_container)
    assert status != 0
    assert "Read-only file system" in output

    port = str(free_port())
    container = image.start(_command(recipe, "CMD", port), settings_of_container)
    try:
        _wait_for(lambda: _answer(port, "/health").status_code == 200, container)
        server = psutil.Process(container.pid).children()[0]
        assert {p.uids().real for p in [server, *server.children(recursive=True)]} == {10001}
        # The admin's style sheets are in the image: no collectstatic, no volume.
        page = _answer(port, "/admin/login/")
        style = re.search(r'href="(/static/[^"]+\.css)"', page.text)
        assert style
        assert _answer(port, style[1]).status_code == 200
        healthcheck = _command(recipe, "HEALTHCHECK", port)
        assert image.run(healthcheck, settings_of_container)[0] == 0

        server.send_signal(signal.SIGTERM)
        log, _ = container.communicate(timeout=STOP_SECONDS)
        assert container.returncode == 0, log
        assert image.run(healthcheck, settings_of_container)[0] == 1
    finally:
        container.kill()


def _command(recipe: Replay, instruction: str, port: str) -> list[str]:
    """As the Dockerfile says it, but for the port, since the network is this machine's."""
    step = recipe.default_stage.last(instruction)
    assert step is not None
    changed = [
        word.replace("0.0.0.0:8000", f"{HOST}:{port}") if ":" in word else word
        for word in step.command()
    ]
    replaced = [port if word == "8000" else word for word in changed]
    assert replaced != step.command()
    return replaced


def _answer(port: str, path: str) -> requests.Response:
    return requests.get(f"http://{HOST}:{port}{path}", timeout=60)


def _path_in(image: Image) -> str:
    return ":".join(str(inside(image.root, part)) for part in image.environment["PATH"].split(":"))


def _wait_for(condition: Callable[[], Any], container: Any) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and container.poll() is None:
        try:
            if condition():
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.2)
    container.kill()
    pytest.fail(f"web did not answer: {container.communicate()[0][-3000:]}")
