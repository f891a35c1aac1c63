"""What the failures of the AI provider mean to us.

ProviderError
├── ProviderUnavailable     not now: broken connection, timeout, open circuit, 408, 409, 5xx
├── LimitReached            not now: our own rate limit, or a waiting time that the provider named
├── ProviderRateLimited     not now: 429, with the provider's own waiting time where it names one
├── ProviderRejected        never: key, quota, region or request refused (400, 401, 403, 404, …)
└── ProviderAnswerInvalid   an answer came and is of no use: truncated, refused, malformed

No error carries the provider's text, a URL, a key or a word of a prompt, nor has one as its cause.
"""

import openai

from apps.ai.provider.answer import Usage
from apps.ai.provider.retry_after import wait_seconds

_TEMPORARY_STATUSES = frozenset({408, 409, 425})
_REFUSED_REGION = "unsupported_country_region_territory"


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
    """Free again after `wait` seconds; `is_final` where nobody waits that long."""

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


def from_sdk(error: openai.OpenAIError) -> ProviderError:
    """What an error of the SDK means."""
    if isinstance(error, openai.APITimeoutError):
        return ProviderUnavailable("timeout")
    if isinstance(error, openai.APIConnectionError):
        return ProviderUnavailable("connection")
    if not isinstance(error, openai.APIStatusError):
        return ProviderRejected("configuration")
    status, codes = error.status_code, (error.code, error.type)
    wait = wait_seconds(error.response.headers)
    if status == 429:
        if "insufficient_quota" in codes:
            return ProviderRejected("insufficient_quota")
        return ProviderRateLimited("rate_limit", wait)
    if status >= 500 or status in _TEMPORARY_STATUSES:
        return ProviderUnavailable(f"status_{status}", wait)
    return ProviderRejected("region" if _REFUSED_REGION in codes else f"status_{status}")
