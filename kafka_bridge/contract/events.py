"""The wire contract: one frozen model per event, with its topic and its key.

Every app and every foreign service speaks these. A name, a type or a topic here is fixed
for clients and neighbours; new keys may only be optional. Unknown keys of a message are ignored.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from django.conf import settings
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from kafka_bridge.contract.issuers import Subject
from resume_platform.ids import MAX_ID
from resume_platform.text import Text, TextEmpty, TextTooLong, canonical


def _without_nul(value: Any) -> Any:
    # PostgreSQL's text and jsonb cannot hold U+0000, and no reader of a resume can see it.
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {_without_nul(name): _without_nul(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_nul(part) for part in value]
    return value


def _canonical(limit: str) -> BeforeValidator:
    """Makes a text from the wire canonical; our own code holds a `Text` already."""

    def validate(value: Any, info: ValidationInfo) -> Any:
        if info.mode != "json" or not isinstance(value, str):
            return value
        try:
            return canonical(value, getattr(settings, limit))
        except TextEmpty:
            return ""
        except TextTooLong:
            raise PydanticCustomError("text_too_long", "The text is too long.") from None

    return BeforeValidator(validate)


def _with_zone(value: datetime) -> datetime:
    # The contract promises a zone; a neighbour that forgets it has always meant UTC.
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _null_is_empty(value: Any) -> Any:
    return [] if value is None else value


Id = Annotated[StrictInt, Field(ge=1, le=MAX_ID)]
Ids = Annotated[list[Id], BeforeValidator(_null_is_empty)]
String = Annotated[str, Field(strict=True), BeforeValidator(_without_nul)]
Resume = Annotated[Text, Field(strict=True), _canonical("MAX_CHARS_RESUME")]
Requirements = Annotated[Text, Field(strict=True), _canonical("MAX_CHARS_REQUIREMENTS")]
Details = Annotated[dict[str, Any], BeforeValidator(_without_nul)]
SmallInt = Annotated[StrictInt, Field(ge=-(2**31), le=2**31 - 1)]
Moment = Annotated[datetime, AfterValidator(_with_zone)]
# More is no judgement that somebody waits for, and the next run must be a number too.
MAX_RUN = 1_000
Run = Annotated[StrictInt, Field(ge=0, le=MAX_RUN)]


class Event(BaseModel):
    """A fact one app tells the others.

    `topic` is the contract's name of the topic; settings map it to the name in the cluster.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    topic: ClassVar[str]
    key: ClassVar[str]
    about: ClassVar[str | None] = None

    def partition_key(self) -> int:
        """The user whose events must stay in order."""
        return int(self.user_id)  # type: ignore[attr-defined]

    def subject(self) -> Subject | None:
        """What the event tells of; None of users and deletions, which touch their own rows only."""
        return (self.about, getattr(self, f"{self.about}_id")) if self.about else None


class NewUser(Event):
    topic = "uploading_data"
    key = "new_user"

    user_id: Id
    username: String
    full_name: String | None = None
    created_at: Moment


class NewResume(Event):
    topic = "uploading_data"
    key = "new_resume"
    about = "resume"

    resume_id: Id
    user_id: Id
    resume: Resume


class NewRequirements(Event):
    topic = "uploading_data"
    key = "new_requirements"
    about = "requirements"

    requirements_id: Id
    user_id: Id
    requirements: Requirements


class DeleteProcessing(Event):
    topic = "uploading_data"
    key = "delete_processing"

    processing_ids: Ids = Field(
        validation_alias=AliasChoices("processing_ids", "processings_ids"),
    )
    user_id: Id
    # PersonalData that go with them (an extension): no other processing refers to these resumes.
    resume_ids: Ids = Field(default_factory=list)


class DeleteRequirements(Event):
    topic = "uploading_data"
    key = "delete_requirements"

    processings_ids: Ids = Field(
        default_factory=list,
        validation_alias=AliasChoices("processings_ids", "processing_ids"),
    )
    requirements_ids: Ids
    user_id: Id


class EraseUser(Event):
    """An extension: every app forgets the user's texts, for good."""

    topic = "uploading_data"
    key = "erase_user"

    user_id: Id


class NewProcessing(Event):
    topic = "uploading_data"
    key = "new_processing"
    about = "processing"

    processing_id: Id
    user_id: Id
    resume_id: Id
    requirements_id: Id
    score: SmallInt
    matches: list[String]
    recommendation: String
    verdict: String
    run: Run = 0
    details: Details | None = None


class NewRequest(Event):
    topic = "AI_handler"
    key = "new_request"
    about = "processing"

    callback_url: String
    processing_id: Id
    user_id: Id
    resume_id: Id
    requirements_id: Id
    requirements: Requirements
    resume: Resume
    run: Run = 0


class SendingResponse(BaseModel):
    """What a client is told about one judgement; the last four are absent in a failure."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    callback_url: String
    processing_id: Id
    user_id: Id
    resume_id: Id
    requirements_id: Id
    score: SmallInt | None = None
    matches: list[String] | None = None
    recommendation: String | None = None
    verdict: String | None = None
    details: Details | None = None


class ResultEvent(Event):
    """The end of one run of a processing, good or bad, as the client shall be told."""

    about = "processing"

    success: StrictBool
    response: SendingResponse
    message_error: String | None = None
    wait_seconds: SmallInt | None = None
    run: Run = 0

    @property
    def user_id(self) -> int:
        return self.response.user_id

    @property
    def processing_id(self) -> int:
        return self.response.processing_id


class NewSending(ResultEvent):
    topic = "sending"
    key = "new_sending"


class NewNotifications(ResultEvent):
    topic = "notifications"
    key = "new_notifications"


EVENTS: tuple[type[Event], ...] = (
    NewUser,
    NewResume,
    NewRequirements,
    DeleteProcessing,
    DeleteRequirements,
    EraseUser,
    NewProcessing,
    NewRequest,
    NewSending,
    NewNotifications,
)
