"""The callback sink records byte for byte and misbehaves as it is told."""

import threading
from collections.abc import Iterator

import pytest
import requests

from devstack.callback_sink import Handler, Records, Server


@pytest.fixture
def sink() -> Iterator[str]:
    handler = type("FreshHandler", (Handler,), {"records": Records()})
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_was_posted_is_given_back_byte_for_byte(sink):
    body = '{"success": true,  "verdict": "Подходит"}'.encode()
    requests.post(f"{sink}/a", data=body, headers={"webhook-id": "msg_1"}, timeout=5)
    requests.post(f"{sink}/b", timeout=5)

    [record] = requests.get(f"{sink}/received", params={"path": "/a"}, timeout=5).json()
    assert record["body"].encode() == body
    assert record["headers"]["webhook-id"] == "msg_1"

    requests.delete(f"{sink}/received", timeout=5)
    assert requests.get(f"{sink}/received", timeout=5).json() == []


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("/anything", [200, 200]),
        ("/status/410", [410, 410]),
        ("/flaky/2/x", [500, 500, 200, 200]),
        ("/status/302", [302]),
    ],
)
def test_paths_choose_the_answer(sink, path, statuses):
    answers = [
        requests.post(sink + path, timeout=5, allow_redirects=False).status_code for _ in statuses
    ]
    assert answers == statuses
