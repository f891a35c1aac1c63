"""Read-only lists for staff."""

from django.contrib import admin

from apps.ai.models import Analysis, Rubric, Tombstone
from resume_platform.admin import ReadOnly


@admin.register(Rubric)
class RubricAdmin(ReadOnly, admin.ModelAdmin):
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
class AnalysisAdmin(ReadOnly, admin.ModelAdmin):
    list_display = (
        "id", "processing_id", "run", "user_id", "status", "score", "verdict", "error_code",
        "model", "input_tokens", "output_tokens", "latency_ms", "reused_from", "created_at",
    )  # fmt: skip
    list_filter = ("status", "model", "prompt_version", "error_code")
    search_fields = ("processing_id", "user_id", "requirements_id")
    raw_id_fields = ("rubric",)


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "kind", "ref_id", "user_id", "created_at")
    list_filter = ("kind",)
    search_fields = ("ref_id", "user_id")
