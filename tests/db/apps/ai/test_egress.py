"""Nothing leaves from a country that may not ask, and looking costs next to nothing."""

import pytest

from apps.ai.provider.egress import Egress
from resume_platform.redis.cache import Namespace, connect, counters_for

pytestmark = pytest.mark.usefixtures("empty_cache")


class Page:
    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)
        self.looks = 0

    def __call__(self) -> str:
        self.looks += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise OSError
        return f"h=x\nloc={answer}\n"


def egress(page: Page, now: list[float], **changes: object) -> Egress:
    values = {
        "fetch": page, "way_out": "x", "blocked": frozenset({"ru"}), "is_open_when_unknown": False,
        "shared": counters_for("ai"), "clock": lambda: now[0],
    }  # fmt: skip
    return Egress(**values | changes)


def test_the_answer_is_kept_and_shared_between_workers():
    page, now = Page("NL"), [0.0]
    one, other = egress(page, now), egress(page, now)
    assert [one.verdict(), other.verdict(), one.verdict()] == ["allowed"] * 3
    assert page.looks == 1
    counters_for("ai").redis.delete(one._key)  # five minutes later
    now[0] += 61
    assert one.verdict() == "allowed"
    assert page.looks == 2


def test_a_blocked_country_is_refused_and_a_repaired_way_out_is_noticed_soon():
    page, now = Page("RU", "NL"), [0.0]
    guard = egress(page, now)
    assert guard.verdict() == "blocked"
    now[0] += 29
    assert guard.verdict() == "blocked"
    now[0] += 2
    assert guard.verdict() == "allowed"


def test_what_cannot_be_seen_is_refused_unless_a_setting_allows_it():
    now = [0.0]
    assert egress(Page(None), now).verdict() == "unknown"
    assert egress(Page("nonsense"), now).verdict() == "unknown"
    assert egress(Page(None), now, is_open_when_unknown=True).verdict() == "allowed"
    assert egress(Page("RU"), now, is_open_when_unknown=True).verdict() == "blocked"


def test_without_blocked_countries_or_without_redis():
    page, now = Page("NL"), [0.0]
    assert egress(page, now, blocked=frozenset()).verdict() == "allowed"
    assert page.looks == 0
    away = Namespace(connect("redis://127.0.0.1:9/0"), "ai")
    assert egress(page, now, shared=away).verdict() == "allowed"
