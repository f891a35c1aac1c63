"""Which failures wait for another attempt, and what the client is told of the others."""

import pytest

from apps.ai.pipeline.failures import SENTENCES, meaning_of
from apps.ai.pipeline.outcome import Outcome
from apps.ai.provider.answer import Usage
from apps.ai.provider.errors import (
    LimitReached,
    ProviderAnswerInvalid,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from apps.ai.rubric.store import NothingDemanded, RubricInTheMaking


def later(
    reason: str, seconds: float | None, is_counted: bool = True
) -> tuple[str, float | None, bool]:
    return reason, seconds, is_counted


@pytest.mark.parametrize(
    ("error", "is_last", "meaning"),
    [
        (ProviderUnavailable("x"), False, later("provider_unavailable", None)),
        (ProviderUnavailable("x", 5), False, later("provider_unavailable", 5)),
        (ProviderUnavailable("x", 9999), False, later("provider_unavailable", None)),
        (ProviderUnavailable("x"), True, ("provider_unavailable", None)),
        (ProviderRateLimited("x", 20), False, later("provider_rate_limited", 20)),
        (ProviderRateLimited("x", 601), False, ("rate_limited", 601)),
        (ProviderRateLimited("x", 20.2), True, ("rate_limited", 21)),
        (ProviderRateLimited("x"), True, ("rate_limited", 60)),
        (ProviderRejected("status_401"), False, ("provider_rejected", None)),
        (ProviderRejected("insufficient_quota"), False, ("quota_exhausted", None)),
        (ProviderRejected("region"), False, ("region_refused", None)),
        (ProviderRejected("egress_blocked"), False, ("region_refused", None)),
        (ProviderAnswerInvalid("truncated", Usage(1, 2)), False, ("answer_invalid", None)),
        (NothingDemanded(), False, ("nothing_demanded", None)),
        (RubricInTheMaking(0.1), True, later("rubric_in_the_making", 0.3, False)),
        (RubricInTheMaking(2.0), False, later("rubric_in_the_making", 2.0, False)),
        (RubricInTheMaking(60.0), False, later("rubric_in_the_making", 3.0, False)),
        # A wait for our own limit is no attempt, not even the last one.
        (LimitReached("limit_rpm", 30.5, is_final=False), True, later("limit_rpm", 30.5, False)),
        (LimitReached("limit_rpd", 700.2, is_final=True), False, ("rate_limited", 701)),
        (ProviderUnavailable("circuit_open", 9), False, later("circuit_open", None)),
        (ProviderUnavailable("circuit_open", 9), True, ("provider_unavailable", None)),
        (ProviderUnavailable("egress_unknown"), False, later("egress_unknown", None)),
        (ProviderUnavailable("egress_unknown"), True, ("egress_unknown", None)),
    ],
)
def test_which_errors_wait_and_which_are_told(error, is_last, meaning):
    found = meaning_of(error, is_last=is_last, max_wait=600)
    if isinstance(found, Outcome):
        assert (found.error_code, found.wait_seconds) == meaning
    else:
        assert (found.reason, found.seconds, found.counted) == meaning


def test_every_failure_has_a_sentence_in_both_languages():
    for sentences in SENTENCES.values():
        assert sentences["en"].endswith(".")
        assert sentences["ru"].endswith(".")
        assert sentences["ru"] != sentences["en"]
