"""Apache Kafka's jars from Maven Central, fetched once per version of `pom.xml`.

They lie in `.dev/kafka-<hash of pom.xml>/`, built aside and renamed, so that an interrupted fetch
is never taken for whole. Once they are there neither Maven nor a network is needed.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

from devstack.errors import StackError
from devstack.paths import DEV_DIR

POM = Path(__file__).resolve().with_name("pom.xml")
OLDEST_JAVA = 17
_INSTALL = "(Debian, Ubuntu: the packages default-jre-headless and maven)"


def jars(*, tell: Callable[[str], None] = lambda sentence: None) -> Path:
    """The directory of the jars; fetches them if need be. Raises StackError."""
    java()
    key = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    home = DEV_DIR / f"kafka-{key}"
    if home.is_dir():
        return home
    DEV_DIR.mkdir(exist_ok=True)
    with (DEV_DIR / f"kafka-{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.is_dir():
            tell("fetching Apache Kafka with Maven (45 MB, once)")
            _fetch(home)
    return home


@cache
def java() -> str:
    """The path of a Java that Kafka runs on. Raises StackError."""
    found = _program("java", home="JAVA_HOME")
    if found is None:
        raise StackError(
            f"Apache Kafka needs Java {OLDEST_JAVA} or newer, and there is no java here; "
            f"install one {_INSTALL}."
        )
    told = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < OLDEST_JAVA:
        shown = told.splitlines()[0] if told else "it does not tell its version"
        raise StackError(f"Apache Kafka needs Java {OLDEST_JAVA} or newer; {found} is {shown}.")
    return found


def _fetch(home: Path) -> None:
    maven = _program("mvn", home="MAVEN_HOME")
    if maven is None:
        raise StackError(
            f"Apache Kafka is fetched with Maven, and there is no mvn here; install it {_INSTALL}."
        )
    aside = home.with_name(f"{home.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    run = subprocess.run(
        [
            *(maven, "--batch-mode", "--no-transfer-progress", "--file", str(POM)),
            *("dependency:copy-dependencies", "-DincludeScope=runtime"),
            f"-DoutputDirectory={aside}",
        ],
        cwd=DEV_DIR,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if run.returncode != 0 or not any(aside.glob("kafka_*.jar")):
        errors = [line for line in run.stdout.splitlines() if line.startswith("[ERROR]")]
        shown = errors[0] if errors else (run.stdout + run.stderr).strip()[-500:]
        raise StackError(f"Maven could not fetch Apache Kafka: {shown}")
    aside.rename(home)


def _program(name: str, *, home: str) -> str | None:
    named = Path(os.environ[home]) / "bin" / name if os.environ.get(home) else None
    if named is not None and os.access(named, os.X_OK):
        return str(named)
    return shutil.which(name)
