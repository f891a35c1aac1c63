"""The AI provider, through the `openai` SDK alone, and what its failures mean to us.

ProviderError
├── ProviderUnavailable     not now: broken connection, timeout, 408, 409, 5xx
├── LimitReached            not now: our own limits, or the provider's waiting time told to another
├── ProviderRateLimited     not now: 429, with the provider's own waiting time where it names one
├── ProviderRejected        never: key, quota, region or request refused (400, 401, 403, 404, …)
└── ProviderAnswerInvalid   an answer came and is of no use: truncated, refused, malformed

No error carries the provider's text, a URL, a key or a word of a prompt, nor has one as its cause.
"""

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import openai

from apps.ai.connections import OneEach
from apps.ai.prompts import Question
from apps.ai.provider_waits import wait_seconds
from apps.ai.reply import Reply, Usage, read_reply

_CONNECT_SECONDS = 10.0
_TEMPORARY_STATUSES = frozenset({408, 409, 425})
_FAILED_RATE_LIMIT = "rate_limit_exceeded"
_REFUSED_REGION = "unsupported_country_region_territory"
_TRACE_BYTES = 10_000

T = TypeVar("T")

# It names the address of each request, which may carry more than a log should hold.
logging.getLogger("httpx2").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Answer:
    text: str
    model: str
    usage: Usage
    latency_ms: int


class ProviderError(Exception):
    """`reason` is a constant word for logs and rows."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderUnavailable(ProviderError):
    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class LimitReached(ProviderError):
    """`wait` seconds until our turn comes; `is_final` where that is longer than anybody waits."""

    def __init__(self, reason: str, wait: float, *, is_final: bool) -> None:
        super().__init__(reason)
        self.wait = wait
        self.is_final = is_final


class ProviderRateLimited(ProviderError):
    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class ProviderRejected(ProviderError):
    pass


class ProviderAnswerInvalid(ProviderError):
    """What was paid for it is in `usage`."""

    def __init__(self, reason: str, usage: Usage) -> None:
        super().__init__(reason)
        self.usage = usage


@dataclass(frozen=True)
class ProviderConfig:
    api_key: str
    base_url: str
    model: str
    proxy: str
    timeout_seconds: float

    def __repr__(self) -> str:
        return f"ProviderConfig(model={self.model!r})"  # a key or a proxy's password is never shown


class Provider:
    """One client for all threads of a process, built at the first question (after any fork).

    The questions run in an event loop of their own: there a timeout is the whole answer's, while a
    blocking client's is per read and a provider that drips bytes would hold a thread for ever.
    """

    def __init__(
        self, config: ProviderConfig, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._client: openai.AsyncOpenAI | None = None
        self._http: httpx2.AsyncClient | None = None

    @property
    def model(self) -> str:
        return self._config.model

    def ask(self, question: Question) -> Answer:
        """One request, never repeated here: the rows retry. Raises a ProviderError."""
        if not self._is_ready():
            raise ProviderRejected("configuration")
        started = self._clock()
        outcome = self._within_time(self._request(question))
        if outcome is None:
            raise ProviderUnavailable("timeout")
        if isinstance(outcome, ProviderError):
            raise outcome
        reply = read_reply(outcome)
        if reply is None:
            raise ProviderAnswerInvalid("not_a_response", Usage())
        if problem := _problem(reply):
            raise problem
        return Answer(
            text=reply.text,
            model=reply.model,
            usage=reply.usage,
            latency_ms=round((self._clock() - started) * 1000),
        )

    def fetch(self, url: str) -> str:
        """A page, on the way that the questions take. Raises OSError where it cannot be had."""
        page = self._within_time(self._get(url)) if self._is_ready() else None
        if page is None:
            raise OSError("unreachable")
        return page

    def _within_time(self, work: Coroutine[Any, Any, T]) -> T | None:
        """What the work returns; None when the time is over, and then the work is cancelled."""
        limit = self._config.timeout_seconds

        async def bounded() -> T | None:
            try:
                async with asyncio.timeout(limit):
                    return await work
            except TimeoutError:
                return None

        future = asyncio.run_coroutine_threadsafe(bounded(), _loop())
        try:
            return future.result(limit + _CONNECT_SECONDS)
        except concurrent.futures.TimeoutError:
            future.cancel()
            return None

    async def _get(self, url: str) -> str | None:
        assert self._http is not None
        try:
            async with self._http.stream("GET", url) as response:
                if response.status_code != 200:
                    return None
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _TRACE_BYTES:
                        return None
                return body.decode("utf-8", "replace")
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return None

    async def _request(self, question: Question) -> bytes | ProviderError:
        """The response's body."""
        assert self._client is not None
        # Errors are returned, not raised, so that the SDK's never hangs on ours as its context.
        try:
            # Not by responses.create: it looks at each key of the body, and of our schema, for one
            # that it would rename.
            response = await self._client.post(
                "/responses",
                cast_to=httpx2.Response,
                body={
                    "model": self._config.model,
                    "instructions": question.system,
                    "input": question.user,
                    "text": {
                        "format": {
                            "type": "json_schema",
                            "name": question.name,
                            "schema": question.schema,
                            "strict": True,
                        }
                    },
                    "max_output_tokens": question.max_output_tokens,
                    "store": False,
                },
                # The key of the settings, never an administrator's from the environment.
                options={"security": {"bearer_auth": True}},
            )
            return response.content
        except openai.APITimeoutError:
            return ProviderUnavailable("timeout")
        except openai.APIConnectionError:
            return ProviderUnavailable("connection")
        except openai.APIStatusError as error:
            return _of_status(error)
        except openai.OpenAIError:
            return ProviderRejected("configuration")
        except Exception:  # noqa: BLE001  what is no HTTP as it should be fails anywhere inside
            return ProviderAnswerInvalid("not_a_response", Usage())

    def _is_ready(self) -> bool:
        """Build the clients once, outside of any time limit: certificates take a while to load."""
        with self._lock:
            if self._client is None:
                try:
                    self._http = self._new_http_client()
                    self._client = openai.AsyncOpenAI(
                        api_key=self._config.api_key,
                        base_url=self._config.base_url or None,
                        timeout=self._timeout(),
                        max_retries=0,
                        http_client=self._http,
                    )
                except openai.OpenAIError:
                    return False
            return True

    def _new_http_client(self) -> httpx2.AsyncClient:
        # The way out is a setting of ours; a stray HTTPS_PROXY must not change it.
        certificates = httpx2.create_ssl_context(trust_env=False)
        proxy = httpx2.Proxy(self._config.proxy) if self._config.proxy else None

        def transport() -> httpx2.AsyncHTTPTransport:
            return httpx2.AsyncHTTPTransport(verify=certificates, trust_env=False, proxy=proxy)

        # The worker's threads are the limit; one of the connections' would let questions wait for
        # one while their time runs.
        return httpx2.AsyncClient(
            transport=OneEach(transport),
            trust_env=False,
            timeout=self._timeout(),
            follow_redirects=False,
        )

    def _timeout(self) -> httpx2.Timeout:
        limit = self._config.timeout_seconds
        return httpx2.Timeout(limit, connect=min(_CONNECT_SECONDS, limit))


_loop_lock = threading.Lock()
_running: list[asyncio.AbstractEventLoop] = []


def _loop() -> asyncio.AbstractEventLoop:
    """The process's event loop, in a thread that ends with the process."""
    with _loop_lock:
        if not _running:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="ai-provider", daemon=True).start()
            _running.append(loop)
        return _running[0]


def _of_status(error: openai.APIStatusError) -> ProviderError:
    status = error.status_code
    wait = wait_seconds(error.response.headers)
    if status == 429:
        if "insufficient_quota" in (error.code, error.type):
            return ProviderRejected("insufficient_quota")
        return ProviderRateLimited("rate_limit", wait)
    if status >= 500 or status in _TEMPORARY_STATUSES:
        return ProviderUnavailable(f"status_{status}", wait)
    if _REFUSED_REGION in (error.code, error.type):
        return ProviderRejected("region")
    return ProviderRejected(f"status_{status}")


def _problem(reply: Reply) -> ProviderError | None:
    if reply.status == "failed":
        if reply.error == _FAILED_RATE_LIMIT:
            return ProviderRateLimited("rate_limit")
        return ProviderUnavailable("failed_response")
    if reply.status == "incomplete":
        is_refused = reply.incomplete == "content_filter"
        return ProviderAnswerInvalid("refused" if is_refused else "truncated", reply.usage)
    if reply.is_refused:
        return ProviderAnswerInvalid("refused", reply.usage)
    if not reply.text:
        return ProviderAnswerInvalid("empty", reply.usage)
    return None
