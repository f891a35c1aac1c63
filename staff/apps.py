from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class StaffConfig(AppConfig):
    name = "staff"
    verbose_name = _("Staff")

    def ready(self) -> None:
        from staff import groups  # it needs no models before the apps are loaded

        post_migrate.connect(groups.ensure_groups, sender=self, dispatch_uid="staff.groups")
