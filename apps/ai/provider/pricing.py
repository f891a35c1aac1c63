"""Computes what a call costs by the price table of the settings, in exact decimals."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from apps.ai.provider.answer import Usage

_PLACES = Decimal("0.00000001")
_MILLION = Decimal(1_000_000)


class Price(Protocol):
    """Money per million tokens. Input that the provider had cached may be cheaper."""

    @property
    def input(self) -> Decimal: ...
    @property
    def cached_input(self) -> Decimal | None: ...
    @property
    def output(self) -> Decimal: ...


def cost(usage: Usage, *, model: str, prices: Mapping[str, Price]) -> Decimal | None:
    """None where the table does not know the model: an unknown price is not zero."""
    price = _price(model, prices)
    if price is None:
        return None
    cached = min(usage.cached_tokens, usage.input_tokens)
    cached_price = price.input if price.cached_input is None else price.cached_input
    money = (
        (usage.input_tokens - cached) * price.input
        + cached * cached_price
        + usage.output_tokens * price.output
    ) / _MILLION
    return money.quantize(_PLACES)


def _price(model: str, prices: Mapping[str, Price]) -> Price | None:
    """The model's own price, else that of the longest name it begins with: "gpt-x-2026-11-01"."""
    if model in prices:
        return prices[model]
    named = [name for name in prices if model.startswith(f"{name}-")]
    return prices[max(named, key=len)] if named else None
