"""Tells the bridge whose the ids are that uploads issued."""

from collections.abc import Collection
from functools import partial

from django.conf import settings
from django.db.models import Model

from apps.uploads.models import Processing, Requirements, Resume
from kafka_bridge.contract.issuers import register_issuer


def _owners(model: type[Model], ids: Collection[int]) -> dict[int, int]:
    if "uploads" not in settings.ENABLED_APPS:
        return {}
    return dict(model._default_manager.filter(id__in=ids).values_list("id", "user_id"))


register_issuer("resume", partial(_owners, Resume))
register_issuer("requirements", partial(_owners, Requirements))
register_issuer("processing", partial(_owners, Processing))
