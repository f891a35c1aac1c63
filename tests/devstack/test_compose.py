"""docker-compose.yml, as far as it can be checked without an engine."""

import re
from typing import Any

import pytest
import yaml

from devstack.parts import WORKERS
from devstack.paths import ALL_SETTINGS, ROOT, TEST_SETTINGS
from devstack.settings_file import read_settings

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
ONCE = {"migrate", "topics", "test-topics"}


def test_every_process_of_the_system_is_there():
    workers = {f"worker-{queue}" for queue in WORKERS}
    servers = {"postgres", "redis", "redis-cache", "kafka"}
    assert set(SERVICES) == servers | ONCE | workers | {"web", "bridge", "flower", "app"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONCE))
def test_every_lasting_service_has_a_healthcheck_and_is_restarted(name):
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_service_waits_for_can_come_true(name):
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[needed]
        else:
            assert how["condition"] == "service_completed_successfully"
            assert needed in ONCE
    assert SERVICES[name]["networks"] == ["inside"]
    for volume in SERVICES[name].get("volumes", []):
        assert volume.split(":")[0] in COMPOSE["volumes"]


def test_no_password_has_a_default():
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|KEY|AUTH)\w*)(:?-[^}]*)?", TEXT)
    assert secrets
    assert not [name for name, default in secrets if default]


@pytest.mark.parametrize("file", [ALL_SETTINGS, TEST_SETTINGS], ids=lambda file: file.name)
def test_what_compose_asks_for_stands_in_the_example(file):
    required = set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert required <= set(read_settings(file))


@pytest.mark.parametrize("queue", WORKERS)
def test_a_workers_queue_and_node_are_those_of_the_dev_stack(queue):
    command = SERVICES[f"worker-{queue}"]["command"]
    assert command[command.index("-Q") + 1] == queue
    assert command[command.index("-n") + 1] == f"{queue}@%h"


def test_the_image_does_not_run_as_root_and_installs_pinned_packages_only():
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    stages = dockerfile.split("FROM ")[2:]
    assert all("\nUSER app\n" in stage for stage in stages)
    assert re.findall(r"pip install (.*)", dockerfile) == [
        "-r requirements/base.txt",
        "-r requirements/dev.txt",
    ]
    for copied in re.findall(r"^COPY (?:--\S+ )?(.+) \S+$", dockerfile, re.M):
        assert all((ROOT / path).exists() for path in copied.split())
