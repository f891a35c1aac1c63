"""One owner's slow children leave a place for the others', and nobody waits for long."""

import pytest

from resume_platform.sandbox import bulkhead
from resume_platform.sandbox.bulkhead import Bulkhead, SandboxBusy


def test_one_owner_has_one_child_and_others_have_the_rest() -> None:
    places = Bulkhead()
    with places.place("one"):
        with pytest.raises(SandboxBusy), places.place("one", seconds=0.01):
            pass
        with places.place("other"), pytest.raises(SandboxBusy), places.place("third", seconds=0.01):
            pass
        with places.place("third"):
            pass
    with places.place("one", seconds=0):
        pass


@pytest.mark.parametrize("bound", ["INSIDE", "INSIDE_OF_ONE_OWNER"])
@pytest.mark.timeout(20)
def test_where_too_many_wait_the_next_is_refused_at_once(
    bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulkhead, bound, 1)
    monkeypatch.setattr(bulkhead, "WAIT_SECONDS", 60.0)
    places = Bulkhead()
    with places.place("one"), pytest.raises(SandboxBusy), places.place("one", seconds=60):
        pass
