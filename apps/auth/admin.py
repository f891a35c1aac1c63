"""Users and their sessions for the staff."""

from typing import ClassVar

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm

from apps.auth.models import Session, User
from apps.auth.staff_actions import ERASE
from resume_platform.admin.base import ModelAdmin, TabularInline
from resume_platform.admin.staff_action_pages import WithStaffActions


class SessionInline(TabularInline):
    model = Session
    fields = ("id", "created_at", "last_used_at", "expires_at", "revoked_at")
    readonly_fields = fields
    can_delete = False
    extra = 0
    ordering = ("-created_at",)

    def has_add_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(WithStaffActions, DjangoUserAdmin, ModelAdmin):
    # Where accounts are somebody else's, this table holds the staff alone.
    staff_actions = (ERASE,) if "auth" in settings.ENABLED_APPS else ()
    form = UserChangeForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("id", "username", "full_name", "created_at", "is_active", "is_staff")
    list_display_links = ("id", "username")
    list_filter = ("is_active", "is_staff", "created_at")
    search_fields = ("=id", "username", "full_name")
    ordering = ("-id",)
    readonly_fields = ("created_at", "last_login", "session_version")
    inlines = (SessionInline,)
    fieldsets: ClassVar = (
        (None, {"fields": ("username", "password", "full_name")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("created_at", "last_login", "session_version")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people register through the API, which announces them

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # other apps hold their rows; deactivate instead
