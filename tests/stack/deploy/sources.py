"""What the deployment files are compared with: the settings, the queues, the pages."""

from collections.abc import Iterator
from typing import Any

from django.urls import Resolver404, resolve

from apps.auth.user_cache import RENEWAL_QUEUE
from devstack.paths import ALL_SETTINGS
from kafka_bridge.tasks.registry import HANDLERS, load_handlers
from resume_platform.environment import SECRETS, Environment

SETTINGS = frozenset(Environment.model_fields)
REQUIRED = {name for name, field in Environment.model_fields.items() if field.is_required()}
# Read by a process itself, not by the settings: what names its log and traces, Flower's accounts.
OF_PROCESSES = {"PROCESS_NAME", "FLOWER_BASIC_AUTH"}


def secrets_of(process: str) -> set[str]:
    return {secret for secret, processes in SECRETS.items() if process in processes}


def queues() -> set[str]:
    """Every Celery queue that something is sent to."""
    load_handlers()
    return {spec.queue for spec in HANDLERS.values()} | {RENEWAL_QUEUE}


def is_page(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def values(tree: Any) -> Iterator[str]:
    """Every string of a parsed YAML file."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield str(name)
            yield from values(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from values(value)
    else:
        yield str(tree)


def names_of_example() -> list[str]:
    """Names in .env.example, as often as they stand there."""
    lines = ALL_SETTINGS.read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[0] for line in lines if "=" in line and line[0] not in "# "]
