"""What the apps' admin pages share: the look of django-unfold, and rows that are read only."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.admin import TabularInline as UnfoldTabularInline


class ModelAdmin(UnfoldModelAdmin):
    """The base of every page of the admin."""

    list_fullwidth = True
    list_filter_submit = True
    compressed_fields = True
    # Counting all rows beside the filtered ones costs a scan of the table.
    show_full_result_count = False


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
