"""The app that answers the reads: rows that follow the events."""

from django.apps import AppConfig


class StorageConfig(AppConfig):
    name = "apps.storage"
    label = "storage"
