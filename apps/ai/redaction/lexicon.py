"""Tells which words are names: by pymorphy3's dictionary in Russian, by Faker's lists in Latin.

Both cost about 40 MB and half a second of a process, so nothing here is imported before the first
text is redacted; `warm_up` moves that to a worker's start. Neither downloads anything.
"""

import importlib
import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from threading import Lock
from typing import Any, Literal

_LOCALES = (
    "en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "it_IT", "es_ES", "pl_PL", "cs_CZ", "nl_NL",
    "pt_BR", "ro_RO", "tr_TR", "sv_SE", "fi_FI", "hu_HU", "hr_HR", "no_NO", "da_DK",
)  # fmt: skip
_GIVEN_LISTS = (
    "first_names", "first_names_male", "first_names_female", "first_names_nonbinary",
)  # fmt: skip
_FAMILY_LISTS = ("last_names", "last_names_male", "last_names_female")

Kind = Literal["given", "family", "patronymic", "unknown", "word"]

_PATRONYMIC = re.compile(
    r"(?:ович|евич|ьич|овн|евн|иничн|ичн)(?:а|у|ем|ом|е|ы|ой|ою|ей|)$|^(?:оглы|кызы|улы)$"
)
# Endings that only family names have, in every case.
_FAMILY_ENDING = re.compile(
    r"(?:(?:[оеё]в|[иы]н)(?:а|у|ым|е|ой|)|(?:ск|цк)(?:ий|ого|ому|им|ом|ая|ой|ую)|"
    r"енко|чук|щук|дзе|швили|[ая]нян|[ая]дзе|ук|юк|ян(?:а|у|ом|е|)|ули|иани|уа|[еэ]йро)$"
)
_LATIN_FAMILY_ENDING = re.compile(
    r"(?:[oe]v|[oe]va|[iy]n|ina|sky|skiy|skij|ski|ska|skaya|enko|chuk|yan|shvili|dze|ovich|"
    r"ovna|evich|evna|sson|escu|ović|ić|opoulos|akis)$"
)
_TRANSLITERATION = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z",
        "и": "i", "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r",
        "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh",
        "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
    }
)  # fmt: skip
_SPELLINGS = (("iya", "ia"), ("iy", "y"), ("ey", "ei"), ("ay", "ai"), ("y", "i"), ("ks", "x"),
              ("yu", "iu"), ("ya", "ia"), ("kh", "h"), ("e", "ye"))  # fmt: skip
_THINGS = frozenset({"паскаль", "алиса", "маруся", "марина", "дарт", "ада", "кассандра", "адам"})
_lock = Lock()


@cache
def words(name: str) -> frozenset[str]:
    """One of the lists in `words/`: words between white space, lines with # are comments."""
    text = files("apps.ai.redaction").joinpath("words", f"{name}.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return frozenset(" ".join(lines).split())


def is_stop(word: str) -> bool:
    """Never a part of a name."""
    return word.casefold().replace("ё", "е") in words("stop")


def is_topic(word: str) -> bool:
    """A part of a name only where the rest leaves no doubt."""
    return word.casefold() in words("topic") or is_stop(word)


def is_ambiguous(word: str) -> bool:
    return fold(word) in words("ambiguous")


@cache
def _analyzer() -> Any:
    import pymorphy3

    return pymorphy3.MorphAnalyzer()


@lru_cache(maxsize=50_000)
def russian(word: str) -> Kind:
    """What a capitalised Cyrillic word is most likely; "unknown" is in no dictionary."""
    lowered = word.lower().replace("ё", "е")
    if _PATRONYMIC.search(lowered) and len(lowered) > 5:
        return "patronymic"
    with _lock:  # the analyzer fills caches of its own while it works
        analyzer = _analyzer()
        parses = analyzer.parse(lowered)
        is_known = analyzer.word_is_known(lowered)
    best: dict[str, float] = {}
    for parse in parses:
        for grammeme in ("Name", "Surn", "Patr", "Geox", "Orgn"):
            if grammeme in parse.tag:
                best[grammeme] = best.get(grammeme, 0.0) + parse.score
                break
        else:
            best["word"] = best.get("word", 0.0) + parse.score
    if is_known and best.get("Patr", 0) > 0.5:
        return "patronymic"
    if is_known and best.get("Name", 0) >= 0.05:
        return "given"
    if is_known and best.get("Surn", 0) >= 0.05:
        return "family"
    if _FAMILY_ENDING.search(lowered) and not is_known and len(lowered) > 4:
        return "family"
    return "word" if is_known else "unknown"


@lru_cache(maxsize=20_000)
def stands_alone(word: str) -> bool:
    """Whether a Cyrillic given name is nothing else: neither a word, a place nor a firm."""
    with _lock:
        parses = _analyzer().parse(word.lower())
    if any(parse.normal_form in _THINGS for parse in parses):
        return False
    return bool(parses) and all("Name" in parse.tag for parse in parses if parse.score > 0.02)


def fold(word: str) -> str:
    """Lower case, without accents, apostrophes and dots."""
    plain = unicodedata.normalize("NFKD", word.casefold().replace("ł", "l").replace("ø", "o"))
    return "".join(char for char in plain if char.isalpha() and not unicodedata.combining(char))


@cache
def _latin_lists() -> tuple[frozenset[str], frozenset[str]]:
    given = set(words("given"))
    family: set[str] = set()
    for locale in (*_LOCALES, "ru_RU"):
        people = importlib.import_module(f"faker.providers.person.{locale}").Provider
        for lists, target in ((_GIVEN_LISTS, given), (_FAMILY_LISTS, family)):
            for name in {name for each in lists for name in getattr(people, each, None) or ()}:
                spelled = name.lower().translate(_TRANSLITERATION)
                target.add(fold(spelled))
                if locale == "ru_RU":
                    target.update(fold(spelled.replace(a, b)) for a, b in _SPELLINGS)
    return frozenset(given), frozenset(family)


@lru_cache(maxsize=50_000)
def latin(word: str) -> Kind:
    """What a capitalised Latin word is most likely."""
    given, family = _latin_lists()
    folded = fold(word)
    if folded in given:
        return "given"
    if folded in family or (len(folded) > 4 and _LATIN_FAMILY_ENDING.search(folded)):
        return "family"
    return "unknown"


def has_family_ending(word: str) -> bool:
    """Whether a Latin word ends as only family names do."""
    return _LATIN_FAMILY_ENDING.search(fold(word)) is not None


def warm_up() -> None:
    """Load both dictionaries now."""
    russian("Иван")
    latin("John")
