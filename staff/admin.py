"""The pages that several apps' rows make up together."""

from importlib import import_module

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group

from resume_platform.admin.base import ModelAdmin

import_module("staff.admin_log")
if apps.is_installed("apps.storage"):
    import_module("staff.processings.admin")
    import_module("staff.vacancies.admin")

admin.site.index_template = "staff/index.html"
admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Django's own page, in the look of the others."""
