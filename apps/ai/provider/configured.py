"""Builds the provider, the rate limiter and the egress check from the settings, once a process."""

from functools import lru_cache

from django.conf import settings

from apps.ai.provider.client import Provider, ProviderConfig
from apps.ai.provider.egress import Egress, trace_url
from apps.ai.provider.guarded import GuardedProvider, Ledger
from apps.ai.provider.rate_limiter import Caller, Quota, RateLimiter
from resume_platform.observability import metrics
from resume_platform.observability.exporter import Values, figures
from resume_platform.redis.cache import counters_for


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


def guarded(provider: Provider, *, caller: Caller, ledger: Ledger) -> GuardedProvider:
    """The provider as one row may ask it."""
    return GuardedProvider(
        provider,
        rate_limiter=configured_rate_limiter(),
        egress=configured_egress(provider),
        caller=caller,
        ledger=ledger,
    )


def configured_rate_limiter() -> RateLimiter:
    return RateLimiter(
        # Counters must not be evicted: never the cache's server.
        counters_for("ai"),
        Quota(
            rpm=settings.AI_RPM,
            rpd=settings.AI_RPD,
            tpm=settings.AI_TPM,
            max_wait=float(settings.AI_MAX_WAIT_SECONDS),
            timeout=float(settings.OPENAI_TIMEOUT_SECONDS),
            user_day_share=settings.AI_USER_DAY_SHARE,
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


@figures("ai_limits", process="ai")
def limit_figures() -> Values:
    """Raises RedisError."""
    now = configured_rate_limiter().state()
    return {
        metrics.AI_LIMIT_USED: {
            ("rpm",): now.calls / settings.AI_RPM,
            ("tpm",): now.tokens / settings.AI_TPM,
            ("rpd",): now.day / settings.AI_RPD,
        },
        metrics.AI_WAITING: {(): now.waiting},
        metrics.AI_CIRCUIT_OPEN: {(): now.is_circuit_open},
    }


@figures("ai_egress", process="ai")
def egress_figures() -> Values:
    """Of this process alone; nothing is asked."""
    last = configured_egress(configured_provider()).last_verdict
    verdicts = ("allowed", "blocked", "unknown")
    return {metrics.AI_EGRESS: {(verdict,): float(verdict == last) for verdict in verdicts}}


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
