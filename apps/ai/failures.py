"""Which failures wait for another attempt, and what the client is told of those that do not."""

import math
from dataclasses import dataclass

from apps.ai.language import Language
from apps.ai.provider import (
    LimitReached,
    ProviderAnswerInvalid,
    ProviderError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from apps.ai.rubrics import NothingDemanded

# What a client is told to wait where the provider named no time of its own.
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


@dataclass(frozen=True)
class Failure:
    """A final failure; `code` names its sentence."""

    code: str
    wait_seconds: int | None = None

    def sentence(self, language: Language) -> str:
        """For the client."""
        return SENTENCES[self.code][language]


@dataclass(frozen=True)
class Later:
    """Try again after `seconds`; None leaves the time to the policy. A turn that has not come yet
    is no attempt, so it is not counted."""

    reason: str
    seconds: float | None
    is_counted: bool = True


def judge_failure(
    error: ProviderError | NothingDemanded, *, is_last: bool, max_wait: float
) -> Failure | Later:
    """Pure: what an error means at this attempt."""
    if isinstance(error, NothingDemanded):
        return Failure("nothing_demanded")
    if isinstance(error, LimitReached):
        if error.is_final:
            return Failure("rate_limited", wait_seconds=_whole(error.wait))
        return Later(error.reason, error.wait, is_counted=False)
    if isinstance(error, ProviderRateLimited):
        wait = error.wait if error.wait is not None else _DEFAULT_WAIT
        if is_last or wait > max_wait:
            return Failure("rate_limited", wait_seconds=_whole(wait))
        return Later("provider_rate_limited", error.wait)
    if isinstance(error, ProviderUnavailable):
        if is_last:
            is_ours = error.reason == "egress_unknown"
            return Failure("egress_unknown" if is_ours else "provider_unavailable")
        is_named = error.wait is not None and error.reason != "circuit_open"
        wait_is_bearable = is_named and error.wait is not None and error.wait <= max_wait
        reason = error.reason if error.reason in _OURS else "provider_unavailable"
        return Later(reason, error.wait if wait_is_bearable else None)
    if isinstance(error, ProviderAnswerInvalid):
        return Failure("answer_invalid")
    if isinstance(error, ProviderRejected):
        return Failure(_REJECTIONS.get(error.reason, "provider_rejected"))
    return Failure("provider_rejected")


_OURS = frozenset({"egress_unknown", "circuit_open"})


def _whole(seconds: float) -> int:
    return min(math.ceil(seconds), 2**31 - 1)
