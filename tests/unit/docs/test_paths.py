"""What the documents name exists: files, folders, links between pages, decision records."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.paths import ROOT

GUIDES = [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/operations.md")
]
RECORDS = ROOT / "docs" / "decisions"
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")]
# What an operator may add, and a pattern.
NOT_OURS = {"docker-compose.override.yml", "docs/decisions/NNNN-what-was-decided.md"}
SUFFIXES = "py|md|yaml|yml|toml|lua|txt|in|json|po|mo|sh|html|env|example|xml|png"
LINK = re.compile(r"\]\((?!https?:|#)([^)\s#]+)")
# `folder/file.py`, `folder/file.py: name`, `file.py`, `folder/`
QUOTED = re.compile(rf"`((?:[\w.-]+/)*[\w.-]+\.(?:{SUFFIXES})|(?:[\w.-]+/)+)(?:::?[^`]*)?`")
# A line of a drawn tree of folders, such as `apps/auth/     accounts, sessions`.
TREE_LINE = re.compile(r"^((?:[\w.-]+/)+)\s{2,}\S", re.MULTILINE)
NUMBER = re.compile(r"\bdecisions? (\d{4})\b")


def ours() -> Iterator[Path]:
    for entry in ROOT.iterdir():
        if entry.name.startswith(".dev") or entry.name == ".git":
            continue
        yield from entry.rglob("*") if entry.is_dir() else [entry]


@pytest.fixture(scope="module")
def file_names() -> set[str]:
    return {path.name for path in ours()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_resolves(page: Path) -> None:
    missing = [
        link
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_every_file_and_folder_that_a_guide_names_exists(page: Path, file_names: set[str]) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(QUOTED.findall(text)) | set(TREE_LINE.findall(text))
    missing = {
        name
        for name in named
        if not (ROOT / name).exists()
        and not (page.parent / name).exists()
        and ("/" in name or name not in file_names)
    }
    assert missing - NOT_OURS == set()


def test_every_decision_that_code_or_a_page_cites_is_recorded() -> None:
    recorded = {path.name[:4] for path in RECORDS.glob("[0-9]*.md")}
    suffixes = {".py", ".md", ".yaml", ".yml", ".toml", ".lua"}
    cited = {
        number
        for path in ours()
        if path.suffix in suffixes
        for number in NUMBER.findall(path.read_text(encoding="utf-8"))
    }
    assert cited - recorded == set()
