"""`python -m resume_platform.web_server`: serves the API, the admin and /docs until SIGTERM."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from resume_platform.web_server.processes import serve_in_processes


def main() -> int:
    parser = argparse.ArgumentParser(prog="web_server", description=__doc__)
    parser.add_argument("--application", default="resume_platform.wsgi.application")
    parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=8, help="of each process")
    options = parser.parse_args()
    counts = _prepare_counts()
    try:
        # Before the fork: the processes share its memory, and a wrong setting is told once.
        application = import_string(options.application)
        return serve_in_processes(
            application, bind=options.bind, processes=options.processes, threads=options.threads
        )
    except ImproperlyConfigured as error:
        print(error, file=sys.stderr)  # noqa: T201  logging is not set up yet
        return 1
    finally:
        shutil.rmtree(counts, ignore_errors=True)


def _prepare_counts() -> Path:
    """Each process counts in files of its own, so that /metrics is the sum whoever answers it.

    prometheus_client looks for the variable when it is first imported. Files of an earlier life
    would be added up too.
    """
    counts = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR") or tempfile.mkdtemp(prefix="web-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counts)
    counts.mkdir(parents=True, exist_ok=True)
    for file in counts.glob("*.db"):
        file.unlink()
    return counts


if __name__ == "__main__":
    sys.exit(main())
