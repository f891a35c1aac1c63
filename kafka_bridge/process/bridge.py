"""The bridge process: relay, intake, dispatcher, periodic jobs and liveness, a thread each."""

import signal
import threading
from collections.abc import Callable
from types import FrameType

import structlog

from kafka_bridge.dispatch.dispatcher import Dispatcher
from kafka_bridge.inbox.consumer import Intake
from kafka_bridge.jobs import housekeeping, retention  # noqa: F401  register themselves
from kafka_bridge.jobs.periodic import Periodic
from kafka_bridge.outbox.relay import Relay
from kafka_bridge.process import scrape_metrics  # noqa: F401  registers itself
from kafka_bridge.runtime.liveness import LivenessReporter, kafka_probe
from kafka_bridge.tasks.registry import load_handlers
from resume_platform.observability import exporter, liveness
from resume_platform.observability.error_description import describe

log = structlog.get_logger(__name__)

JOIN_SECONDS = 20.0


class Bridge:
    """`run` returns an exit status: 0 after a signal, 1 when a part failed."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._failed = False

    def run(self) -> int:
        load_handlers()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        relay, intake, dispatcher = (part(self._stop) for part in (Relay, Intake, Dispatcher))
        reporter = LivenessReporter(
            self._stop,
            loops={
                liveness.RELAY: relay.liveness,
                liveness.INTAKE: intake.liveness,
                liveness.DISPATCHER: dispatcher.liveness,
            },
            reaches_kafka=kafka_probe(),
        )
        parts: dict[str, Callable[[], None]] = {
            "relay": relay.run,
            "intake": intake.run,
            "dispatcher": dispatcher.run,
            "periodic": Periodic(self._stop).run,
            "liveness": reporter.run,
        }
        exporter.serve("bridge")
        threads = [
            threading.Thread(target=self._guard, args=(name, part), name=name, daemon=True)
            for name, part in parts.items()
        ]
        for thread in threads:
            thread.start()
        log.info("bridge.started")
        while not self._stop.wait(1.0):
            pass
        for thread in threads:
            thread.join(JOIN_SECONDS)
        log.info("bridge.stopped", failed=self._failed)
        return int(self._failed)

    def _guard(self, name: str, part: Callable[[], None]) -> None:
        try:
            part()
        except Exception as error:  # noqa: BLE001  one part down: the process ends and is restarted
            self._failed = True
            log.error("bridge.part_failed", part=name, error=describe(error))
        finally:
            self._stop.set()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        log.info("bridge.signal", number=number)
        self._stop.set()
