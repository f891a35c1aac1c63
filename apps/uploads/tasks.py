"""What uploads registers with the bridge: its one handler, an erasure, and whose its ids are."""

from apps.uploads import erasure, issued_ids  # noqa: F401  register themselves
