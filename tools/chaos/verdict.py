"""What a chaos run adds up to. Pure: it is told what was seen and says what is missing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Seen:
    """What the load, the database and the receiver of callbacks know of one run."""

    wanted: int
    accepted: Mapping[int, str]
    """Processings whose start was answered with 200, with the path of their callback."""
    stored: Mapping[int, str]
    """Processings with a result in storage, with its status."""
    analysed: Mapping[int, int]
    """Processings that the AI app judged, with the number of its rows."""
    requested: Mapping[str, int]
    """How many processings are stored for each callback path."""
    callbacks: Mapping[str, Sequence[str]]
    """The webhook-ids that arrived at each path, in order."""
    unanswered: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    """By reason, those the faults made; they were replayed."""


@dataclass(frozen=True)
class Verdict:
    wanted: int
    accepted: int
    unanswered: int
    stored: int
    analysed: int
    called_back: int
    lost: list[int]
    failed: int
    stored_twice: int
    repeated_callbacks: int
    other_webhook_ids: int
    faults: dict[str, int]
    dead_letters: dict[str, int]

    @property
    def is_kept(self) -> bool:
        """Whether the promise was kept: each once in storage, each called back under one id.

        A load that did not come to its end proves nothing.
        """
        broken = self.lost or self.stored_twice or self.other_webhook_ids
        return not broken and self.accepted == self.wanted


def judge(seen: Seen) -> Verdict:
    lost = [
        processing_id
        for processing_id, path in seen.accepted.items()
        if not (
            processing_id in seen.stored
            and processing_id in seen.analysed
            and seen.callbacks.get(path)
        )
    ]
    ours = seen.accepted.keys()
    calls = [ids for ids in seen.callbacks.values() if ids]
    return Verdict(
        wanted=seen.wanted,
        accepted=len(seen.accepted),
        unanswered=seen.unanswered,
        stored=len(ours & seen.stored.keys()),
        analysed=len(ours & seen.analysed.keys()),
        called_back=sum(bool(seen.callbacks.get(path)) for path in seen.accepted.values()),
        lost=sorted(lost),
        failed=Counter(seen.stored.values())["failed"],
        stored_twice=sum(max(0, count - 1) for count in seen.requested.values())
        + sum(max(0, count - 1) for count in seen.analysed.values()),
        repeated_callbacks=sum(len(ids) - 1 for ids in calls),
        other_webhook_ids=sum(len(set(ids)) - 1 for ids in calls),
        faults=dict(seen.faults),
        dead_letters=dict(seen.dead_letters),
    )
