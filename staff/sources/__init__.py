"""What the enabled apps know: one module per app, each with the same few names.

`PERMISSION` is what a reader needs; `events(processing)` is the app's part of a processing's story;
`figures(now)` and `charts(now)` are its parts of the start page. An app that is left out is not
imported, so what it knows is absent.
"""

from importlib import import_module
from typing import Any

from django.conf import settings

NAMES = ("uploads", "ai", "storage", "notifications")


def readable_by(reader: Any) -> list[Any]:
    """The sources of the enabled apps that this member of the staff may read."""
    enabled = [n for n in NAMES if n in settings.ENABLED_APPS]
    sources = [import_module(f"{__name__}.{name}") for name in enabled]
    return [source for source in sources if reader.has_perm(source.PERMISSION)]
