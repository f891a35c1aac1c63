"""The provider that the settings name: one per process."""

from functools import lru_cache

from django.conf import settings

from apps.ai.provider import Provider, ProviderConfig


def configured_provider() -> Provider:
    """The process's one provider, as the settings describe it."""
    return _provider(
        ProviderConfig(
            api_key=settings.OPENAI_API_KEY,
            base_url=settings.OPENAI_BASE_URL,
            model=settings.OPENAI_MODEL,
            proxy=settings.OPENAI_PROXY,
            timeout_seconds=float(settings.OPENAI_TIMEOUT_SECONDS),
        )
    )


@lru_cache(maxsize=4)
def _provider(config: ProviderConfig) -> Provider:
    return Provider(config)
