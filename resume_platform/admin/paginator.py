"""Pages of long lists: what is beyond the first ten thousand rows is narrowed down, not counted."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

COUNT_LIMIT = 10_000


class BoundedPaginator(Paginator):
    """Counts up to COUNT_LIMIT rows, so that a list costs the same however long it is."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[:COUNT_LIMIT].count()

    @property
    def limit_reached(self) -> int | None:
        """The limit, where there may be more rows than that."""
        return COUNT_LIMIT if self.count >= COUNT_LIMIT else None
