"""docker-compose.yml, .env.example and the Dockerfile, as far as no engine is needed.

`test_replay.py` runs the Dockerfile.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from devstack.parts import CELERY_THREADS, WORKERS
from devstack.paths import ALL_SETTINGS, ROOT, TEST_SETTINGS
from devstack.settings_file import read_settings
from tests.stack.deploy import sources
from tests.stack.deploy.dockerfile import Stage, parse

FILE = ROOT / "docker-compose.yml"
TEXT = FILE.read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
ONCE = {"migrate", "topics", "test-topics"}
SERVERS = {"postgres", "redis", "redis-cache", "kafka"}
PROCESSES = sorted(set(SERVICES) - SERVERS - {"app"})
STAGES = parse((ROOT / "Dockerfile").read_text(encoding="utf-8"))
SYSTEM: Stage = STAGES["system"]
VARIABLES = re.compile(r"\$\{(\w+)(?:(:?[-?])([^}]*))?\}")


def schema_errors(file: Path) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if run.returncode == 0 else run.stdout + run.stderr


def test_the_compose_specifications_schema_finds_no_fault():
    assert schema_errors(FILE) == ""


def test_the_schema_finds_a_misspelt_key(tmp_path: Path):
    misspelt = tmp_path / "docker-compose.yml"
    misspelt.write_text(TEXT.replace("stop_grace_period", "stop_grace_time"), encoding="utf-8")
    assert "stop_grace_time" in schema_errors(misspelt)


@pytest.mark.skipif(
    shutil.which("docker") is None
    or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0,
    reason="docker's compose plugin is not installed; the schema was asked",
)
def test_compose_itself_reads_it():
    run = subprocess.run(
        ["docker", "compose", "--env-file", TEST_SETTINGS.name, "config", "--quiet"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


def test_every_process_of_the_system_is_there():
    workers = {f"worker-{queue}" for queue in WORKERS}
    assert set(SERVICES) == SERVERS | ONCE | workers | {"web", "bridge", "flower", "app"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_restarted_checked_bounded_and_inside(name):
    service = SERVICES[name]
    if name in ONCE:
        assert service["restart"] == "no"
        assert service["healthcheck"] == {"disable": True}
    else:
        assert service["restart"] == "unless-stopped"
        # web's stands in the Dockerfile.
        assert service.get("healthcheck", {}).get("test") or (
            name == "web" and SYSTEM.last("HEALTHCHECK")
        )
    limits = service["deploy"]["resources"]["limits"]
    assert limits["cpus"]
    assert limits["memory"]
    assert service["networks"] == ["inside"]
    for volume in service.get("volumes", []):
        assert volume.split(":")[0] in COMPOSE["volumes"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_service_waits_for_can_come_true(name):
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[needed]
        else:
            assert how["condition"] == "service_completed_successfully"
            assert needed in ONCE


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_may_change_nothing_and_gain_nothing(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "volumes" not in service


def test_only_web_and_flower_are_published_and_only_to_this_host():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"web", "flower"}
    for ports in published.values():
        assert all(re.match(r"\$\{\w+:-127\.0\.0\.1:\d+\}:\d+$", port) for port in ports)


def test_no_password_has_a_default_and_each_is_asked_for_in_a_sentence():
    found: dict[str, set[str]] = {}
    for name, operator, _ in VARIABLES.findall(TEXT):
        if re.search("PASSWORD|SECRET|KEY|AUTH", name):
            found.setdefault(name, set()).add(operator)
    assert found.pop("OPENAI_API_KEY") == {"-"}
    assert set(found) == {
        *("POSTGRES_PASSWORD", "REDIS_PASSWORD", "FLOWER_BASIC_AUTH"),
        *("SECRET_KEY", "JWT_SIGNING_KEY", "WEBHOOK_SECRET"),
    }
    assert all(":?" in operators <= {":?", ""} for operators in found.values())


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_is_given_the_secrets_that_it_needs_and_no_other(name):
    """What is empty here is empty in the process, whatever the env file holds."""
    environment = SERVICES[name]["environment"]
    passwords = {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    assert set(sources.SECRETS) | passwords <= set(environment)
    given = {secret for secret in set(sources.SECRETS) | passwords if environment[secret]}
    # Empty, it is DATABASE_URL's: there is no pooler.
    needed = sources.secrets_of(environment["PROCESS_NAME"]) - {"DATABASE_DIRECT_URL"}
    assert given == needed


@pytest.mark.parametrize("file", [ALL_SETTINGS, TEST_SETTINGS], ids=lambda file: file.name)
def test_what_compose_asks_for_stands_in_the_example(file):
    required = {name for name, operator, _ in VARIABLES.findall(TEXT) if operator == ":?"}
    assert required <= set(read_settings(file))


def test_the_example_names_every_setting_and_no_other():
    of_compose = {name for name, _, _ in VARIABLES.findall(TEXT)} - {"APP_ENV_FILE"}
    names = sources.names_of_example()
    assert sorted(names) == sorted(sources.SETTINGS | of_compose)


def test_the_example_holds_no_secret():
    given = read_settings(ALL_SETTINGS)
    secrets = set(sources.SECRETS) | {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    filled = {name: given[name] for name in secrets if given.get(name)}
    # Addresses of servers, without their passwords.
    assert all(url.split("@")[0].endswith(":PASSWORD") or "@" not in url for url in filled.values())
    assert all("://" in url for url in filled.values())


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_is_given_settings_that_exist_and_all_that_it_needs(name):
    environment = SERVICES[name]["environment"]
    passwords = {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}  # empty: told below
    assert set(environment) <= sources.SETTINGS | sources.OF_PROCESSES | passwords
    assert environment["PROCESS_NAME"] in (name, "topics")
    # What it needs beside the servers comes from .env, where it has no default.
    from_env = {n for n, value in read_settings(ALL_SETTINGS).items() if not value}
    assert set(environment) | from_env >= sources.REQUIRED


def test_every_queue_has_its_worker_and_every_worker_a_queue():
    assert set(WORKERS) == sources.queues()
    for queue in WORKERS:
        command = SERVICES[f"worker-{queue}"]["command"]
        assert command[command.index("-Q") + 1] == queue
        assert command[command.index("-n") + 1] == f"{queue}@%h"
        rows_at_once, _ = WORKERS[queue]
        assert SERVICES[f"worker-{queue}"]["environment"]["WORKER_THREADS"].endswith(
            f":-{rows_at_once}}}"
        )
        assert command[command.index("--concurrency") + 1] == str(min(rows_at_once, CELERY_THREADS))


@pytest.mark.parametrize("name", PROCESSES)
def test_a_command_exists_in_the_image(name):
    step = SYSTEM.last("CMD")
    assert step
    program, *arguments = SERVICES[name].get("command", step.command())
    if program == "python":
        if arguments[0] == "-m":
            assert (ROOT / arguments[1].replace(".", "/") / "__main__.py").exists()
        else:
            assert arguments[0] == "manage.py"
            assert arguments[1] in get_commands()
    else:
        assert program == "celery"
        assert re.search(rf"^{program}==", (ROOT / "requirements/base.txt").read_text(), re.M)


def test_healthchecks_ask_a_port_that_answers_for_a_page_there_is():
    step = SYSTEM.last("HEALTHCHECK")
    assert step
    for name, port, where in [
        ("web", "8000", step.command()[1:]),
        ("bridge", "9101", None),
        *((f"worker-{queue}", "9101", None) for queue in WORKERS),
        ("flower", "5555", None),
    ]:
        script, asked, path = where or SERVICES[name]["healthcheck"]["test"][2:]
        assert (ROOT / script).is_file()
        assert asked == port
        if name == "web":
            assert sources.is_page(path)
        elif name != "flower":
            assert SERVICES[name]["environment"]["METRICS_PORT"] == port
            assert SERVICES[name]["environment"]["METRICS_HOST"] == "0.0.0.0"


def test_a_worker_is_given_time_to_end_what_it_began():
    fields = sources.Environment.model_fields
    longest = {
        "ai": fields["OPENAI_TIMEOUT_SECONDS"].default,
        "webhooks": fields["WEBHOOK_TIMEOUT_SECONDS"].default,
        "storage": 10,
    }
    for queue in WORKERS:
        assert _seconds(SERVICES[f"worker-{queue}"]["stop_grace_period"]) > longest[queue] + 10


def test_every_package_of_the_system_is_copied_into_the_image():
    copied = {source for copy in SYSTEM.copies() for source in copy.sources}
    assert all((ROOT / source).exists() for source in copied - {"/srv/venv"})
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {
        "devstack",
        "tools",
        "tests",
    }
    assert packages <= copied
    assert {path.name for path in ROOT.glob("*.py")} <= copied


def test_the_image_is_pinned_and_nobody_runs_as_root():
    bases = [stage.base for stage in STAGES.values() if stage.base not in STAGES]
    assert all(re.search(r":\d+\.\d+\.\d+-slim-\w+$", base) for base in bases)
    images = [SERVICES[name]["image"] for name in SERVERS]
    assert all(re.search(r":\d+\.\d+", image) for image in images)
    for stage in (STAGES["test"], SYSTEM):
        user = stage.last("USER")
        assert user
        assert user.argument == "10001:10001"
    for stage in STAGES.values():
        for step in stage.steps:
            if "pip" in step.argument and " install " in step.argument:
                assert re.search(r"--requirement requirements/(base|dev)\.txt$", step.argument)


def _seconds(duration: str) -> int:
    number, unit = int(duration[:-1]), duration[-1]
    return number * {"s": 1, "m": 60}[unit]
