"""docs/operations.md: commands, names, links and SQL are the code's; each alert has a section."""

import re
import shlex
from typing import Any

import psycopg2
import pytest
import redis
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.db import connection

from devstack.paths import ROOT
from kafka_bridge.contract.events import EVENTS
from resume_platform.observability import metrics
from tests.stack.deploy import sources
from tests.stack.deploy.test_compose import SERVICES
from tests.stack.deploy.test_kubernetes import DEPLOYMENTS, JOBS

PAGE = ROOT / "docs/operations.md"
TEXT = PAGE.read_text(encoding="utf-8")
# Names in capitals that are no settings: of compose's .env alone.
OTHER_NAMES = {
    *("RELEASE", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "AI_THREADS"),
    # The OpenTelemetry SDK's own.
    *("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"),
}
# Compose's commands after which services are named, and the options of theirs that take a value.
OF_SERVICES = {"up", "stop", "restart", "build", "logs", "exec", "run"}
WITH_VALUE = {"--scale", "--tail"}


def commands() -> list[str]:
    """Lines of shell blocks and what stands between backticks; continuation lines are joined."""
    blocks = re.findall(r"```sh\n(.*?)```", TEXT, re.S)
    lines = [line for b in blocks for line in b.replace("\\\n", " ").splitlines() if line.strip()]
    prose = re.sub(r"```.*?```", "", TEXT, flags=re.S)
    return lines + [re.sub(r"\s+", " ", span) for span in re.findall(r"`([^`]+)`", prose)]


def words_after(command: str, begin: str) -> list[list[str]]:
    found = []
    for part in re.split(r" && | \| ", command):
        if f"{begin} " in part and "…" not in part.split(begin)[1]:
            words = shlex.split(part.split(f"{begin} ", 1)[1].split("#")[0], posix=True)
            found.append(words)
    return found


COMPOSE = [words for command in commands() for words in words_after(command, "docker compose")]
MANAGE = [words for command in commands() for words in words_after(command, "manage.py")]
KUBECTL = [words for command in commands() for words in words_after(command, "kubectl")]


def test_there_are_commands_to_check():
    assert len(COMPOSE) > 20
    assert len(MANAGE) > 10
    assert len(KUBECTL) > 8


@pytest.mark.parametrize("words", MANAGE, ids=" ".join)
def test_a_command_of_manage_py_takes_these_arguments(words):
    application = get_commands()[words[0]]
    command: Any = load_command_class(application, words[0])
    arguments = [word for word in words[1:] if word != ">"]
    options = command.create_parser("manage.py", words[0]).parse_args(arguments)
    if keys := getattr(options, "keys", None):
        assert set(keys) <= {event.key for event in EVENTS}


@pytest.mark.parametrize("words", COMPOSE, ids=" ".join)
def test_a_command_of_compose_names_services_there_are(words):
    verb, rest = words[0], words[1:]
    assert verb in OF_SERVICES | {"ps"}
    named = []
    position = 0
    while position < len(rest):
        word = rest[position]
        if word in WITH_VALUE:
            position += 1
            if word == "--scale":
                named.append(rest[position].split("=")[0])
        elif not word.startswith("-"):
            named.append(word)
            if verb in ("exec", "run"):
                break
        position += 1
    assert set(named) <= set(SERVICES)


@pytest.mark.parametrize("words", KUBECTL, ids=" ".join)
def test_a_command_of_kubectl_names_what_there_is(words):
    for word in words:
        kind, _, name = word.partition("/")
        if kind == "deploy" and name and not name.startswith("kubernetes"):
            assert name in DEPLOYMENTS
        if kind == "job" and name:
            assert name in JOBS
    for path in (word for word in words if word.startswith("deploy/kubernetes")):
        assert (ROOT / path).exists()


def test_every_setting_that_is_named_exists():
    prose = " ".join(re.findall(r"`([^`\n]+)`", TEXT))
    named = set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", prose))
    assert len(named) > 30
    known = sources.SETTINGS | sources.OF_PROCESSES | OTHER_NAMES
    assert named <= known, named - known


def test_every_metric_that_is_named_exists():
    known = {
        getattr(metric, "name", None) or getattr(metric, "_name", "")
        for metric in vars(metrics).values()
    }
    table = TEXT.split("## Scale")[1].split("```sh")[0]
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)[`{]", table))
    assert len(named) > 6
    assert named <= known, named - known


def test_each_alert_has_its_section_and_no_section_is_left_over():
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    sections = TEXT.split("## Respond to an alert")[1]
    assert sorted(re.findall(r"^### (\w+)$", sections, re.M)) == sorted(r["alert"] for r in alerts)
    for rule in alerts:
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_links_lead_somewhere():
    headings = re.findall(r"^#+ (.+)$", TEXT, re.M)
    anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        path, _, anchor = target.partition("#")
        if target.startswith("https://"):
            continue
        assert (PAGE.parent / path).exists(), target
        assert not anchor or path or anchor in anchors, target


def sql(begin: str) -> str:
    """The statement that begins so, as it stands between quotes or backticks."""
    found = re.search(rf"(?<=[\"'`]){re.escape(begin)}[^\"`\n]*?(?=[\"`]|' -c|'\n)", TEXT)
    assert found, begin
    return found[0].replace("$$", "$")


@pytest.mark.django_db
def test_after_a_restore_no_id_is_given_twice():
    with connection.cursor() as cursor:
        query = "SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences"
        cursor.execute(query)
        before = dict(cursor.fetchall())
        cursor.execute(sql("SELECT setval"))
        cursor.execute(query)
        after = dict(cursor.fetchall())
    assert len(before) > 10
    assert all(after[name] >= value + 1_000_000 for name, value in before.items())


@pytest.mark.django_db
def test_who_holds_the_relays_lock_can_be_asked():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7), pg_backend_pid()")
        pid = cursor.fetchone()[1]
        cursor.execute(sql("SELECT pid, state"))
        assert pid in {row[0] for row in cursor.fetchall()}
        cursor.execute("SELECT pg_advisory_unlock(7)")


def test_the_second_role_acts_as_the_first():
    server = psycopg2.connect(settings.DATABASE_URL)
    server.autocommit = True
    cursor = server.cursor()
    try:
        cursor.execute("CREATE ROLE resume")
        cursor.execute(sql("CREATE ROLE resume_b"))
        cursor.execute(sql("ALTER ROLE resume_b SET"))
        cursor.execute("ALTER ROLE resume_b PASSWORD 'second'")
        login = psycopg2.connect(settings.DATABASE_URL, user="resume_b", password="second")
        with login, login.cursor() as its:
            its.execute("SELECT session_user, current_user")
            assert its.fetchone() == ("resume_b", "resume")
        login.close()
    finally:
        cursor.execute("DROP ROLE IF EXISTS resume_b")
        cursor.execute("DROP ROLE IF EXISTS resume")
        server.close()


def test_redis_takes_the_old_and_the_new_password_while_they_change():
    words = next(words for words in COMPOSE if "SETUSER" in words)
    old = redis.Redis.from_url(settings.REDIS_URL)
    order = [word.replace("$NEW", "another-password") for word in words[words.index("ACL") :]]
    try:
        assert old.execute_command(*order)
        assert redis.Redis.from_url(settings.REDIS_URL).ping()
        assert redis.Redis.from_url(settings.REDIS_URL, password="another-password")
        url = re.sub(r":[^:@/]*@", ":another-password@", settings.REDIS_URL)
        assert redis.Redis.from_url(url).ping()
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(url.replace("another-", "no-")).ping()
    finally:
        old.execute_command("ACL", "SETUSER", "default", "<another-password")
