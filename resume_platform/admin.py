"""What the apps' admin pages share."""

from typing import Any

from django.http import HttpRequest


class ReadOnly:
    """Rows that tell a story are read, never written."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
