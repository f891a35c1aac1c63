"""What the list of processings can be narrowed by, each along an index or over few rows."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RadioFilter, TextFilter

from apps.storage.models import Status, StoredProcessing, StoredUser

Processings = QuerySet[StoredProcessing]

# The two verdicts, in the languages that requirements are judged in.
VERDICTS = {"suitable": ("Suitable", "Подходит"), "not_suitable": ("Not suitable", "Не подходит")}
# A part of an e-mail address that so many users share is no search for one of them.
MAX_USERS = 200
HAS_FLAGS = Q(details__flags__0__isnull=False)


def users_like(term: str) -> list[int]:
    """The ids of the users with that in their e-mail address or name, at most MAX_USERS."""
    alike = Q(username__icontains=term) | Q(full_name__icontains=term)
    return list(StoredUser.objects.filter(alike).values_list("user_id", flat=True)[:MAX_USERS])


class StatusFilter(RadioFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Status.choices)

    def queryset(self, request: HttpRequest, queryset: Processings) -> Processings:
        return queryset.filter(status=self.value()) if self.value() else queryset


class VerdictFilter(RadioFilter):
    title = _("verdict")
    parameter_name = "verdict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("suitable", _("suitable")), ("not_suitable", _("not suitable"))]

    def queryset(self, request: HttpRequest, queryset: Processings) -> Processings:
        words = VERDICTS.get(self.value() or "")
        return queryset.filter(verdict__in=words) if words else queryset


class FlagsFilter(RadioFilter):
    """Resumes that speak to their judge."""

    title = _("flags in the resume")
    parameter_name = "flagged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("with flags")), ("no", _("without"))]

    def queryset(self, request: HttpRequest, queryset: Processings) -> Processings:
        if self.value() == "yes":
            return queryset.filter(HAS_FLAGS)
        if self.value() == "no":
            return queryset.filter(status=Status.FINISHED).exclude(HAS_FLAGS)
        return queryset


class VacancyFilter(TextFilter):
    title = _("vacancy (id of its requirements)")
    parameter_name = "requirements_id"

    def queryset(self, request: HttpRequest, queryset: Processings) -> Processings:
        number = as_id(self.value())
        if not self.value():
            return queryset
        return queryset.none() if number is None else queryset.filter(requirements_id=number)


class UserFilter(TextFilter):
    title = _("user (id, e-mail or name)")
    parameter_name = "user"

    def queryset(self, request: HttpRequest, queryset: Processings) -> Processings:
        term = (self.value() or "").strip()
        if not term:
            return queryset
        number = as_id(term)
        return queryset.filter(user_id__in=users_like(term) if number is None else [number])


def as_id(term: str | None) -> int | None:
    """The number that the term is, if it can be an id."""
    term = (term or "").strip().removeprefix("#")
    return int(term) if term.isascii() and term.isdigit() and len(term) < 19 else None
