"""Which failures wait for another attempt, and what the client is told of those that do not."""

import math
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.ai.provider import (
    ProviderAnswerInvalid,
    ProviderError,
    ProviderRateLimited,
    ProviderUnavailable,
    Usage,
)
from apps.ai.rubrics import NothingDemanded

NO_USAGE = Usage()

# What a client is told to wait where the provider named no time of its own.
_DEFAULT_WAIT = 60.0


@dataclass(frozen=True)
class Failure:
    """A final failure. `sentence` is for the client and holds no text of the provider's."""

    code: str
    sentence: str
    usage: Usage = NO_USAGE
    wait_seconds: int | None = None


@dataclass(frozen=True)
class Later:
    """Try again after `seconds`; None leaves the time to the policy."""

    reason: str
    seconds: float | None


def judge_failure(
    error: ProviderError | NothingDemanded, *, is_last: bool, max_wait: float
) -> Failure | Later:
    """Pure: what an error means at this attempt."""
    if isinstance(error, NothingDemanded):
        return Failure(
            "nothing_demanded",
            _("The requirements hold nothing that a resume could be judged by."),
            error.usage,
        )
    if isinstance(error, ProviderRateLimited):
        wait = error.wait if error.wait is not None else _DEFAULT_WAIT
        if is_last or wait > max_wait:
            return Failure(
                "rate_limited",
                _("The AI provider's limit is reached. Try again later."),
                wait_seconds=min(math.ceil(wait), 2**31 - 1),
            )
        return Later("provider_rate_limited", error.wait)
    if isinstance(error, ProviderUnavailable):
        if is_last:
            return Failure(
                "provider_unavailable", _("The AI provider is not available. Try again later.")
            )
        wait_is_bearable = error.wait is not None and error.wait <= max_wait
        return Later("provider_unavailable", error.wait if wait_is_bearable else None)
    if isinstance(error, ProviderAnswerInvalid):
        return Failure(
            "answer_invalid", _("The AI gave no answer that could be used."), error.usage
        )
    return Failure("provider_rejected", _("The AI provider refused the request."))
