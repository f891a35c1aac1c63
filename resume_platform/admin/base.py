"""What the apps' admin pages share: the look of django-unfold, and rows that are read only."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_noop
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.admin import TabularInline as UnfoldTabularInline
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateFilter

from resume_platform.admin.paginator import BoundedPaginator


class ModelAdmin(UnfoldModelAdmin):
    """The base of every page of the admin."""

    list_fullwidth = True
    list_filter_submit = True
    compressed_fields = True
    # Counting all rows, beside the filtered ones or at all, costs a scan of the table.
    show_full_result_count = False
    paginator: type[Paginator] = BoundedPaginator
    list_per_page = 50
    list_max_show_all = 0
    list_after_template = "admin/limit_reached.html"
    # The admin log tells who opened a row.
    has_texts = False

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **named: Any) -> Any:
        response = super().change_view(request, object_id, *args, **named)
        is_opened = self.has_texts and request.method == "GET" and response.status_code == 200
        if is_opened and (row := self.get_object(request, object_id)):
            self.log_change(request, row, gettext_noop("opened"))
        return response

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what a declared filter asks of its column.

        Django allows every column of the table, also one that the page hides: whoever may see the
        list could read it letter by letter (`?callback_url__startswith=`).
        """
        if lookup.split("__")[0] not in {"pk", *_columns(self.model)}:
            return bool(super().lookup_allowed(lookup, value, request))
        declared = {asked_by(one) for one in self.get_list_filter(request)} | {self.date_hierarchy}
        name, _, comparison = lookup.rpartition("__")
        return lookup in declared or (name in declared and comparison in _COMPARISONS)


# What the filters' own links and the hierarchy of dates ask.
_COMPARISONS = frozenset(
    {"exact", "in", "gt", "gte", "lt", "lte", "isnull", "isempty", "year", "month", "day"}
)


def asked_by(list_filter: Any) -> str:
    """The column or parameter that an entry of `list_filter` asks by."""
    if isinstance(list_filter, str):
        return list_filter
    if isinstance(list_filter, type):
        return str(list_filter.parameter_name)  # type: ignore[attr-defined]
    return str(list_filter[0])


def _columns(model: type[Model]) -> set[str]:
    return {name for field in model._meta.fields for name in (field.name, field.attname)}


class ExactFilter(FieldTextFilter):
    """One value of a column, typed in: to offer all there are would be a scan of the table."""

    def __init__(self, field: Any, request: Any, params: Any, *others: Any, **named: Any) -> None:
        super().__init__(field, request, params, *others, **named)
        self.lookup_kwarg = self.field_path
        values = [value for value in params.pop(self.lookup_kwarg, []) if value]
        self.lookup_val = values
        if values:
            self.used_parameters[self.lookup_kwarg] = values


class DaysFilter(RangeDateFilter):
    """From one day to another, both with all their hours."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        name = self.parameter_name
        try:
            first = parse_date(self.used_parameters.get(f"{name}_from", ""))
            last = parse_date(self.used_parameters.get(f"{name}_to", ""))
        except ValueError:
            return None
        if first:
            queryset = queryset.filter(**{f"{name}__gte": _beginning(first)})
        if last:
            queryset = queryset.filter(**{f"{name}__lt": _beginning(last + timedelta(days=1))})
        return queryset


def _beginning(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


class TabularInline(UnfoldTabularInline):
    """The base of every list inside a page."""

    tab = False


class ReadOnly:
    """Rows that tell a story are read, never written."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
