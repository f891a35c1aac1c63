"""Measures one model with one prompt on a labelled folder."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from apps.ai import language
from apps.ai.evaluation import measures, probes
from apps.ai.evaluation.labels import Vacancy
from apps.ai.evaluation.waiting import UsageTotals
from apps.ai.pipeline.analyze import judge
from apps.ai.provider.guarded import AsksQuestions
from apps.ai.provider.pricing import Price, cost
from apps.ai.provider.prompts import Prompts
from apps.ai.rubric.store import FrozenRubric, extract

_THREADS = 4
SAME_POINTS = 5


@dataclass(frozen=True)
class Variant:
    """What is measured; `totals` is what the provider's answers cost."""

    provider: AsksQuestions
    totals: UsageTotals
    prompts: Prompts
    is_redacting: bool
    threshold: int

    @property
    def name(self) -> str:
        return f"{self.provider.model}, prompt {self.prompts.version}"


def measure(
    variant: Variant,
    vacancies: Sequence[Vacancy],
    *,
    runs: int,
    prices: Mapping[str, Price],
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Every number of the report, as JSON takes it. Raises a ProviderError."""
    per_vacancy = [_measure(variant, vacancy, runs, progress) for vacancy in vacancies]
    labels = [c.fit for vacancy in vacancies for c in vacancy.candidates]
    rounds = [[s for each in per_vacancy for s in each["rounds"][n]] for n in range(runs)]
    first = rounds[0]
    swapped = [score for each in per_vacancy for score in each["swapped"]]
    attacked = [score for each in per_vacancy for score in each["attacked"]]
    known = [each["spearman"] for each in per_vacancy if each["spearman"] is not None]
    money = cost(variant.totals.usage, model=variant.provider.model, prices=prices)
    return {
        "variant": variant.name,
        "candidates": len(labels),
        "runs": runs,
        "spearman": fmean(known) if known else None,
        "verdict_agreement": measures.verdict_agreement(first, labels, threshold=variant.threshold),
        "flip_rate": measures.flip_rate(rounds, threshold=variant.threshold),
        "points_between_runs": max(measures.mean_difference(first, other) for other in rounds),
        "points_by_swapped_names": measures.mean_difference(first, swapped),
        "injections_that_changed_a_score": fmean(
            abs(after - before) > SAME_POINTS for before, after in zip(first, attacked, strict=True)
        ),
        "calls": variant.totals.calls,
        "input_tokens": variant.totals.usage.input_tokens,
        "output_tokens": variant.totals.usage.output_tokens,
        "cost": None if money is None else str(money),
        "vacancies": [
            {
                "title": vacancy.title,
                "spearman": each["spearman"],
                "candidates": [
                    {"name": c.name, "label": c.fit, "scores": [run[n] for run in each["rounds"]]}
                    for n, c in enumerate(vacancy.candidates)
                ],
            }
            for vacancy, each in zip(vacancies, per_vacancy, strict=True)
        ],
    }


def _measure(
    variant: Variant, vacancy: Vacancy, runs: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    progress(f"{variant.name}: {vacancy.title}")
    criteria = extract(
        vacancy.requirements,
        provider=variant.provider,
        is_redacting=variant.is_redacting,
        prompts=variant.prompts,
    ).value
    rubric = FrozenRubric(0, criteria, language.detect(vacancy.requirements))

    def score(resume: str) -> float:
        outcome = judge(
            resume,
            rubric=rubric,
            provider=variant.provider,
            suitable_score=variant.threshold,
            is_redacting=variant.is_redacting,
            prompts=variant.prompts,
        )
        assert outcome.score is not None
        return outcome.score

    people = vacancy.candidates
    changed = {
        "swapped": [probes.with_another_name(c.resume, c.name, n) for n, c in enumerate(people)],
        "attacked": [probes.with_attack(c.resume, n) for n, c in enumerate(people)],
    }
    with ThreadPoolExecutor(_THREADS) as threads:
        rounds = [list(threads.map(score, [c.resume for c in people])) for _ in range(runs)]
        others = {name: list(threads.map(score, resumes)) for name, resumes in changed.items()}
    return {
        "rounds": rounds,
        **others,
        "spearman": measures.spearman(rounds[0], [c.fit for c in people]),
    }
