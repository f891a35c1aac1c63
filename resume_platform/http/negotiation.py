"""Which format an answer has: a view's only one whatever `Accept` says, and never a refusal."""

from collections.abc import Iterable

from django.http import Http404
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AlwaysAnswers(DefaultContentNegotiation):
    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        first, *others = renderers
        if not others:
            return first, first.media_type
        try:
            return super().select_renderer(request, [first, *others], format_suffix)
        except (NotAcceptable, Http404):
            return first, first.media_type
