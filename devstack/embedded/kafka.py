"""A Kafka broker in a process of its own: the mock cluster inside librdkafka.

It keeps everything in memory, forgets it when it ends, and picks its own port, which it writes
into a file. Run as `python -m devstack.embedded.kafka --address-file PATH TOPIC...`.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from confluent_kafka import KafkaException, Producer

from devstack.files import write_atomically
from devstack.process import Process, Spec
from devstack.readiness import port_answers

TOUCH_SECONDS = 10


class EmbeddedKafka:
    def __init__(
        self,
        directory: Path,
        *,
        topics: Callable[[], Sequence[str]],
        came_up: Callable[[str], None],
    ) -> None:
        """`came_up` is told the address after every start; it is another one each time."""
        self._address_file = directory / "kafka.address"
        self._topics = topics
        self._came_up = came_up

    def spec(self, *, restarts: tuple[str, ...] = ()) -> Spec:
        return Spec(
            name="kafka",
            command=self._command,
            prepare=lambda: self._address_file.unlink(missing_ok=True),
            ready=self._answers,
            when_ready=lambda: self._came_up(self.address),
            restarts=restarts,
            stop_seconds=2.0,
        )

    @property
    def address(self) -> str:
        return self._address_file.read_text().strip()

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "devstack.embedded.kafka"]
        return [*command, "--address-file", str(self._address_file), *self._topics()]

    def _answers(self, _process: Process) -> bool:
        if not self._address_file.exists():
            return False
        host, _, port = self.address.rpartition(":")
        return port_answers(host, int(port))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address-file", type=Path, required=True)
    parser.add_argument("topics", nargs="+")
    arguments = parser.parse_args()
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    cluster = Producer({"test.mock.num.brokers": 1, "log_level": 3})
    try:
        for topic in arguments.topics:
            # Asking for a topic makes it; the broker answers no admin requests.
            cluster.list_topics(topic, timeout=TOUCH_SECONDS)
        brokers = cluster.list_topics(timeout=TOUCH_SECONDS).brokers.values()
    except KafkaException as error:
        sys.exit(f"the broker does not answer: {error}")
    address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    print(f"listening on {address}, everything in memory", flush=True)
    write_atomically(arguments.address_file, address + "\n")
    signal.sigwait(signals)


if __name__ == "__main__":
    main()
