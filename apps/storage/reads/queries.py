"""The reads: the database decides each time who owns what; wide values may come from the cache.

Raises NotFound for what is not there (or deleted), Forbidden for what is another user's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from apps.storage.models import Status, StoredProcessing, StoredRequirements, StoredResume
from apps.storage.reads import cache
from resume_platform.http.errors import BadInput, Forbidden, NotFound

Item = dict[str, Any]

ITEM_FIELDS = (
    "processing_id",
    "resume_id",
    "requirements_id",
    "user_id",
    "create_at",
    "status",
    "score",
    "verdict",
)
DETAIL_FIELDS = (
    *ITEM_FIELDS,
    "resume",
    "requirements",
    "matches",
    "recommendation",
    "details",
    "message_error",
    "wait_seconds",
)

# The reads of one row are written in SQL: putting the same together from a model takes several
# times as long as PostgreSQL needs to answer.
_OWNERS = "ORDER BY create_at, user_id LIMIT 1"
_REQUIREMENTS_CLAIM = (
    "SELECT user_id, deleted FROM storage_storedrequirements"  # noqa: S608  built of constants
    f" WHERE requirements_id = %s {_OWNERS}"
)
_TEXT = {
    kind: f"SELECT {kind}_id, user_id, {kind}, deleted, text_hash FROM storage_stored{kind}"  # noqa: S608
    f" WHERE {kind}_id = %s {_OWNERS}"
    for kind in ("resume", "requirements")
}
_ITEM = (
    f"SELECT {', '.join(ITEM_FIELDS)} FROM storage_storedprocessing"  # noqa: S608
    f" WHERE processing_id = %s {_OWNERS}"
)


@dataclass(frozen=True)
class Page:
    """`limit` None is everything: a client that never pages gets all of its rows."""

    limit: int | None = None
    offset: int = 0

    def of(self, rows: "QuerySet[Any, Any]") -> "QuerySet[Any, Any]":
        return rows[self.offset : None if self.limit is None else self.offset + self.limit]

    def listing(self, items: "QuerySet[Any, Any]", rows: "QuerySet[Any, Any]") -> "Listing":
        """This page of `items`, which are `rows` in order; what holds them all needs no count."""
        page = list(self.of(items))
        is_whole = self.limit is None and not self.offset
        return Listing(page, total=len(page) if is_whole else rows.count())


@dataclass(frozen=True)
class Listing:
    """One page, and how many rows there are in all."""

    items: Sequence[Item]
    total: int


def get_resume(*, user_id: int, resume_id: int) -> Item:
    return _text("resume", user_id, resume_id)


def get_requirements(*, user_id: int, requirements_id: int | None, page: Page) -> Listing:
    if requirements_id is not None:
        items = [_text("requirements", user_id, requirements_id)]
        return Listing(items[page.offset :][: page.limit], total=1)
    rows = StoredRequirements.objects.filter(user_id=user_id, deleted=False)
    rows = rows.exclude(_claimed_earlier(StoredRequirements, "requirements_id"))
    fields = ("requirements_id", "user_id", "requirements")
    ordered = rows.order_by("-create_at", "-requirements_id").values(*fields)
    return page.listing(ordered, rows)


def list_processings(
    *,
    user_id: int,
    processing_id: int | None,
    requirements_id: int | None,
    status: str,
    sort_by: str,
    order: str,
    page: Page,
    with_texts: bool,
) -> Listing:
    """One processing, those of one vacancy, or all of a user's.

    Raises BadInput if both filters are given.
    """
    if processing_id is not None and requirements_id is not None:
        raise BadInput(_("Give processing_id or requirements_id, not both."), "two_filters")
    if processing_id is not None:
        item = _processing(user_id, processing_id, status, with_texts=with_texts)
        return Listing([item][page.offset :][: page.limit], total=1)

    rows = StoredProcessing.objects.filter(user_id=user_id, **_status_filter(status))
    rows = rows.exclude(_claimed_earlier(StoredProcessing, "processing_id"))
    if requirements_id is not None:
        _check_requirements(user_id, requirements_id)
        rows = rows.filter(requirements_id=requirements_id)
    column = F("score" if sort_by == "score" else "create_at")
    primary = column.asc(nulls_last=True) if order == "asc" else column.desc(nulls_last=True)
    ordered = rows.order_by(primary, "-create_at", "-processing_id")
    values = _detailed(ordered) if with_texts else ordered.values(*ITEM_FIELDS)
    return page.listing(values, rows)


def _one(sql: str, id_: int) -> Item | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [id_])
        row = cursor.fetchone()
        return row and dict(zip((column.name for column in cursor.description), row, strict=True))


def _first(claims: "QuerySet[Any, Any]") -> Item | None:
    claim = claims.order_by("create_at", "user_id").first()
    return claim and dict(claim)


def _owned(claim: Item | None, user_id: int) -> Item:
    """The row of an id's owner, if that is this user and has not deleted it."""
    if claim is None or claim.get("deleted") or claim.get("status") == Status.DELETED:
        raise NotFound(_("There is no such object."), "not_found")
    if claim["user_id"] != user_id:
        raise Forbidden(_("This object belongs to another user."), "not_owner")
    return claim


def _text(kind: str, user_id: int, id_: int) -> Item:
    row = _owned(_one(_TEXT[kind], id_), user_id)
    item = {name: row[name] for name in (f"{kind}_id", "user_id", kind)}
    # The row must be looked at in any case, and its text costs less than a trip to Redis.
    cache.keep(kind, id_, _version(row), item)
    return item


def _processing(user_id: int, processing_id: int, status: str, *, with_texts: bool) -> Item:
    claims = StoredProcessing.objects.filter(processing_id=processing_id)
    if with_texts:
        current = _owned(_first(_hashed(claims).values(*ITEM_FIELDS, *_HASHES)), user_id)
    else:
        current = _owned(_one(_ITEM, processing_id), user_id)
    if status != "all" and current["status"] != status:
        raise NotFound(_("The processing is not in that state."), f"status_{current['status']}")
    narrow = {name: current[name] for name in ITEM_FIELDS}
    if not with_texts:
        return narrow
    wide = cache.get("processing", processing_id, _version(current))
    if wide is None:
        row = _owned(_first(_detailed(_hashed(claims), *_HASHES)), user_id)
        wide = {name: row[name] for name in DETAIL_FIELDS if name not in ITEM_FIELDS}
        cache.put("processing", processing_id, _version(row), wide)
    return {name: (narrow | wide)[name] for name in DETAIL_FIELDS}


def _check_requirements(user_id: int, requirements_id: int) -> None:
    """Let pass what is the user's, or is not known yet but has processings of the user's."""
    try:
        _owned(_one(_REQUIREMENTS_CLAIM, requirements_id), user_id)
    except NotFound:
        known = StoredProcessing.objects.filter(user_id=user_id, requirements_id=requirements_id)
        if not known.exclude(status=Status.DELETED).exists():
            raise


def _status_filter(status: str) -> dict[str, Any]:
    if status == "all":
        return {"status__in": [Status.QUEUED, Status.FINISHED, Status.FAILED]}
    return {"status": status}


def _claimed_earlier(model: Any, id_name: str) -> Exists:
    """Whether another user's claim of the same id goes before this row's."""
    return Exists(
        model.objects.filter(**{id_name: OuterRef(id_name)})
        .filter(
            Q(create_at__lt=OuterRef("create_at"))
            | Q(create_at=OuterRef("create_at"), user_id__lt=OuterRef("user_id"))
        )
        .exclude(user_id=OuterRef("user_id"))
    )


_HASHES = ("result_hash", "resume_hash", "requirements_hash")


def _version(row: Mapping[str, Any]) -> str:
    return ":".join(str(row.get(name, "")) for name in ("user_id", "text_hash", *_HASHES))


def _column_of(model: Any, id_name: str, column: str) -> Subquery:
    """A column of the text that a processing refers to; null while the text is not here."""
    texts = model.objects.filter(**{id_name: OuterRef(id_name)}, user_id=OuterRef("user_id"))
    return Subquery(texts.filter(deleted=False).values(column)[:1])


def _hashed(rows: "QuerySet[StoredProcessing]") -> "QuerySet[StoredProcessing]":
    return rows.annotate(
        resume_hash=_column_of(StoredResume, "resume_id", "text_hash"),
        requirements_hash=_column_of(StoredRequirements, "requirements_id", "text_hash"),
    )


def _detailed(
    rows: "QuerySet[StoredProcessing]", *further: str
) -> "QuerySet[StoredProcessing, Item]":
    return rows.annotate(
        resume=_column_of(StoredResume, "resume_id", "resume"),
        requirements=_column_of(StoredRequirements, "requirements_id", "requirements"),
    ).values(*DETAIL_FIELDS, *further)
