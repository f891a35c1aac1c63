"""Stores one rubric per requirements text: claimed by one worker, asked for once, then frozen."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.ai import language
from apps.ai.content_hash import key_of, text_hash
from apps.ai.language import Language
from apps.ai.models import Rubric
from apps.ai.provider.answer import Answer
from apps.ai.provider.guarded import AsksQuestions
from apps.ai.provider.prompts import CURRENT, PROMPT_VERSION, Prompts, rubric_question
from apps.ai.redaction.outgoing import prepare_requirements
from apps.ai.rubric import criteria as rubric
from kafka_bridge.contract import erased_users

# Below a lease: after a crash the row's next owner finds no live claim. A slower answer costs a
# second call at worst; the first to be stored is the one that counts.
CLAIM = timedelta(seconds=20)


class RubricInTheMaking(Exception):
    """Another worker has been asking for this rubric for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__("rubric_in_the_making")
        self.seconds = seconds


class NothingDemanded(Exception):
    """The requirements hold nothing that a resume could be judged by."""

    def __init__(self) -> None:
        super().__init__("nothing_demanded")


@dataclass(frozen=True)
class FrozenRubric:
    id: int
    criteria: list[rubric.Criterion]
    language: Language


def key(requirements: str, model: str) -> str:
    """The name of the rubric of this text, the current prompt and this model."""
    return key_of(requirements, PROMPT_VERSION, model)


def frozen(pk: int, criteria: list[dict[str, object]], stored_language: str) -> FrozenRubric:
    """A rubric as it stands in its row."""
    return FrozenRubric(pk, rubric.load(criteria), "ru" if stored_language == "ru" else "en")


def obtain(
    requirements: str, *, user_id: int, provider: AsksQuestions, is_redacting: bool
) -> FrozenRubric:
    """The rubric of this text, prompt and model, which is made now unless somebody else does.

    Raises RubricInTheMaking, NothingDemanded, a ProviderError, or UserErased. No transaction spans
    the call.
    """
    row, is_ours = _claim(requirements, provider.model, user_id)
    if row.criteria is not None:
        return frozen(row.pk, row.criteria, row.language)
    if not is_ours:
        began = (row.claimed_until or timezone.now()) - CLAIM
        raise RubricInTheMaking((timezone.now() - began).total_seconds())
    try:
        answer = extract(requirements, provider=provider, is_redacting=is_redacting)
    except BaseException:
        Rubric.objects.filter(pk=row.pk, claimed_until=row.claimed_until).update(claimed_until=None)
        raise
    with transaction.atomic():
        erased_users.refuse(user_id)
        Rubric.objects.filter(pk=row.pk, criteria__isnull=True).update(
            criteria=[criterion.model_dump() for criterion in answer.value],
            user_id=user_id,
            claimed_until=None,
            input_tokens=answer.usage.input_tokens,
            output_tokens=answer.usage.output_tokens,
            latency_ms=answer.latency_ms,
        )
    row.refresh_from_db()
    return frozen(row.pk, row.criteria or [], row.language)


def extract(
    requirements: str, *, provider: AsksQuestions, is_redacting: bool, prompts: Prompts = CURRENT
) -> Answer[list[rubric.Criterion]]:
    """Ask for the criteria. Raises NothingDemanded or a ProviderError."""
    sent = prepare_requirements(requirements, is_redacting=is_redacting)

    answer = provider.ask(
        rubric_question(sent, prompts=prompts),
        lambda text: rubric.read_criteria(text, requirements=sent),
    )
    if not answer.value:
        raise NothingDemanded
    return answer


def _claim(requirements: str, model: str, user_id: int) -> tuple[Rubric, bool]:
    """(the row, whether this caller is to make the rubric). Each statement commits by itself."""
    now = timezone.now()
    row, created = Rubric.objects.get_or_create(
        key=key(requirements, model),
        defaults={
            "requirements_hash": text_hash(requirements),
            "user_id": user_id,
            "prompt_version": PROMPT_VERSION,
            "model": model,
            "language": language.detect(requirements),
            "claimed_until": now + CLAIM,
        },
    )
    if created or row.criteria is not None:
        return row, created
    free = Rubric.objects.filter(pk=row.pk, criteria__isnull=True).exclude(claimed_until__gt=now)
    if free.update(claimed_until=now + CLAIM):
        row.claimed_until = now + CLAIM
        return row, True
    row.refresh_from_db()
    return row, False
