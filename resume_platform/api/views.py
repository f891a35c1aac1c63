"""The views of the API: Django REST's, without what they make anew for each request."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from django.http import HttpResponse
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

# As Django REST renders: no escapes but those that JavaScript needs, no spaces, no NaN.
_as_json = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Answer(HttpResponse):
    """A success: `data` as JSON, the bytes that Django REST would have made of it."""

    def __init__(self, data: Any, *, headers: Mapping[str, str] | None = None) -> None:
        text = _as_json(data).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        super().__init__(text.encode(), content_type="application/json", headers=headers)


# Its authenticators, permissions, parsers, renderers and headers serve all requests: none of ours
# keeps anything of one. See decision 0143. (A docstring would stand in the API's documentation.)
class View(APIView):
    def get_authenticators(self) -> Any:
        return _made(self.authentication_classes)

    def get_permissions(self) -> Any:
        return _made(self.permission_classes)

    def get_parsers(self) -> Any:
        return _made(self.parser_classes)

    def get_renderers(self) -> Any:
        return _made(self.renderer_classes)

    def get_content_negotiator(self) -> Any:
        [negotiator] = _made((self.content_negotiation_class,))
        return negotiator

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {"Allow": _allowed(cast(Any, type(self)))}


def _made(kinds: Any) -> list[Any]:
    return _instances(tuple(kinds))


@cache
def _instances(kinds: tuple[Any, ...]) -> list[Any]:
    return [kind() for kind in kinds]


@cache
def _allowed(view: Any) -> str:
    return ", ".join(view().allowed_methods)
