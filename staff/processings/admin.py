"""The list of processings over all users, its exports and rankings, and each one's page."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.views.main import ChangeList
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeNumericFilter
from unfold.decorators import display

from apps.storage.models import StoredProcessing, StoredUser
from resume_platform.admin.base import DaysFilter, ModelAdmin, ReadOnly
from resume_platform.admin.staff_action_pages import WithStaffActions
from staff.processings import export, timeline
from staff.processings.actions import processing_actions
from staff.processings.filters import (
    FlagsFilter,
    StatusFilter,
    UserFilter,
    VacancyFilter,
    VerdictFilter,
)
from staff.processings.search import search

STATUS_COLOURS = {
    "queued": "info",
    "finished": "success",
    "failed": "danger",
    "deleted": "default",
}


class NarrowList(ChangeList):
    """Without the wide columns, which would be most of the work for a page of 50 rows."""

    def get_queryset(self, request: HttpRequest, *arguments: Any) -> QuerySet[StoredProcessing]:
        rows = super().get_queryset(request, *arguments)
        return rows.defer("matches", "recommendation", "details")


@admin.register(StoredProcessing)
class ProcessingAdmin(WithStaffActions, ReadOnly, ModelAdmin):
    """Read only: the rows follow the events."""

    staff_actions = processing_actions()

    list_display = (
        "number", "created", "state", "score_bar", "verdict", "vacancy", "resume_id", "owner",
        "run",
    )  # fmt: skip
    list_filter = (
        StatusFilter,
        VerdictFilter,
        ("score", RangeNumericFilter),
        ("create_at", DaysFilter),
        VacancyFilter,
        UserFilter,
        FlagsFilter,
    )
    search_fields = ("processing_id",)  # shows the box; `search.py` decides what it finds
    search_help_text = gettext_lazy("Id, user, or words of the texts")
    ordering = ("-create_at",)
    sortable_by = ("number", "created")
    show_facets = False
    list_before_template = "staff/processings_above.html"
    change_form_template = "staff/processing.html"

    # --- the list ---

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return NarrowList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StoredProcessing], search_term: str
    ) -> tuple[QuerySet[StoredProcessing], bool]:
        in_texts = request.user.has_perm("storage.view_storedresume")
        return search(queryset, search_term, in_texts=in_texts), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        listed = getattr(response, "context_data", {}).get("cl")
        if listed is not None:
            _name_the_owners(listed.result_list)
            response.context_data |= {  # type: ignore[attr-defined]
                "may_export": self.has_export_permission(request),
                "query": request.GET.urlencode(),
            }
        return response

    @display(description=gettext_lazy("processing"), ordering="processing_id")
    def number(self, processing: StoredProcessing) -> str:
        return f"#{processing.processing_id}"

    @display(description=gettext_lazy("created"), ordering="create_at")
    def created(self, processing: StoredProcessing) -> str:
        return f"{processing.create_at:%Y-%m-%d %H:%M}"

    @display(description=gettext_lazy("status"), label=STATUS_COLOURS)
    def state(self, processing: StoredProcessing) -> tuple[str, str]:
        return processing.status, str(processing.get_status_display())

    @display(description=gettext_lazy("score"))
    def score_bar(self, processing: StoredProcessing) -> str:
        if processing.score is None:
            return ""
        return format_html(
            '<span class="staff-score"><b>{}</b>'
            '<meter min="0" max="100" value="{}"></meter></span>',
            processing.score,
            processing.score,
        )

    @display(description=gettext_lazy("vacancy"))
    def vacancy(self, processing: StoredProcessing) -> str:
        url = reverse(
            "admin:storage_storedrequirements_ranking", args=(processing.requirements_id,)
        )
        return format_html('<a href="{}">#{}</a>', url, processing.requirements_id)

    @display(description=gettext_lazy("user"))
    def owner(self, processing: StoredProcessing) -> str:
        return getattr(processing, "owner_name", "") or f"#{processing.user_id}"

    # --- one processing ---

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        processing = self.get_object(request, object_id)
        told = {}
        if processing is not None and self.has_view_permission(request, processing):
            told = {
                "story": timeline.of(processing, reader=request.user, run=request.GET.get("run")),
                "flags_label": _("flags"),
            }
        return super().change_view(request, object_id, form_url, (extra_context or {}) | told)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return []  # the story shows it all, and the callback's URL may hold a secret

    # --- further pages ---

    def get_urls(self) -> list[Any]:
        own = [
            path(
                "export/<str:kind>/",
                self.admin_site.admin_view(self.export_view),
                name="storage_storedprocessing_export",
            ),
        ]
        return own + super().get_urls()

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("storage.export_processing")

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """What the list's filters select, as a file; the log says who took how much away."""
        if not (self.has_view_permission(request) and self.has_export_permission(request)):
            raise PermissionDenied
        if kind not in export.WRITERS:
            raise Http404
        selected = self.get_changelist_instance(request).get_queryset(request).defer(None)
        count = selected.order_by()[: export.MAX_ROWS + 1].count()
        if count > export.MAX_ROWS:
            text = _("More than {limit} rows are selected. Narrow them down, by date for instance.")
            self.message_user(request, text.format(limit=export.MAX_ROWS), messages.WARNING)
            listed = reverse("admin:storage_storedprocessing_changelist")
            return HttpResponseRedirect(f"{listed}?{request.GET.urlencode()}")
        LogEntry.objects.create(
            user_id=int(request.user.pk or 0),
            content_type=ContentType.objects.get_for_model(StoredProcessing),
            object_repr=str(StoredProcessing._meta.verbose_name_plural),
            action_flag=CHANGE,
            change_message=f"export to {kind}: {count} rows; {sorted(request.GET)}",
        )
        content_type, write = export.WRITERS[kind]
        response = StreamingHttpResponse(write(selected), content_type=content_type)
        name = f"processings-{timezone.now():%Y-%m-%d-%H%M}.{kind}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response


def _name_the_owners(processings: Any) -> None:
    wanted = {processing.user_id for processing in processings}
    names = dict(StoredUser.objects.filter(pk__in=wanted).values_list("user_id", "username"))
    for processing in processings:
        processing.owner_name = names.get(processing.user_id, "")
