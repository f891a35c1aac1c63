"""The admin log: who did what to which row, for those who may see it; nobody changes it."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from resume_platform.admin.base import ModelAdmin, ReadOnly


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly, ModelAdmin):
    list_display = ("action_time", "user", "kind", "content_type", "object_repr", "what")
    list_filter = ("action_time", "action_flag", "content_type")
    search_fields = ("=object_id", "=user__username")
    search_help_text = _("Row's id, or user name of a member of the staff")
    list_select_related = ("user", "content_type")
    date_hierarchy = "action_time"

    @display(description=_("kind"), label={"1": "success", "2": "info", "3": "danger"})
    def kind(self, entry: LogEntry) -> tuple[str, str]:
        return str(entry.action_flag), entry.get_action_flag_display()

    @display(description=_("what was done"))
    def what(self, entry: LogEntry) -> str:
        message = entry.get_change_message()
        return gettext(message) if message else ""
