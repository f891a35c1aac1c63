"""What `./dev kafka` says when Java or Maven is missing, and that it needs Maven once only."""

import os
import stat
from pathlib import Path

import pytest

from devstack.errors import StackError
from devstack.kafka import artifacts


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path) -> Path:
    """A PATH that holds what the test puts there, and an empty cache."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("MAVEN_HOME", raising=False)
    monkeypatch.setattr(artifacts, "DEV_DIR", tmp_path / "dev")
    artifacts.java.cache_clear()
    yield programs
    artifacts.java.cache_clear()


def program(directory: Path, name: str, script: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def java(directory: Path, version: str) -> None:
    program(directory, "java", f"echo 'openjdk version \"{version}\" 2026-01-01' >&2")


def maven(directory: Path) -> None:
    """Puts a jar where it is told to."""
    program(
        directory,
        "mvn",
        'for a in "$@"; do case $a in -DoutputDirectory=*) d=${a#*=};; esac; done\n'
        '/bin/mkdir -p "$d" && : > "$d/kafka_2.13-0.jar"',
    )


def test_a_missing_java_is_named_with_what_to_install():
    with pytest.raises(StackError, match=r"needs Java 17 or newer, and there is no java here; ins"):
        artifacts.jars()


def test_an_old_java_is_named(bare):
    java(bare, "11.0.2")
    with pytest.raises(StackError, match=r'bin/java is openjdk version "11\.0\.2"'):
        artifacts.jars()


def test_a_missing_maven_is_named(bare):
    java(bare, "21.0.1")
    with pytest.raises(StackError, match=r"is fetched with Maven, and there is no mvn here; inst"):
        artifacts.jars()


def test_what_maven_complains_of_is_shown_and_nothing_half_is_kept(bare, tmp_path):
    java(bare, "17")
    program(bare, "mvn", "echo '[ERROR] no such artifact'; exit 1")
    with pytest.raises(StackError, match=r"could not fetch Apache Kafka: \[ERROR\] no such artifa"):
        artifacts.jars()
    assert not [path for path in (tmp_path / "dev").iterdir() if path.is_dir()]


def test_maven_is_needed_once_for_each_version_of_the_pom(bare, monkeypatch, tmp_path):
    java(bare, "17")
    maven(bare)
    first = artifacts.jars()
    (bare / "mvn").unlink()
    assert artifacts.jars() == first
    changed = tmp_path / "pom.xml"
    changed.write_text(artifacts.POM.read_text() + "<!-- -->")
    monkeypatch.setattr(artifacts, "POM", changed)
    with pytest.raises(StackError, match="no mvn here"):
        artifacts.jars()


def test_java_home_comes_before_the_path(bare, monkeypatch, tmp_path):
    java(bare, "11")
    home = tmp_path / "jdk" / "bin"
    home.mkdir(parents=True)
    java(home, "21")
    monkeypatch.setenv("JAVA_HOME", str(home.parent))
    assert artifacts.java() == os.path.join(home, "java")
