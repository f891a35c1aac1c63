"""Django system checks: a route to a handler that does not exist stops the start."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from kafka_bridge.contract.routes import ROUTES, is_enabled
from kafka_bridge.tasks.registry import HANDLERS, load_handlers


@register()
def every_route_has_its_handler(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    load_handlers()
    problems: list[CheckMessage] = []
    for event, names in ROUTES.items():
        for name in filter(is_enabled, names):
            spec = HANDLERS.get(name)
            if spec is None:
                problems.append(
                    Error(
                        f"{event.__name__} is routed to {name}, which no app registers.",
                        hint="Register it in the app's tasks.py, or mend contract/routes.py.",
                        id="kafka_bridge.E001",
                    )
                )
            elif event not in spec.events:
                problems.append(
                    Error(
                        f"{name} is routed {event.__name__}, which it does not take.",
                        hint="Name the event in the handler's decorator.",
                        id="kafka_bridge.E002",
                    )
                )
    return problems
