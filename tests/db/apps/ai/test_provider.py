"""What a provider's failures mean, seen through the real SDK on real sockets."""

import asyncio
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from apps.ai.provider.answer import Usage
from apps.ai.provider.errors import (
    ProviderAnswerInvalid,
    ProviderError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from apps.ai.provider.prompts import rubric_question
from tests.db.apps.ai.proxies import CERTIFICATE, running_proxy, running_tls_front

SECRET = "Требуется Секретный Агент"
QUESTION = rubric_question(f"- {SECRET}\n- Python\n- Docker")


def openai_error(kind: str, code: str | None = None) -> dict[str, object]:
    message = f"You sent {SECRET} with key-that-nobody-may-see to https://api.example"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def fails_with(provider, error: type[ProviderError]) -> ProviderError:
    with pytest.raises(error) as caught:
        provider.ask(QUESTION)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__dict__)
    for word in (SECRET, "key-that-nobody-may-see", "api.example", "http://"):
        assert word not in shown
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def test_an_answer_brings_its_text_and_what_it_cost(make_provider):
    answer = make_provider().ask(QUESTION)
    assert '"criteria"' in answer.value
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0


@pytest.mark.parametrize(
    ("fault", "error", "wait"),
    [
        ({"status": 429, "headers": {"retry-after": "7"}}, ProviderRateLimited, 7.0),
        ({"status": 429, "headers": {"retry-after-ms": "250"}}, ProviderRateLimited, 0.25),
        ({"status": 429}, ProviderRateLimited, None),
        (
            {
                "status": 429,
                "headers": {
                    "x-ratelimit-remaining-requests": "0",
                    "x-ratelimit-reset-requests": "1m30s",
                    "x-ratelimit-remaining-tokens": "99",
                    "x-ratelimit-reset-tokens": "2h",
                },
            },
            ProviderRateLimited,
            90.0,
        ),
        ({"status": 500}, ProviderUnavailable, None),
        ({"status": 503, "headers": {"retry-after": "3"}}, ProviderUnavailable, 3.0),
        ({"status": 408}, ProviderUnavailable, None),
    ],
)
def test_what_passes_is_to_be_waited_for(standin, make_provider, fault, error, wait):
    standin.order(fail=[{"body": openai_error("server_error"), **fault}])
    assert fails_with(make_provider(), error).wait == wait
    assert standin.calls("rubric") == 1  # the SDK repeats nothing


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "body": openai_error("insufficient_quota", "insufficient_quota")},
        {"status": 400, "body": openai_error("invalid_request_error")},
        {"status": 401, "body": openai_error("invalid_request_error", "invalid_api_key")},
        {"status": 403, "body": openai_error("x", "unsupported_country_region_territory")},
        {"status": 404, "body": openai_error("invalid_request_error", "model_not_found")},
        {"status": 302, "headers": {"location": "http://127.0.0.1:9/"}, "body": {}},
    ],
)
def test_what_will_not_pass_is_final(standin, make_provider, fault):
    standin.order(fail=[fault])
    fails_with(make_provider(), ProviderRejected)
    assert standin.calls("rubric") == 1


@pytest.mark.parametrize(
    ("mode", "reason", "is_paid"),
    [
        ("truncated", "truncated", True),
        ("refused", "refused", True),
        ("garbage", "not_a_response", False),
    ],
)
def test_a_useless_answer_keeps_what_it_cost(standin, make_provider, mode, reason, is_paid):
    standin.order(fail=[{"mode": mode}])
    error = fails_with(make_provider(), ProviderAnswerInvalid)
    assert error.reason == reason
    assert bool(error.usage.output_tokens) == is_paid


@pytest.mark.parametrize("body", [[], {}, "text", {"output": None}, None])
def test_json_that_is_no_response_is_a_useless_answer(standin, make_provider, body):
    standin.order(fail=[{"status": 200, "body": body if body is not None else [None]}])
    fails_with(make_provider(), ProviderAnswerInvalid)


def response(**changes: object) -> dict[str, object]:
    message = {"type": "message", "content": [{"type": "output_text", "text": "{}"}]}
    return {"model": "m", "status": "completed", "output": [message], "usage": None, **changes}


@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        ({"status": "failed", "error": {"code": "rate_limit_exceeded"}}, ProviderRateLimited, ""),
        ({"status": "failed", "error": {"code": "x"}}, ProviderUnavailable, "failed_response"),
        ({"status": "failed", "error": None}, ProviderUnavailable, "failed_response"),
        ({"status": "incomplete"}, ProviderAnswerInvalid, "truncated"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            ProviderAnswerInvalid,
            "refused",
        ),
        ({"output": []}, ProviderAnswerInvalid, "empty"),
        (
            {"output": [{"type": "message", "content": None}]},
            ProviderAnswerInvalid,
            "not_a_response",
        ),
        ({"output": [{"type": "reasoning"}]}, ProviderAnswerInvalid, "empty"),
        ({"output": [{}]}, ProviderAnswerInvalid, "empty"),
        ({"output": "words"}, ProviderAnswerInvalid, "not_a_response"),
        ({"usage": {"input_tokens": 1e999}}, ProviderAnswerInvalid, "not_a_response"),
    ],
)
def test_a_response_without_an_answer_in_it(standin, make_provider, changes, error, reason):
    standin.order(fail=[{"status": 200, "body": response(**changes)}])
    assert fails_with(make_provider(), error).reason == (reason or "rate_limit")


def test_what_a_plain_server_leaves_out_is_not_needed(standin, make_provider):
    standin.order(fail=[{"status": 200, "body": response(output=[
        {"type": "reasoning", "summary": []},
        *response()["output"],
        {"type": "message", "content": [{"type": "output_text", "text": " "}]},
    ], usage={"input_tokens": 7, "output_tokens": None})}])  # fmt: skip
    answer = make_provider().ask(QUESTION)
    assert (answer.value, answer.usage) == ("{} ", Usage(7, 0, 0))


def test_silence_and_broken_connections_are_unavailability(standin, make_provider):
    standin.order(fail=[{"mode": "hang", "seconds": 2}, {"mode": "reset"}])
    assert fails_with(make_provider(timeout_seconds=0.3), ProviderUnavailable).reason == "timeout"
    assert fails_with(make_provider(), ProviderUnavailable).reason == "connection"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        assert fails_with(make_provider(base_url=url), ProviderUnavailable).reason == "connection"


def test_a_provider_that_drips_bytes_holds_nobody_longer_than_the_timeout(standin, make_provider):
    standin.order(fail=[{"mode": "drip", "seconds": 4}])
    started = time.monotonic()
    assert fails_with(make_provider(timeout_seconds=0.5), ProviderUnavailable).reason == "timeout"
    assert time.monotonic() - started < 1.5


def test_the_proxy_is_the_way_out_and_the_environments_is_not(standin, make_provider, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    make_provider().ask(QUESTION)
    fails_with(make_provider(proxy="http://127.0.0.1:9"), ProviderUnavailable)


@pytest.fixture
def trusted(monkeypatch):
    """The machine trusts the certificate of the proxies and of the TLS front."""
    paths = ssl.get_default_verify_paths()._replace(openssl_cafile=str(CERTIFICATE))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("api", ["http", "https"])
@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
def test_questions_and_the_look_at_the_country_take_the_same_proxy(
    standin, make_provider, scheme, api
):
    with (
        running_proxy(is_tls=scheme == "https") as proxy,
        running_tls_front(standin.base) as by_tls,
    ):
        base = by_tls if api == "https" else standin.base
        at = {"proxy": f"{scheme}://127.0.0.1:{proxy.server_address[1]}", "base_url": f"{base}/v1"}
        provider = make_provider(**at)
        assert "loc=NL" in provider.fetch(f"{base}/cdn-cgi/trace")
        assert proxy.passed == 1
        provider.ask(QUESTION)
        # The connection may be kept, but never goes around the proxy.
        assert proxy.passed >= 1
        gone = at | {"proxy": f"{scheme}://127.0.0.1:9"}
        with pytest.raises(OSError, match="unreachable"):
            make_provider(**gone).fetch(f"{base}/cdn-cgi/trace")
        fails_with(make_provider(**gone), ProviderUnavailable)


def test_a_proxy_that_the_machine_does_not_trust_is_not_used(standin, make_provider):
    with running_proxy(is_tls=True) as proxy:
        provider = make_provider(proxy=f"https://127.0.0.1:{proxy.server_address[1]}")
        fails_with(provider, ProviderUnavailable)
        assert proxy.passed == 0


def test_as_many_questions_are_on_their_way_as_threads_ask(make_provider):
    """All are answered when all have come, so one that waits for another ends in a timeout."""
    many = 120  # the HTTP client's own default is 100 connections
    with server_that_hangs_up_on(many) as (url, arrived):
        provider = make_provider(base_url=f"{url}/v1", timeout_seconds=60.0)
        with ThreadPoolExecutor(many) as threads:
            asked = [threads.submit(provider.ask, QUESTION) for _ in range(many)]
        assert arrived() == many
        assert {str(question.exception()) for question in asked} == {"connection"}


@contextmanager
def server_that_hangs_up_on(many: int) -> Iterator[tuple[str, Callable[[], int]]]:
    """Its address and how many requests came; when so many are there it hangs up on all."""
    all_came, writers = asyncio.Event(), []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writers.append(writer)
        if len(writers) >= many:
            all_came.set()
        await all_came.wait()
        writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(meet, "127.0.0.1", 0, backlog=many))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", lambda: len(writers)
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
