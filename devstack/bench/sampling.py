"""Looking at something again and again while something else runs."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Sampling(ABC):
    """`with` it: `_sample` runs in a thread of its own until the block ends."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name=type(self).__name__, daemon=True)

    @abstractmethod
    def _sample(self) -> None:
        """Has to end when `_stop` is set."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
