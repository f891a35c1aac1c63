"""The AI provider, through the `openai` SDK alone, and what its failures mean to us.

ProviderError
├── ProviderUnavailable     not now: broken connection, timeout, 408, 409, 5xx
├── ProviderRateLimited     not now: 429, with the provider's own waiting time where it names one
├── ProviderRejected        never: key, quota, region or request refused (400, 401, 403, 404, …)
└── ProviderAnswerInvalid   an answer came and is of no use: truncated, refused, malformed

No error carries the provider's text, a URL, a key or a word of a prompt, nor has one as its cause.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx2
import openai
from openai.types.responses import Response

from apps.ai.prompts import Question
from apps.ai.provider_waits import wait_seconds

_CONNECT_SECONDS = 10.0
_MAX_CONNECTIONS = 200
_TEMPORARY_STATUSES = frozenset({408, 409, 425})
_FAILED_RATE_LIMIT = "rate_limit_exceeded"


@dataclass(frozen=True)
class Usage:
    """Tokens as the provider counted them."""

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens
        )


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
    """One client for all threads of a process, built at the first question (after any fork)."""

    def __init__(
        self, config: ProviderConfig, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._client: openai.OpenAI | None = None

    @property
    def model(self) -> str:
        return self._config.model

    def ask(self, question: Question) -> Answer:
        """One request, never repeated here: the rows retry. Raises a ProviderError."""
        started = self._clock()
        outcome = self._request(question)
        if isinstance(outcome, ProviderError):
            raise outcome
        usage = _usage(outcome)
        if problem := _problem(outcome, usage):
            raise problem
        return Answer(
            text=outcome.output_text,
            model=str(outcome.model),
            usage=usage,
            latency_ms=round((self._clock() - started) * 1000),
        )

    def _request(self, question: Question) -> Response | ProviderError:
        # Errors are returned, not raised, so that the SDK's never hangs on ours as its context.
        try:
            response: object = self._openai().responses.parse(
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
                # The SDK's own parsing raises on a truncated answer and loses its usage.
                parse_as=None,
                max_output_tokens=question.max_output_tokens,
                store=False,
            )
        except openai.APITimeoutError:
            return ProviderUnavailable("timeout")
        except openai.APIConnectionError:
            return ProviderUnavailable("connection")
        except openai.APIStatusError as error:
            return _of_status(error)
        except openai.OpenAIError:
            return ProviderRejected("configuration")
        except Exception:  # noqa: BLE001  a body that is no response fails anywhere inside the SDK
            return ProviderAnswerInvalid("not_a_response", Usage())
        if not isinstance(response, Response):
            return ProviderAnswerInvalid("not_a_response", Usage())
        return response

    def _openai(self) -> openai.OpenAI:
        with self._lock:
            if self._client is None:
                config = self._config
                timeout = httpx2.Timeout(
                    config.timeout_seconds,
                    connect=min(_CONNECT_SECONDS, config.timeout_seconds),
                )
                self._client = openai.OpenAI(
                    api_key=config.api_key,
                    base_url=config.base_url or None,
                    timeout=timeout,
                    max_retries=0,
                    http_client=httpx2.Client(
                        proxy=config.proxy or None,
                        # The way out is a setting of ours; a stray HTTPS_PROXY must not change it.
                        trust_env=False,
                        timeout=timeout,
                        follow_redirects=False,
                        limits=httpx2.Limits(
                            max_connections=_MAX_CONNECTIONS,
                            max_keepalive_connections=_MAX_CONNECTIONS,
                        ),
                    ),
                )
            return self._client


def _of_status(error: openai.APIStatusError) -> ProviderError:
    status = error.status_code
    wait = wait_seconds(error.response.headers)
    if status == 429:
        if "insufficient_quota" in (error.code, error.type):
            return ProviderRejected("insufficient_quota")
        return ProviderRateLimited("rate_limit", wait)
    if status >= 500 or status in _TEMPORARY_STATUSES:
        return ProviderUnavailable(f"status_{status}", wait)
    return ProviderRejected(f"status_{status}")


def _usage(response: Response) -> Usage:
    usage = response.usage
    if usage is None:
        return Usage()
    return Usage(int(usage.input_tokens or 0), int(usage.output_tokens or 0))


def _problem(response: Response, usage: Usage) -> ProviderError | None:
    if response.status == "failed":
        if response.error is not None and response.error.code == _FAILED_RATE_LIMIT:
            return ProviderRateLimited("rate_limit")
        return ProviderUnavailable("failed_response")
    if response.status == "incomplete":
        reason = response.incomplete_details.reason if response.incomplete_details else None
        return ProviderAnswerInvalid(
            "refused" if reason == "content_filter" else "truncated", usage
        )
    contents = [c for item in response.output or [] if item.type == "message" for c in item.content]
    if any(content.type == "refusal" for content in contents):
        return ProviderAnswerInvalid("refused", usage)
    if not response.output_text:
        return ProviderAnswerInvalid("empty", usage)
    return None
