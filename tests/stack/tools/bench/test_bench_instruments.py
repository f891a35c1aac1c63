"""What `./dev bench` measures with tells the truth: the load client, the receiver, the counters."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.bench import load, usage
from tools.bench.receiver import Receiver

HANGS_UP_EVERY = 5


class Server(BaseHTTPRequestHandler):
    """Answers /N with status N and its own path.

    Now and then it hangs up without a word: after an answer, or when the next request of a
    connection has come, as if the two had crossed on the way.
    """

    protocol_version = "HTTP/1.1"
    served = 0
    has_answered = False

    def do_GET(self) -> None:
        body = self.path.encode()
        Server.served += 1
        if self.has_answered and Server.served % HANGS_UP_EVERY == 1:
            self.close_connection = True
            return
        self.has_answered = True
        self.send_response(int(self.path.split("?")[0][1:]))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = Server.served % HANGS_UP_EVERY == 0

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_the_client_sends_each_request_once_and_keeps_the_answers_in_order(port: int) -> None:
    paths = [f"/200?{number}" for number in range(60)]
    report = load.run(port, [load.request("GET", path) for path in paths], connections=4)

    assert report.bodies == paths
    assert report.must_all_be(200).answers == len(paths)
    assert all(latency > 0 for latency in report.latencies_ms)


def test_the_client_counts_every_status(port: int) -> None:
    requests = [load.request("GET", path) for path in ("/200", "/429", "/500", "/429")]
    report = load.run(port, requests, connections=1)

    assert report.statuses == {"200": 1, "429": 2, "500": 1}
    with pytest.raises(Exception, match="429"):
        report.must_all_be(200)


def test_the_client_goes_round_for_as_long_as_it_is_told(port: int) -> None:
    report = load.run(port, [load.request("GET", "/200")], connections=2, seconds=0.5)

    assert report.seconds >= 0.5
    assert report.answers > 2
    assert not report.bodies


def test_the_receiver_notes_the_first_post_to_each_path() -> None:
    with Receiver() as receiver:
        posts = [load.request("POST", f"/{n % 3}", body=b"x" * 70_000) for n in range(7)]
        load.run(receiver.port, posts, connections=2).must_all_be(200)

        assert sorted(receiver.arrivals) == ["/0", "/1", "/2"]
        assert receiver.repeated == 4


def test_cpu_of_ended_children_is_counted_and_memory_of_living_ones() -> None:
    script = (
        "import subprocess, sys, time\n"
        "burn = 'import time\\nwhile time.process_time() < 0.4: pass'\n"
        "subprocess.run([sys.executable, '-c', burn])\n"
        "big = 'import sys; b = bytearray(b\"x\" * 50_000_000); print(1, flush=True); input()'\n"
        "subprocess.run([sys.executable, '-c', big])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        cpu = usage.cpu_seconds({"it": process.pid})
        memory = usage.memory_mb({"it": process.pid})
        process.stdin.close()
    assert cpu["it"] >= 0.4
    assert memory["it"] > 50
    assert usage.BENCH in cpu
