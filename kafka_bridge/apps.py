from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KafkaBridgeConfig(AppConfig):
    name = "kafka_bridge"
    verbose_name = _("Kafka bridge")

    def ready(self) -> None:
        # They register themselves once the apps are loaded.
        from kafka_bridge.erasure import bridge_data  # noqa: F401
        from kafka_bridge.tasks import checks  # noqa: F401
