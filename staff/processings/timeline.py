"""One processing from request to callback: what every app knows of it, in the order of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _

from apps.storage.models import Status, StoredProcessing, StoredRequirements, StoredResume
from staff import sources
from staff.processings.highlight import Mark, Segment, place, segments
from staff.processings.judgement_details import Criterion, Judged
from staff.sources.timeline_event import Event, known


@dataclass(frozen=True)
class Quoted:
    """A quote, and the number of its mark in the text; None where the text does not hold it."""

    quote: str
    mark: int | None


@dataclass(frozen=True)
class Finding:
    """A criterion as the page shows it."""

    criterion: Criterion
    quotes: Sequence[Quoted]


@dataclass(frozen=True)
class Story:
    """`run` is the judgement whose quotes are marked in the resume; None without any."""

    events: Sequence[Event]
    findings: Sequence[Finding]
    flags: Sequence[Quoted]
    resume: Sequence[Segment]
    requirements: str
    run: int | None
    runs: Sequence[int]


def of(processing: StoredProcessing, *, reader: Any, run: str | None = None) -> Story:
    """What this member of the staff may read of the story; of a deleted one no texts."""
    events = [e for source in sources.readable_by(reader) for e in source.events(processing)]
    if not any(event.run == 0 and event.order == 0 for event in events):
        events.append(_request(processing))
    events += _by_staff(processing)
    events.sort(key=lambda event: (event.at, event.order))
    judged = {e.run: e.judged for e in events if e.judged is not None and e.run is not None}
    chosen = _chosen(judged, run, processing.run)
    text = _resume(processing, reader)
    marks, findings, flags = _marked(judged[chosen] if chosen is not None else Judged(), text)
    return Story(
        events=events,
        findings=findings,
        flags=flags,
        resume=segments(text, marks) if text else [],
        requirements=_requirements(processing, reader),
        run=chosen,
        runs=sorted(judged),
    )


def _request(processing: StoredProcessing) -> Event:
    """The beginning as storage saw it, where the app that took the request is not here."""
    return Event(
        at=processing.create_at,
        title=_("Requested"),
        icon="inbox",
        tone="info",
        facts=known((_("vacancy"), f"#{processing.requirements_id}")),
        run=0,
    )


def _by_staff(processing: StoredProcessing) -> list[Event]:
    log = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(StoredProcessing), object_id=processing.pk
    )
    return [
        Event(
            at=entry.action_time,
            title=_("By staff"),
            icon="badge",
            facts=known((_("who"), entry.user)),
            note=entry.get_change_message(),
        )
        for entry in log.select_related("user")
    ]


def _chosen(judged: dict[int, Judged], wanted: str | None, winner: int | None) -> int | None:
    if wanted and wanted.isascii() and wanted.isdigit() and int(wanted) in judged:
        return int(wanted)
    return winner if winner in judged else max(judged, default=None)


def _marked(judged: Judged, text: str) -> tuple[list[Mark], list[Finding], list[Quoted]]:
    marks: list[Mark] = []

    def mark(quote: str, start: int, end: int, label: str, kind: str) -> Quoted:
        if (span := place(text, quote, start, end)) is None:
            return Quoted(quote, None)
        marks.append(Mark(*span, label=label, kind=kind))
        return Quoted(quote or text[slice(*span)], len(marks) - 1)

    findings = [
        Finding(
            criterion,
            [mark(e.quote, e.start, e.end, criterion.name, "quote") for e in criterion.evidence],
        )
        for criterion in judged.criteria
    ]
    # A flag's text may be cut short, so its offsets alone say where it is.
    flags = [
        mark("" if f.start >= 0 else f.text, f.start, f.end, f.kind or _("flag"), "flag")
        for f in judged.flags
    ]
    return marks, findings, flags


def _resume(processing: StoredProcessing, reader: Any) -> str:
    if not _may_read(processing, reader, "storage.view_storedresume"):
        return ""
    texts = StoredResume.objects.filter(resume_id=processing.resume_id, deleted=False)
    return texts.filter(user_id=processing.user_id).values_list("resume", flat=True).first() or ""


def _requirements(processing: StoredProcessing, reader: Any) -> str:
    if not _may_read(processing, reader, "storage.view_storedrequirements"):
        return ""
    texts = StoredRequirements.objects.filter(
        requirements_id=processing.requirements_id, user_id=processing.user_id, deleted=False
    )
    return texts.values_list("requirements", flat=True).first() or ""


def _may_read(processing: StoredProcessing, reader: Any, permission: str) -> bool:
    return processing.status != Status.DELETED and bool(reader.has_perm(permission))
