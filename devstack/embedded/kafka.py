"""A Kafka broker in a process of its own: the mock cluster inside librdkafka.

It keeps everything in memory, forgets it when it ends, and picks its own port, which it writes
into a file. Run as `python -m devstack.embedded.kafka --address-file PATH TOPIC...`.
"""

import argparse
import ctypes
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from confluent_kafka import cimpl

from devstack.files import write_atomically
from devstack.process import Process, Spec
from devstack.readiness import port_answers

PARTITIONS = 4
JOIN_DELAY_MS = 50
_PRODUCER = 0  # RD_KAFKA_PRODUCER


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
    address = start_mock_cluster(arguments.topics)
    print(f"listening on {address}, everything in memory", flush=True)
    write_atomically(arguments.address_file, address + "\n")
    signal.sigwait(signals)


def start_mock_cluster(topics: Sequence[str]) -> str:
    """Returns the address. The cluster lives until this process ends.

    Through the C interface (rdkafka_mock.h) of the library that confluent-kafka brings, because
    the setting `test.mock.num.brokers` leaves each join of a consumer group waiting for 3 seconds.
    """
    library = ctypes.CDLL(cimpl.__file__)  # its symbols and those of the librdkafka it is linked to
    library.rd_kafka_conf_new.restype = ctypes.c_void_p
    library.rd_kafka_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    reason = ctypes.create_string_buffer(512)
    configuration = ctypes.c_void_p(library.rd_kafka_conf_new())
    library.rd_kafka_conf_set(configuration, b"log_level", b"3", reason, len(reason))
    handle = library.rd_kafka_new(_PRODUCER, configuration, reason, ctypes.c_size_t(len(reason)))
    cluster = handle and library.rd_kafka_mock_cluster_new(ctypes.c_void_p(handle), 1)
    if not cluster:
        sys.exit(f"the mock cluster could not be made: {reason.value.decode(errors='replace')}")
    cluster = ctypes.c_void_p(cluster)
    library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, JOIN_DELAY_MS)
    for topic in topics:
        library.rd_kafka_mock_topic_create(cluster, topic.encode(), PARTITIONS, 1)
    return str(library.rd_kafka_mock_cluster_bootstraps(cluster).decode())


if __name__ == "__main__":
    main()
