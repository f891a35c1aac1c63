"""Read-only lists for staff."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from apps.ai.models import Analysis, DailySpending, ProviderCall, Rubric, Tombstone
from apps.ai.provider import usage_ledger
from resume_platform.admin.base import ExactFilter, ModelAdmin, ReadOnly

MAX_SUMS = 200


class FlaggedFilter(admin.SimpleListFilter):
    """Resumes that speak to their judge."""

    title = _("flagged")
    parameter_name = "flagged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", str(_("Yes"))), ("no", str(_("No")))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Analysis]) -> QuerySet[Analysis]:
        if self.value() == "yes":
            return queryset.filter(flags__gt=0)
        return queryset.filter(flags=0) if self.value() == "no" else queryset


@admin.register(Rubric)
class RubricAdmin(ReadOnly, ModelAdmin):
    list_display = (
        "id",
        "language",
        "model",
        "prompt_version",
        "input_tokens",
        "output_tokens",
        "created_at",
    )
    list_filter = ("model", "prompt_version", "language")
    search_fields = ("requirements_hash",)
    exclude = ("key",)


@admin.register(Analysis)
class AnalysisAdmin(ReadOnly, ModelAdmin):
    list_display = (
        "id", "processing_id", "run", "user_id", "status", "score", "verdict", "error_code",
        "flags", "model", "input_tokens", "output_tokens", "cost", "latency_ms", "reused_from",
        "created_at",
    )  # fmt: skip
    list_filter = (
        "status",
        FlaggedFilter,
        ("model", ExactFilter),
        ("prompt_version", ExactFilter),
        ("error_code", ExactFilter),
    )
    search_fields = ("processing_id", "user_id", "requirements_id")
    raw_id_fields = ("rubric",)


@admin.register(ProviderCall)
class ProviderCallAdmin(ReadOnly, ModelAdmin):
    """What was paid, and above the list its sums by user and day: of what the filters select."""

    list_display = (
        "id", "created_at", "user_id", "processing_id", "run", "kind", "is_useful", "model",
        "input_tokens", "cached_tokens", "output_tokens", "cost", "latency_ms",
    )  # fmt: skip
    list_filter = ("created_at", ("kind", ExactFilter), "is_useful", ("model", ExactFilter))
    search_fields = ("=user_id", "=processing_id")
    date_hierarchy = "created_at"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context and "cl" in context:
            context["spending"] = usage_ledger.by_user_and_day(context["cl"].queryset)[:MAX_SUMS]
            context["currency"] = settings.AI_CURRENCY
        return response


@admin.register(DailySpending)
class DailySpendingAdmin(ReadOnly, ModelAdmin):
    """Of the days whose calls are no longer kept one by one."""

    list_display = (
        "day", "user_id", "model", "calls", "input_tokens", "cached_tokens", "output_tokens",
        "cost", "unpriced",
    )  # fmt: skip
    list_filter = ("day", "model")
    search_fields = ("=user_id",)
    date_hierarchy = "day"
    ordering = ("-day", "user_id")


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnly, ModelAdmin):
    list_display = ("id", "kind", "ref_id", "user_id", "created_at")
    list_filter = ("kind",)
    search_fields = ("ref_id", "user_id")
