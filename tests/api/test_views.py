"""What `View` and `Answer` share with Django REST: every byte, and nothing of a request."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.urls import get_resolver
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from resume_platform.api.views import Answer, View

VALUES: list[Any] = [
    {"resume_id": 1, "resume": 'ж "quotes" \\ / \u2028 \u2029 \x00 \x7f 😀 </script>'},
    [{"create_at": datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC), "score": None}],
    {
        "uuid": UUID(int=1),
        "decimal": Decimal("1.50"),
        "float": 0.1,
        "bool": True,
        "nested": [[], {}],
    },
    [],
]


@pytest.mark.parametrize("value", VALUES)
def test_an_answer_has_the_bytes_of_django_rests_renderer(value: Any) -> None:
    answer = Answer(value, headers={"X-Total-Count": "1"})
    assert answer.content == JSONRenderer().render(value, "application/json", {})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Total-Count"] == "1"


def test_what_is_no_json_is_no_answer() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Answer({"x": float("nan")})


def _views() -> list[type[View]]:
    patterns = [p for group in get_resolver().url_patterns for p in _flat(group)]
    kinds = [getattr(pattern.callback, "cls", None) for pattern in patterns]
    return [kind for kind in kinds if kind is not None and issubclass(kind, View)]


def _flat(pattern: Any) -> list[Any]:
    inner = getattr(pattern, "url_patterns", None)
    return [pattern] if inner is None else [p for it in inner for p in _flat(it)]


@pytest.mark.parametrize("kind", _views())
def test_what_all_requests_share_is_what_the_class_names_and_keeps_nothing(
    kind: type[View],
) -> None:
    view, plain = kind(), APIView.default_response_headers
    assert view.default_response_headers == plain.fget(view)  # type: ignore[attr-defined]
    for name in ("authenticators", "permissions", "parsers", "renderers"):
        shared = getattr(view, f"get_{name}")()
        assert [type(it) for it in shared] == [
            type(it) for it in getattr(APIView, f"get_{name}")(view)
        ]
        assert not any(vars(it) for it in shared)
