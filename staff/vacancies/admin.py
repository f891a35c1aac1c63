"""The list of vacancies, and the candidates of each, ranked."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.storage.models import StoredRequirements
from resume_platform.admin.base import DaysFilter, ModelAdmin, ReadOnly
from staff.vacancies import ranking


@admin.register(StoredRequirements)
class VacancyAdmin(ReadOnly, ModelAdmin):
    """Read only: the rows follow the events."""

    has_texts = True

    list_display = ("number", "beginning", "user_id", "create_at", "deleted", "candidates")
    list_filter = ("deleted", ("create_at", DaysFilter))
    search_fields = ("=requirements_id", "=user_id")
    exclude = ("text_hash",)
    ordering = ("-pk",)
    sortable_by = ()

    @display(description=_("vacancy"))
    def number(self, vacancy: StoredRequirements) -> str:
        return f"#{vacancy.requirements_id}"

    @display(description=_("begins with"))
    def beginning(self, vacancy: StoredRequirements) -> str:
        line = next((one for one in vacancy.requirements.splitlines() if one.strip()), "")
        return line.strip()[:80]

    @display(description=_("candidates"))
    def candidates(self, vacancy: StoredRequirements) -> str:
        url = reverse("admin:storage_storedrequirements_ranking", args=(vacancy.requirements_id,))
        return format_html('<a href="{}">{}</a>', url, _("ranking"))

    def get_urls(self) -> list[Any]:
        own = path(
            "<int:requirements_id>/ranking/",
            self.admin_site.admin_view(self.ranking_view),
            name="storage_storedrequirements_ranking",
        )
        return [own, *super().get_urls()]

    def ranking_view(self, request: HttpRequest, requirements_id: int) -> HttpResponse:
        """The best candidates first, and how each stands to every criterion."""
        if not request.user.has_perm("storage.view_storedprocessing"):
            raise PermissionDenied
        may_read = request.user.has_perm("storage.view_storedrequirements")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("Candidates of vacancy #{number}").format(number=requirements_id),
            "ranking": ranking.of(requirements_id, with_text=may_read),
            "limit": ranking.MAX_CANDIDATES,
        }
        return TemplateResponse(request, "staff/ranking.html", context)
