"""One user's slow files delay nobody else."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.db.apps.uploads import files
from tests.stack.resume_platform.http.live import Client, Server

SLOW_MEGABYTES = 12


def test_twelve_slow_files_of_one_user_keep_nobody_waiting(
    tmp_path: Path, transactional_db: None
) -> None:
    slow = files.pdf_flate_bomb(SLOW_MEGABYTES)

    def upload(user: Client, content: bytes) -> Any:
        return user.post("/create_resume/file", files={"file": ("cv.pdf", content)})

    with Server(tmp_path, threads=8) as server, ThreadPoolExecutor(12) as pool:
        other, greedy = server.somebody(), server.somebody()
        uploads = [pool.submit(upload, greedy, slow) for _ in range(12)]
        # Most are refused at once. When the first is, the others are being read or wait.
        while not any(one.done() for one in uploads):
            assert server.client().get("/health/live").status_code == 200
        assert upload(other, files.pdf("Anna")).status_code == 200
        assert server.client().get("/health/live").elapsed.total_seconds() < 1
        assert not all(one.done() for one in uploads)
        answers = [one.result() for one in uploads]

    assert {answer.status_code for answer in answers} <= {400, 413, 503}
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(refused) >= 8
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
