"""Prepares a text to leave: takes personal data and instructions out, keeps the way back."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from apps.ai.evidence.quotes import Span
from apps.ai.injection.flags import INVISIBLE, Flag, find_flags
from apps.ai.redaction import Found, Redacted, leave_out, redact

log = structlog.get_logger(__name__)

DECOY_MET = "follows_orders"


@dataclass(frozen=True)
class Outgoing:
    """A resume as it is sent, beside what it was made from. Flags count in the original."""

    original: str
    sent: Redacted
    flags: tuple[Flag, ...]

    def is_flagged(self, span: Span) -> bool:
        """Whether a span of the original touches what speaks to the judge."""
        return any(flag.start < span.end and span.start < flag.end for flag in self.flags)

    def without(self, spans: Sequence[Span]) -> "Outgoing":
        """The same with these spans of the original flagged and taken out as well."""
        flags = (*self.flags, *(Flag(DECOY_MET, span.start, span.end) for span in spans))
        kept = [redaction.found for redaction in self.sent.redactions]
        return Outgoing(self.original, leave_out(self.original, [*kept, *_cuts(flags)]), flags)


def prepare(resume: str, *, is_redacting: bool) -> Outgoing:
    flags = tuple(find_flags(resume))
    personal = redact(resume) if is_redacting else []
    return Outgoing(resume, leave_out(resume, [*personal, *_cuts(flags)]), flags)


def prepare_requirements(requirements: str, *, is_redacting: bool) -> str:
    """The requirements with the recruiter's own contact data taken out. Logs counts, never text."""
    if not is_redacting:
        return requirements
    sent = leave_out(requirements, redact(requirements, is_resume=False))
    log.info("ai.prepared_requirements", redacted=sent.counts, chars=len(sent.text))
    return sent.text


def _cuts(flags: Sequence[Flag]) -> list[Found]:
    return [
        Found("invisible" if flag.kind == INVISIBLE else "instruction", flag.start, flag.end)
        for flag in flags
    ]
