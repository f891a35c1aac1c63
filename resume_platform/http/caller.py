"""Who is calling."""

from typing import cast

from rest_framework.request import Request


def user_id(request: Request) -> int:
    """The id of the user whose token came with a request to a protected endpoint."""
    # Every authentication class of ours sets a user with an id; the permission asks for one.
    return cast(int, request.user.id)
