"""The vacancies and candidates of `examples/`, with what a person thought of each candidate."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devstack.ranking import spearman


@dataclass
class Candidate:
    file: Path
    name: str
    fit: float
    resume_id: int = 0
    processing_id: int = 0
    started_at: float = 0.0
    judgement: dict[str, Any] = field(default_factory=dict)
    """The item of GET /get_processing_detail."""


@dataclass
class Vacancy:
    file: Path
    title: str
    candidates: list[Candidate]
    requirements_id: int = 0

    def ranked(self) -> list[Candidate]:
        return sorted(self.candidates, key=lambda candidate: -candidate.judgement["score"])

    def agreement(self) -> float:
        scores = [candidate.judgement["score"] for candidate in self.candidates]
        return spearman(scores, [candidate.fit for candidate in self.candidates])


def load(examples: Path) -> list[Vacancy]:
    labels = json.loads((examples / "labels.json").read_text(encoding="utf-8"))
    return [
        Vacancy(
            file=examples / vacancy["file"],
            title=vacancy["title"],
            candidates=[
                Candidate(examples / each["file"], each["name"], each["fit"])
                for each in vacancy["candidates"]
            ],
        )
        for vacancy in labels["vacancies"]
    ]
