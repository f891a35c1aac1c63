"""Asks the AI provider through the `openai` SDK."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2
import openai
from openai.types.responses import Response

from apps.ai.provider.answer import Answer, Usage
from apps.ai.provider.errors import (
    ProviderAnswerInvalid,
    ProviderError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
    from_sdk,
)
from apps.ai.provider.event_loop import run_within
from apps.ai.provider.prompts import Question

_CONNECT_SECONDS = 10.0
# The worker's threads are the limit; a smaller one here would let questions wait for a connection
# while their time runs.
_CONNECTIONS = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
_TRACE_BYTES = 10_000

# It names the address of each request, which may carry more than a log should hold.
logging.getLogger("httpx2").setLevel(logging.WARNING)


@dataclass(frozen=True)
class ProviderConfig:
    """A key or a proxy's password is never shown."""

    model: str
    timeout_seconds: float
    api_key: str = field(repr=False)
    base_url: str = field(repr=False)
    proxy: str = field(repr=False)


class Provider:
    """One client for all threads of a process, built at the first question (after any fork)."""

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

    def ask(self, question: Question) -> Answer[str]:
        """One request, never repeated here: the rows retry. Raises a ProviderError."""
        started = self._clock()
        if not self._is_ready():
            raise ProviderRejected("configuration")
        response = run_within(self._config.timeout_seconds, self._request(question))
        if response is None:
            raise ProviderUnavailable("timeout")
        if isinstance(response, ProviderError):
            raise response
        text, usage = response
        return Answer(text, usage, latency_ms=round((self._clock() - started) * 1000))

    def fetch(self, url: str) -> str:
        """A page, on the way that the questions take. Raises OSError where it cannot be had."""
        page = None
        if self._is_ready():
            page = run_within(self._config.timeout_seconds, self._get(url))
        if page is None:
            raise OSError("unreachable")
        return page

    async def _request(self, question: Question) -> tuple[str, Usage] | ProviderError:
        """(the answer's text, what it cost).

        Errors are returned, not raised, so that the SDK's, which quote the provider, never hang on
        ours as their context.
        """
        assert self._client is not None
        try:
            response = await self._client.responses.create(
                model=self._config.model,
                instructions=question.system,
                input=question.user,
                text={
                    "format": {
                        "type": "json_schema",
                        "name": question.name,
                        "schema": question.schema,
                        "strict": True,
                    }
                },
                max_output_tokens=question.max_output_tokens,
                store=False,
            )
            return _read(response)
        except openai.OpenAIError as error:
            return from_sdk(error)
        except Exception:  # noqa: BLE001  what is no HTTP as it should be fails anywhere inside
            return ProviderAnswerInvalid("not_a_response", Usage())

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

    def _is_ready(self) -> bool:
        """Build the clients once, outside of any time limit: certificates take a while to load."""
        config = self._config
        timeout = httpx2.Timeout(
            config.timeout_seconds, connect=min(_CONNECT_SECONDS, config.timeout_seconds)
        )
        with self._lock:
            if self._client is not None:
                return True
            try:
                # The way out is a setting of ours; a stray HTTPS_PROXY must not change it.
                self._http = httpx2.AsyncClient(
                    verify=httpx2.create_ssl_context(trust_env=False),
                    trust_env=False,
                    proxy=config.proxy or None,
                    limits=_CONNECTIONS,
                    timeout=timeout,
                    follow_redirects=False,
                )
                self._client = openai.AsyncOpenAI(
                    api_key=config.api_key,
                    base_url=config.base_url or None,
                    timeout=timeout,
                    max_retries=0,
                    http_client=self._http,
                )
            except openai.OpenAIError:
                return False
            return True


def _read(response: Response) -> tuple[str, Usage] | ProviderError:
    """The SDK does not validate what came: fields may be absent or of another type."""
    usage = _usage(response)
    if response.status == "failed":
        if response.error and response.error.code == "rate_limit_exceeded":
            return ProviderRateLimited("rate_limit")
        return ProviderUnavailable("failed_response")
    if response.status == "incomplete":
        details = getattr(response, "incomplete_details", None)
        is_refused = details is not None and details.reason == "content_filter"
        return ProviderAnswerInvalid("refused" if is_refused else "truncated", usage)
    for item in response.output:
        if item.type == "message" and any(part.type == "refusal" for part in item.content):
            return ProviderAnswerInvalid("refused", usage)
    text = response.output_text
    return (text, usage) if text else ProviderAnswerInvalid("empty", usage)


def _usage(response: Response) -> Usage:
    """Plain servers leave numbers out: those count as zero."""
    usage = getattr(response, "usage", None)
    cached = getattr(getattr(usage, "input_tokens_details", None), "cached_tokens", None)
    return Usage(
        int(getattr(usage, "input_tokens", None) or 0),
        int(getattr(usage, "output_tokens", None) or 0),
        int(cached or 0),
    )
