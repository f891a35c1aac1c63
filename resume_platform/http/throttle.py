"""How often one address may ask where nobody has shown a token yet."""

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from resume_platform.http.client_address import client_network
from resume_platform.redis.cache import counters_for
from resume_platform.redis.window_counter import WindowCounter

WINDOW_SECONDS = 60


class AddressThrottle(BaseThrottle):
    """A view's `throttle_scope` and the setting `<SCOPE>_PER_MINUTE` say how often.

    Redis being away lets through and raises the metric.
    """

    left = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        scope: str = view.throttle_scope  # type: ignore[attr-defined]
        limit = WindowCounter(
            counters_for("auth"),
            most=getattr(settings, f"{scope.upper()}_PER_MINUTE"),
            window_seconds=WINDOW_SECONDS,
        )
        client = client_network(request.META, settings.TRUSTED_PROXIES)
        self.left = limit.count(f"{scope}:{client}")
        return not self.left

    def wait(self) -> float:
        return self.left
