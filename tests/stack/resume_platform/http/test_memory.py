"""No file costs the server's process memory that it does not give back."""

import time

import pytest

from apps.uploads.file_errors import domain_error
from tests.stack.apps.uploads import tricky
from tests.stack.resume_platform.http.live import Server

# Both stay far below what one bomb would ask for. An upload of 10 MB passes through memory.
GROWTH_KILOBYTES = 60_000
RESIDENT_KILOBYTES = 30_000


@pytest.mark.slow
def test_tricky_files_leave_the_servers_memory_where_it_was(server: Server) -> None:
    user = server.somebody()

    def upload(case: tricky.Case) -> None:
        started = time.monotonic()
        answer = user.post("/create_resume/file", files={"file": (case.name, case.make())})
        assert time.monotonic() - started < 10, case.id
        if isinstance(case.right, str):
            assert answer.status_code == 200, (case.id, answer.text)
        else:
            expected = domain_error(case.right())
            assert (answer.status_code, answer.json()["code"]) == (
                expected.status_code,
                expected.code,
            ), case.id

    warm = [case for case in tricky.CASES if case.id in ("pdf of latin lines", "docx named pdf")]
    for case in warm:
        upload(case)
    peak, resident = server.memory_kilobytes("VmHWM"), server.memory_kilobytes("VmRSS")

    for case in tricky.CASES:
        upload(case)

    assert server.memory_kilobytes("VmHWM") - peak < GROWTH_KILOBYTES
    assert server.memory_kilobytes("VmRSS") - resident < RESIDENT_KILOBYTES
