"""Django's middleware that only the staff's pages need: the API's requests pass by.

Subclasses under names of their own, so that Django's checks find them in MIDDLEWARE. See decision
0110.
"""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest

PREFIX = "/admin/"


class _OnStaffPages:
    """Before the middleware that it restricts."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(PREFIX):
            return super().__call__(request)  # type: ignore[misc]
        return self.get_response(request)


class Sessions(_OnStaffPages, SessionMiddleware):
    pass


class Users(_OnStaffPages, AuthenticationMiddleware):
    pass


class Messages(_OnStaffPages, MessageMiddleware):
    pass
