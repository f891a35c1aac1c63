"""Whose an id is, by the word of the app here that issued it.

An app registers what it issues. Ids of another service's have no issuer here.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping

Subject = tuple[str, int]
"""A kind of id ("resume", "requirements", "processing") and an id."""
FindOwners = Callable[[Collection[int]], Mapping[int, int]]

_ISSUERS: dict[str, FindOwners] = {}


def register_issuer(kind: str, find_owners: FindOwners) -> None:
    """`find_owners` maps those of the given ids that were issued to the ids of their users."""
    _ISSUERS[kind] = find_owners


def owners(subjects: Iterable[Subject]) -> dict[Subject, int]:
    """The owner of each subject that was issued here; one query for each kind."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for kind, id_ in subjects:
        wanted[kind].add(id_)
    return {
        (kind, id_): user_id
        for kind, ids in wanted.items()
        if kind in _ISSUERS
        for id_, user_id in _ISSUERS[kind](ids).items()
    }
