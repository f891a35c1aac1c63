"""Uploads' one handler: what it holds of a user is erased."""

from apps.uploads import erasure  # noqa: F401  registers it
