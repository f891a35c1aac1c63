"""Processings as CSV and XLSX: a row per processing, without the texts of resumes."""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from openpyxl import Workbook

from apps.storage.models import StoredProcessing, StoredUser
from staff.processings.judgement_details import Judged

MAX_ROWS = 100_000
AT_ONCE = 2_000
# What a spreadsheet takes for a formula when a text begins with it.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# What XLSX cannot hold, and how much of a text it can.
_CELL_CHARS = 32_000

Cell = str | int | None
Row = list[Cell]


def header() -> list[str]:
    return [
        _("processing"), _("created at (UTC)"), _("status"), _("score"), _("verdict"),
        _("vacancy"), _("resume"), _("user id"), _("user"), _("run"), _("criteria met"),
        _("required but missing"), _("flags"), _("recommendation"), _("error"),
    ]  # fmt: skip


def rows(processings: QuerySet[StoredProcessing]) -> Iterator[Row]:
    """The newest first. Batches by key, not a cursor: DATABASE_URL may be a pooler."""
    ordered = processings.order_by("-create_at", "-pk")
    after: tuple[datetime, int] | None = None
    while batch := list(_after(ordered, after)[:AT_ONCE]):
        last = batch[-1]
        after = (last.create_at, last.pk)
        wanted = {processing.user_id for processing in batch}
        users = StoredUser.objects.filter(pk__in=wanted)
        names = dict(users.values_list("user_id", "username"))
        yield from (_row(processing, names) for processing in batch)


def _after(
    ordered: QuerySet[StoredProcessing], key: tuple[datetime, int] | None
) -> QuerySet[StoredProcessing]:
    if key is None:
        return ordered
    at, pk = key
    return ordered.filter(Q(create_at__lte=at) & (Q(create_at__lt=at) | Q(pk__lt=pk)))


def _row(processing: StoredProcessing, names: dict[int, str]) -> Row:
    judged = Judged.read(processing.details)
    cells: Sequence[Any] = (
        processing.processing_id,
        f"{processing.create_at:%Y-%m-%d %H:%M:%S}",
        str(processing.get_status_display()),
        processing.score,
        processing.verdict,
        processing.requirements_id,
        processing.resume_id,
        processing.user_id,
        names.get(processing.user_id, ""),
        processing.run,
        "; ".join(map(str, processing.matches or ())),
        "; ".join(criterion.name for criterion in judged.missing_musts),
        len(judged.flags),
        processing.recommendation,
        processing.message_error,
    )
    return [harmless(cell) if isinstance(cell, str) else cell for cell in cells]


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula and every one can hold."""
    text = "".join(c for c in text if c >= " " or c in "\t\r\n")[:_CELL_CHARS]
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULAS) else text


class _Echo:
    """The file that `csv` writes to: it hands each line on."""

    def write(self, line: str) -> str:
        return line


def as_csv(processings: QuerySet[StoredProcessing]) -> Iterator[str]:
    """Lines as they are read, with the mark by which Excel knows UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(header())
    for row in rows(processings):
        yield writer.writerow(row)


def as_xlsx(processings: QuerySet[StoredProcessing]) -> Iterator[bytes]:
    """The file at once: its parts are zipped, so its beginning is known last."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("processings"))
    sheet.freeze_panes = "A2"
    sheet.append(header())
    for row in rows(processings):
        sheet.append(row)
    file = BytesIO()
    book.save(file)
    yield file.getvalue()


Writer = Callable[[QuerySet[StoredProcessing]], Iterator[str] | Iterator[bytes]]
WRITERS: dict[str, tuple[str, Writer]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
}
