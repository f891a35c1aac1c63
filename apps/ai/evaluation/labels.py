"""Reads a labelled folder: `labels.json` beside the vacancies and resumes that it names."""

import json
from dataclasses import dataclass
from pathlib import Path

from apps.ai.evaluation.files import read_file


@dataclass(frozen=True)
class Candidate:
    """`fit` is a person's opinion, 0..100."""

    name: str
    resume: str
    fit: float


@dataclass(frozen=True)
class Vacancy:
    title: str
    requirements: str
    candidates: tuple[Candidate, ...]


def load(folder: Path) -> list[Vacancy]:
    """Raises ValueError with a sentence where the folder is not as it should be."""
    try:
        labels = json.loads((folder / "labels.json").read_text("utf-8"))
        return [
            Vacancy(
                title=vacancy["title"],
                requirements=read_file(folder / vacancy["file"]),
                candidates=tuple(
                    Candidate(each["name"], read_file(folder / each["file"]), float(each["fit"]))
                    for each in vacancy["candidates"]
                ),
            )
            for vacancy in labels["vacancies"]
        ]
    except (OSError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder} is no labelled folder: {type(error).__name__} {error}"
        ) from None
