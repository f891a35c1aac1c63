"""The rubric: what a vacancy demands, as weighted criteria, frozen once it is validated."""

import contextlib
from typing import Annotated, Literal

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from apps.ai.evidence.quotes import FoldedText
from apps.ai.wording import one_line

log = structlog.get_logger(__name__)

MAX_CRITERIA = 12
MIN_CRITERIA = 3  # asked of the model; a text that demands less has fewer
MAX_WEIGHT = 5
NAME_CHARS = 120

Importance = Literal["must", "nice"]


class InvalidRubric(ValueError):
    """The answer is no rubric. The message is a constant word, never the answer's text."""


class Criterion(BaseModel):
    """One demand. `requirement` is the vacancy's own wording, `name` what goes into `matches`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = ""
    name: Annotated[str, AfterValidator(one_line), Field(min_length=1)]
    requirement: Annotated[str, AfterValidator(one_line)]
    importance: Importance
    weight: Annotated[int, Field(ge=1, le=MAX_WEIGHT)]
    source: Annotated[str, AfterValidator(one_line)] = ""
    """The passage that demands it, as the model quotes it."""


class _RubricAnswer(BaseModel):
    criteria: Annotated[list[Criterion], Field(max_length=MAX_CRITERIA)]


def read_criteria(answer: str, *, requirements: str) -> list[Criterion]:
    """The criteria in a model's JSON answer, numbered c1, c2, … and with distinct names.

    One whose source does not stand in the text was invented and is left out. An empty list means
    that the text demands nothing. Raises InvalidRubric.
    """
    criteria = None
    # A ValidationError quotes the vacancy, so it must not become the cause of ours either.
    with contextlib.suppress(ValidationError):
        criteria = _RubricAnswer.model_validate_json(answer).criteria
    if criteria is None:
        raise InvalidRubric("schema")
    text = FoldedText(requirements)
    grounded = [criterion for criterion in criteria if text.find(criterion.source)]
    if len(grounded) < len(criteria):
        log.warning("ai.criteria_invented", count=len(criteria) - len(grounded))
    names: set[str] = set()
    numbered = []
    for number, criterion in enumerate(grounded, start=1):
        name = criterion.name[:NAME_CHARS]
        while name.casefold() in names:
            name = f"{criterion.name[: NAME_CHARS - 6]} ({number})"
        names.add(name.casefold())
        numbered.append(criterion.model_copy(update={"id": f"c{number}", "name": name}))
    return numbered


def load(stored: list[dict[str, object]]) -> list[Criterion]:
    """Criteria as they were frozen in the database."""
    return [Criterion.model_validate(criterion) for criterion in stored]
