"""What staff may have done to rows: by permission, one by one, each with a line in the log."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction

from resume_platform.http.errors import DomainError

MAX_ROWS = 1000


def _always(row: Any) -> bool:
    return True


@dataclass(frozen=True)
class StaffAction:
    """`act` does it to one row, may be asked twice, and raises DomainError for what it leaves.

    `done` is a lazy ngettext sentence with `%(count)d`. `recorded` is what the admin log keeps, in
    English. `is_offered` says whether a row's own page shows the button. What is `confirmed` asks
    first when it is chosen for many; from a row's own page each asks.
    """

    name: str
    title: Any
    warning: Any
    permission: str
    act: Callable[[Any], object]
    done: Any
    recorded: str
    icon: str
    confirmed: bool = False
    is_offered: Callable[[Any], bool] = _always
    flag: int = CHANGE

    def is_permitted(self, staff: Any) -> bool:
        return bool(staff.has_perm(self.permission))


@dataclass(frozen=True)
class Report:
    """`left` maps each reason, a sentence, to how many rows were left for it."""

    done: int
    left: Mapping[str, int]


def carry_out(action: StaffAction, rows: Iterable[Any], *, staff: Any) -> Report:
    """Do it to each row in a transaction of its own, together with its line in the admin log.

    Raises PermissionDenied, and then nothing is done.
    """
    if not action.is_permitted(staff):
        raise PermissionDenied
    done = 0
    left: Counter[str] = Counter()
    for row in rows:
        try:
            with transaction.atomic():
                action.act(row)
                LogEntry.objects.log_actions(
                    user_id=staff.pk,
                    queryset=[row],
                    action_flag=action.flag,
                    change_message=action.recorded,
                    single_object=True,
                )
        except DomainError as error:
            left[error.detail] += 1
        else:
            done += 1
    return Report(done, left)
