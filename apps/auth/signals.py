"""Keeps the cached view of a user in step with changes made outside the services (the admin)."""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from apps.auth import user_cache
from apps.auth.models import User


@receiver([post_save, post_delete], sender=User, dispatch_uid="accounts.refresh_principal")
def refresh_principal(sender: type[User], instance: User, **kwargs: Any) -> None:
    if kwargs.get("created"):
        return
    transaction.on_commit(partial(user_cache.changed, instance.pk), robust=True)
