"""Every sentence of the API and of the staff's pages in Russian."""

import re
from ast import literal_eval
from collections.abc import Iterator
from typing import Any, BinaryIO

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize
from rest_framework.test import APIClient

from tests.support.paths import ROOT

CATALOG = ROOT / "locale" / "ru" / "LC_MESSAGES"
COMPILE = "pybabel compile -d locale -D django"
CODE = ("apps", "kafka_bridge", "resume_platform", "staff")
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
}


# What Django's own tool makes of a template's tags; no Python, but for the calls in it.
IN_TEMPLATE = re.compile(r"""gettext\(u?('[^']*'|"[^"]*")|\b_\(('[^']*'|"[^"]*")\)""")


def from_template(file: BinaryIO, *arguments: Any, **options: Any) -> Iterator[Any]:
    for found in IN_TEMPLATE.finditer(templatize(file.read().decode())):
        yield 0, None, literal_eval(found[1] or found[2]), []


METHODS = [("**.py", "python"), ("**/templates/**.html", from_template)]


def one(message: Any) -> str:
    """A sentence by itself, of several forms the singular."""
    return str(message if isinstance(message, str) else message[0])


def sentences() -> set[str]:
    """What code and templates pass to gettext."""
    return {
        one(message)
        for directory in CODE
        for _file, _line, message, _comments, _context in extract_from_dir(
            str(ROOT / directory), method_map=METHODS, keywords=KEYWORDS
        )
    }


def translations() -> dict[str, str]:
    with (CATALOG / "django.po").open("rb") as file:
        return {one(m.id): one(m.string) for m in read_po(file) if m.id and not m.fuzzy}


def test_every_sentence_has_its_translation_and_none_is_left_over() -> None:
    known = translations()
    assert sentences() - known.keys() == set(), "add them to locale/ru, then: " + COMPILE
    assert known.keys() - sentences() == set(), "take them out of locale/ru, then: " + COMPILE


def test_translations_are_russian_and_keep_the_placeholders() -> None:
    for english, russian in translations().items():
        assert re.search("[а-яё]", russian), english
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", russian))


def test_the_compiled_catalog_is_in_step() -> None:
    with (CATALOG / "django.mo").open("rb") as file:
        compiled = {one(m.id): one(m.string) for m in read_mo(file) if m.id}
    assert compiled == translations(), COMPILE


REQUESTS: list[tuple[str, str, Any, int]] = [
    ("get", "/nowhere", None, 404),
    ("get", "/me", None, 401),
    ("put", "/me", None, 405),
    ("post", "/auth/register", {"username": "anna", "password": "x"}, 422),
    ("post", "/auth/register", {"username": "anna@example.com", "password": "12345678"}, 422),
    ("post", "/auth/login", {}, 422),
    ("post", "/auth/login", {"username": "anna@example.com", "password": "x"}, 401),
    ("post", "/auth/login", [], 422),
    ("post", "/auth/refresh_token", {"refresh_token": "x"}, 401),
]


@pytest.mark.django_db
@pytest.mark.usefixtures("empty_redis")
@pytest.mark.parametrize(("method", "path", "body", "status"), REQUESTS)
def test_errors_are_english_by_default_and_russian_on_request(
    method: str, path: str, body: Any, status: int
) -> None:
    def ask(**headers: str) -> Any:
        client = APIClient()
        if path == "/me" and method == "put":
            client.credentials(HTTP_AUTHORIZATION="Bearer x")
        return getattr(client, method)(path, body, format="json", **headers)

    english, russian = ask(), ask(HTTP_ACCEPT_LANGUAGE="ru-RU,ru;q=0.9,en;q=0.5")
    other = ask(HTTP_ACCEPT_LANGUAGE="xx,*;q=0.1")

    assert english.status_code == russian.status_code
    assert english.json()["code"] == russian.json()["code"]
    assert english.json()["detail"] == other.json()["detail"]
    for sentence in _all(russian.json()):
        assert re.search("[а-яё]", sentence), sentence
    for sentence in _all(english.json()):
        assert not re.search("[а-яё]", sentence), sentence
    assert russian.headers["Content-Language"] == "ru"


def _all(body: Any) -> list[str]:
    return [
        body["detail"],
        *(sentence for part in body.get("errors", {}).values() for sentence in part),
    ]
