"""The project's settings, its HTTP surface and what its apps share."""

from celery_app import app as celery_app

__all__ = ["celery_app"]
