"""Decides which failures wait for another attempt, and what the client is told of the others."""

import math
import random

import structlog
from django.conf import settings

from apps.ai.language import Language
from apps.ai.pipeline.outcome import Outcome
from apps.ai.provider.errors import (
    LimitReached,
    ProviderAnswerInvalid,
    ProviderError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from apps.ai.rubric.store import NothingDemanded, RubricInTheMaking
from kafka_bridge.tasks import RetryLater

log = structlog.get_logger(__name__)

# As long again as the rubric has been in the making: a quick one is not missed, a slow one is not
# asked for by hundreds of rows twice a second.
_RUBRIC_WAIT_SECONDS = (0.3, 3.0)
_WAIT_SPREAD = 0.2  # so that what waited for one limit does not come back in one instant
# How long a client is to wait where the provider named no time of its own.
_DEFAULT_WAIT = 60.0

# In the language of the requirements, like everything that a judgement says. No word of the
# provider's, no address and no key is among them.
SENTENCES: dict[str, dict[Language, str]] = {
    "nothing_demanded": {
        "en": "The requirements hold nothing that a resume could be judged by.",
        "ru": "В тексте требований нет ни одного требования, по которому можно оценить резюме.",
    },
    "cancelled": {
        "en": "The staff cancelled the processing.",
        "ru": "Обработку отменил сотрудник сервиса.",
    },
    "rate_limited": {
        "en": "The AI's limit is reached. Try again later.",
        "ru": "Лимит обращений к ИИ исчерпан. Повторите попытку позже.",
    },
    "provider_unavailable": {
        "en": "The AI provider is not available. Try again later.",
        "ru": "Сервис ИИ недоступен. Повторите попытку позже.",
    },
    "answer_invalid": {
        "en": "The AI gave no answer that could be used.",
        "ru": "ИИ не дал ответа, которым можно воспользоваться.",
    },
    "provider_rejected": {
        "en": "The AI provider refused the request.",
        "ru": "Сервис ИИ отклонил запрос.",
    },
    "quota_exhausted": {
        "en": "The account with the AI provider has run out of funds.",
        "ru": "На счёте у поставщика ИИ закончились средства.",
    },
    "region_refused": {
        "en": "The AI may not be asked from the country that the request would leave from.",
        "ru": "К ИИ нельзя обращаться из страны, из которой вышел бы запрос.",
    },
    "egress_unknown": {
        "en": "The country that the request would leave from could not be verified.",
        "ru": "Не удалось проверить, из какой страны вышел бы запрос к ИИ.",
    },
}
_REJECTIONS = {
    "insufficient_quota": "quota_exhausted",
    "region": "region_refused",
    "egress_blocked": "region_refused",
}


# Reasons that a row names; all others are the provider's.
_OURS = frozenset({"egress_unknown", "circuit_open"})


def final_outcome(
    error: ProviderError | NothingDemanded | RubricInTheMaking, *, is_last: bool
) -> Outcome:
    """The failure to send. Raises RetryLater where another attempt may help."""
    meaning = meaning_of(error, is_last=is_last, max_wait=float(settings.AI_MAX_WAIT_SECONDS))
    if isinstance(meaning, RetryLater):
        if meaning.seconds is not None and meaning.counted:
            meaning.seconds *= 1 + random.uniform(0, _WAIT_SPREAD)  # noqa: S311  spreads load
        raise meaning from None
    log.warning("ai.failed", error_code=meaning.error_code, reason=str(error))
    return meaning


def meaning_of(
    error: ProviderError | NothingDemanded | RubricInTheMaking, *, is_last: bool, max_wait: float
) -> Outcome | RetryLater:
    """What an error means at this attempt. A wait for a limit of ours is no attempt."""
    match error:
        case RubricInTheMaking():
            shortest, longest = _RUBRIC_WAIT_SECONDS
            wait = max(shortest, min(longest, error.seconds))
            return RetryLater("rubric_in_the_making", seconds=wait, counted=False)
        case NothingDemanded():
            return Outcome(error_code="nothing_demanded")
        case LimitReached(is_final=True):
            return Outcome(error_code="rate_limited", wait_seconds=_whole(error.wait))
        case LimitReached():
            return RetryLater(error.reason, seconds=error.wait, counted=False)
        case ProviderRateLimited():
            wait = error.wait if error.wait is not None else _DEFAULT_WAIT
            if is_last or wait > max_wait:
                return Outcome(error_code="rate_limited", wait_seconds=_whole(wait))
            return RetryLater("provider_rate_limited", seconds=error.wait)
        case ProviderUnavailable():
            reason = error.reason if error.reason in _OURS else "provider_unavailable"
            if is_last:
                is_egress = reason == "egress_unknown"
                return Outcome(error_code=reason if is_egress else "provider_unavailable")
            is_bearable = error.wait is not None and error.wait <= max_wait
            is_named = is_bearable and reason != "circuit_open"
            return RetryLater(reason, seconds=error.wait if is_named else None)
        case ProviderAnswerInvalid():
            return Outcome(error_code="answer_invalid")
        case ProviderRejected():
            return Outcome(error_code=_REJECTIONS.get(error.reason, "provider_rejected"))
    return Outcome(error_code="provider_rejected")


def _whole(seconds: float) -> int:
    return min(math.ceil(seconds), 2**31 - 1)
