"""The judge of a chaos run: it must see every way in which the promise can be broken."""

import dataclasses
from typing import Any

import pytest

from tools.chaos.verdict import Seen, judge

KEPT = Seen(
    wanted=2,
    accepted={1: "/a", 2: "/b"},
    stored={1: "finished", 2: "finished"},
    analysed={1: 1, 2: 1},
    requested={"/a": 1, "/b": 1},
    callbacks={"/a": ["msg_1"], "/b": ["msg_2", "msg_2"]},
)


def seen(**changes: Any) -> Seen:
    return dataclasses.replace(KEPT, **changes)


def test_a_repeated_callback_under_the_same_id_is_counted_and_allowed() -> None:
    verdict = judge(KEPT)
    assert verdict.is_kept
    assert (verdict.repeated_callbacks, verdict.other_webhook_ids) == (1, 0)


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"stored": {1: "finished"}}, [2]),
        ({"analysed": {2: 1}}, [1]),
        ({"callbacks": {"/a": ["msg_1"]}}, [2]),
        ({"callbacks": {"/a": ["msg_1"], "/b": []}}, [2]),
        ({"callbacks": {"/elsewhere": ["msg_1"]}}, [1, 2]),
    ],
)
def test_what_is_not_stored_not_analysed_or_not_called_back_is_lost(
    changes: dict[str, Any], lost: list[int]
) -> None:
    verdict = judge(seen(**changes))
    assert verdict.lost == lost
    assert not verdict.is_kept


@pytest.mark.parametrize(
    "changes",
    [
        {"requested": {"/a": 2, "/b": 1}},
        {"analysed": {1: 2, 2: 1}},
        {"callbacks": {"/a": ["msg_1", "msg_x"], "/b": ["msg_2"]}},
        {"wanted": 3},
    ],
)
def test_twice_or_under_another_id_or_cut_short_is_no_kept_promise(changes: dict[str, Any]) -> None:
    assert not judge(seen(**changes)).is_kept


def test_what_was_never_answered_with_200_owes_nothing() -> None:
    more = {"requested": {"/a": 1, "/b": 1, "/cut-off": 1}, "unanswered": 1}
    assert judge(seen(**more)).is_kept
