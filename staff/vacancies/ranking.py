"""The candidates of one vacancy by score, and a table of how each stands to every criterion."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F

from apps.storage.models import Status, StoredProcessing, StoredRequirements
from staff.processings.judgement_details import Criterion, Judged

MAX_CANDIDATES = 200


@dataclass(frozen=True)
class Candidate:
    """`standings` has a criterion, or None, for each of the ranking's columns."""

    rank: int
    processing: StoredProcessing
    standings: Sequence[Criterion | None]
    flags: int


@dataclass(frozen=True)
class Ranking:
    """`waiting` and `failed` count what has no score; equal scores share a rank."""

    requirements_id: int
    text: str
    criteria: Sequence[Criterion]
    candidates: Sequence[Candidate]
    waiting: int
    failed: int


def of(requirements_id: int, *, with_text: bool) -> Ranking:
    """The first MAX_CANDIDATES; `with_text` says whether the asker may read the requirements."""
    rows = StoredProcessing.objects.filter(requirements_id=requirements_id)
    best = list(
        rows.filter(status=Status.FINISHED)
        .defer("recommendation", "matches")
        .order_by(F("score").desc(nulls_last=True), "create_at", "pk")[:MAX_CANDIDATES]
    )
    judged = [Judged.read(processing.details) for processing in best]
    # The same requirements have the same frozen criteria; a new prompt's may differ.
    columns = {c.name: c for judgement in reversed(judged) for c in judgement.criteria}
    texts = StoredRequirements.objects.filter(requirements_id=requirements_id, deleted=False)
    return Ranking(
        requirements_id=requirements_id,
        text=(texts.values_list("requirements", flat=True).first() or "") if with_text else "",
        criteria=list(columns.values()),
        candidates=[
            Candidate(rank, processing, _standings(judgement, list(columns)), len(judgement.flags))
            for rank, processing, judgement in zip(_ranks(best), best, judged, strict=True)
        ],
        waiting=rows.filter(status=Status.QUEUED).count(),
        failed=rows.filter(status=Status.FAILED).count(),
    )


def _standings(judged: Judged, names: Sequence[str]) -> list[Criterion | None]:
    by_name = {criterion.name: criterion for criterion in judged.criteria}
    return [by_name.get(name) for name in names]


def _ranks(best: Sequence[StoredProcessing]) -> list[int]:
    ranks: list[int] = []
    for place, processing in enumerate(best, start=1):
        tied = place > 1 and processing.score == best[place - 2].score
        ranks.append(ranks[-1] if tied else place)
    return ranks
