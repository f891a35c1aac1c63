"""The provider that the settings name, and what guards the way to it: one each per process."""

from functools import lru_cache

from django.conf import settings

from apps.ai.egress import Egress, trace_url
from apps.ai.guarded import GuardedProvider
from apps.ai.ledger import Account
from apps.ai.limits import Limits, Quota, Turn
from apps.ai.provider import Provider, ProviderConfig
from resume_platform.caching import counters_for


def configured_provider(model: str = "") -> Provider:
    """The process's one provider, as the settings describe it; `model` asks another one."""
    return _provider(
        ProviderConfig(
            api_key=settings.OPENAI_API_KEY,
            base_url=settings.OPENAI_BASE_URL,
            model=model or settings.OPENAI_MODEL,
            proxy=settings.OPENAI_PROXY,
            timeout_seconds=float(settings.OPENAI_TIMEOUT_SECONDS),
        )
    )


def guarded(provider: Provider, *, turn: Turn, account: Account) -> GuardedProvider:
    """The provider as one row may ask it."""
    return GuardedProvider(
        provider,
        limits=configured_limits(),
        egress=configured_egress(provider),
        turn=turn,
        account=account,
    )


def configured_limits() -> Limits:
    return Limits(
        # Counters must not be evicted: never the cache's server.
        counters_for("ai"),
        Quota(
            rpm=settings.AI_RPM,
            rpd=settings.AI_RPD,
            tpm=settings.AI_TPM,
            max_wait=float(settings.AI_MAX_WAIT_SECONDS),
            timeout=float(settings.OPENAI_TIMEOUT_SECONDS),
        ),
    )


def configured_egress(provider: Provider) -> Egress:
    return _egress(
        provider,
        trace_url(settings.OPENAI_BASE_URL, settings.EGRESS_TRACE_URL),
        settings.OPENAI_PROXY,
        frozenset(settings.AI_BLOCKED_COUNTRIES),
        settings.EGRESS_UNKNOWN == "allow",
    )


@lru_cache(maxsize=4)
def _provider(config: ProviderConfig) -> Provider:
    return Provider(config)


@lru_cache(maxsize=4)
def _egress(
    provider: Provider, url: str, proxy: str, blocked: frozenset[str], is_open_when_unknown: bool
) -> Egress:
    return Egress(
        fetch=lambda: provider.fetch(url),
        way_out=f"{url} {proxy}",
        blocked=blocked,
        is_open_when_unknown=is_open_when_unknown,
        shared=counters_for("ai"),
    )
