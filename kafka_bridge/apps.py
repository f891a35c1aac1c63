from django.apps import AppConfig


class KafkaBridgeConfig(AppConfig):
    name = "kafka_bridge"
    verbose_name = "Kafka bridge"

    def ready(self) -> None:
        # They register themselves once the apps are loaded.
        from kafka_bridge import checks, own_texts  # noqa: F401
