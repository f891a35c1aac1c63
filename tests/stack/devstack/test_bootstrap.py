"""`./dev` on machines that lack something, with a copy of the checkout's launcher alone."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from devstack.paths import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "a checkout"
    (root / "devstack").mkdir(parents=True)
    (root / "requirements").mkdir()
    (root / "requirements" / "dev.txt").write_text("")
    shutil.copy(ROOT / "dev", root)
    shutil.copy(ROOT / "devstack" / "bootstrap.py", root / "devstack")
    (root / "devstack" / "__main__.py").write_text("import sys; print('ran', sys.argv[1:])")
    return root


def dev(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(checkout / "dev"), *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_a_fitting_python_it_says_so_in_one_sentence(checkout, tmp_path):
    old = tmp_path / "bin" / "python3"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    run = dev(checkout, "up", PATH=str(old.parent))
    assert run.returncode == 1
    assert run.stderr.startswith("dev: no Python from 3.11 to 3.13")
    assert run.stderr.count("\n") == 1


def test_without_a_package_index_it_says_so_in_one_sentence(checkout):
    (checkout / "requirements" / "dev.txt").write_text("celery==5.7.0\n")
    run = dev(checkout, "up", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
    assert run.returncode == 1
    assert "the Python package index cannot be reached" in run.stderr.splitlines()[-1]
    assert "Traceback" not in run.stderr


def test_an_interrupted_environment_is_made_again_and_a_whole_one_is_kept(checkout):
    interrupted = subprocess.Popen(
        [str(checkout / "dev")], start_new_session=True, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while not list(checkout.glob(".dev/venv-*/bin/python")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(interrupted.pid, signal.SIGKILL)
    interrupted.wait()

    first = dev(checkout, "up", "a b", "*")
    assert first.stdout == "ran ['up', 'a b', '*']\n"
    assert "making a virtual environment" in first.stderr

    again = dev(checkout)
    assert again.stdout == "ran []\n"
    assert again.stderr == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_checkout_that_cannot_be_written_is_named(checkout):
    checkout.chmod(0o555)
    run = dev(checkout)
    checkout.chmod(0o755)
    assert run.returncode == 1
    assert "cannot be written" in run.stderr
    assert run.stderr.count("\n") == 1
