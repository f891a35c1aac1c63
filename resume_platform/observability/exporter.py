"""What a scrape gets: what this process counted, and figures that are asked for at that moment.

A scrape does not fail because a source of figures is away: these are left out, and
`figures_missing` says so. A source is asked at most every FRESH_SECONDS, however many scrape.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import structlog
from django.conf import settings
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import REGISTRY, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from resume_platform.observability import metrics
from resume_platform.observability.metrics import Figure

log = structlog.get_logger(__name__)

FRESH_SECONDS = 2.0
# A source that hangs holds up one scrape, not those that come meanwhile.
WAIT_SECONDS = 5.0
MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"

Values = Mapping[Figure, Mapping[tuple[str, ...], float]]


class Source:
    """One function that finds figures; each of its calls must end within a few seconds."""

    def __init__(self, name: str, process: str, find: Callable[[], Values]) -> None:
        self.name = name
        self.process = process
        self._find = find
        self._lock = threading.Lock()
        self._found: Values | None = None
        self._found_at = 0.0

    def values(self) -> Values | None:
        """None if they cannot be had now."""
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            return None
        try:
            if time.monotonic() - self._found_at > FRESH_SECONDS:
                self._found = self._try()
                self._found_at = time.monotonic()
            return self._found
        finally:
            self._lock.release()

    def _try(self) -> Values | None:
        try:
            return self._find()
        except Exception as error:  # noqa: BLE001  one source's defect must not hide the others
            log.warning("metrics.figures_missing", source=self.name, error=type(error).__name__)
            return None


_sources: dict[str, Source] = {}


def figures(name: str, *, process: str) -> Callable[[Callable[[], Values]], Callable[[], Values]]:
    """Have `find()` called at scrapes of one kind of process: web, bridge, or a worker's queue."""

    def register(find: Callable[[], Values]) -> Callable[[], Values]:
        _sources[name] = Source(name, process, find)
        return find

    return register


class Exposition(Collector):
    """Everything that processes of these kinds tell."""

    def __init__(self, *kinds: str) -> None:
        self._kinds = kinds
        self._counted = _counted()

    def collect(self) -> Iterator[Metric]:
        yield from self._counted.collect()
        missing: dict[tuple[str, ...], float] = {}
        for source in list(_sources.values()):
            if source.process in self._kinds:
                values = source.values()
                missing[source.name,] = float(values is None)
                for figure, samples in (values or {}).items():
                    yield figure.family(samples)
        if missing:
            yield metrics.FIGURES_MISSING.family(missing)


def registry_of(*kinds: str) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(Exposition(*kinds))
    return registry


def serve(*kinds: str) -> None:
    """Answer scrapes on METRICS_PORT from a thread of its own; 0: do not."""
    if not settings.METRICS_PORT:
        return
    try:
        start_http_server(settings.METRICS_PORT, settings.METRICS_HOST, registry_of(*kinds))
    except OSError as error:
        # The work goes on; Prometheus tells that it cannot scrape.
        log.error("metrics.not_served", port=settings.METRICS_PORT, error=type(error).__name__)


def _counted() -> Collector:
    if MULTIPROCESS_DIR not in os.environ:
        return REGISTRY
    # Several web processes of one gunicorn: their counts are added up, whoever is asked.
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    ProcessCollector(pid=os.getppid, registry=registry)
    return registry
