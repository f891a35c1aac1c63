"""Finds people's names in Russian and English texts, but no technique and no employer.

A name is found by its shape (given and family name, patronymic, initials), by a word that
announces it ("ФИО:", "my name is", "Mr."), or as the first line of a resume. Whoever was found once
is found wherever the family or given name stands again.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

from apps.ai.redaction import lexicon
from apps.ai.redaction.lexicon import is_ambiguous, is_stop, is_topic
from apps.ai.redaction.spans import Found, joined

# Both go on after a first capital.
_CYRILLIC = r"(?:[а-яё]+|[А-ЯЁ]+)(?:-[А-ЯЁ](?:[а-яё]+|[А-ЯЁ]+))?"
_CAPITAL = "A-ZÀ-ÖØ-ÞĀ-Ž"
_SMALL = "a-zß-öø-ÿā-ž"
_LATIN = (
    rf"(?:(?<=[ODL])['’][{_CAPITAL}])?(?:[{_SMALL}]+|[{_CAPITAL}]+)(?:[A-Z][{_SMALL}]+)?"
    rf"(?:[-'’][{_SMALL}{_CAPITAL}]+)*"
)
# Looks back at its first character, a capital: `re` finds the next one of those quickly.
_TOKEN = re.compile(
    rf"[А-ЯЁ{_CAPITAL}](?<!\w.)(?:(?P<cyrillic>(?<=[А-ЯЁ]){_CYRILLIC}(?!\w))"
    rf"|(?P<latin>(?<=[{_CAPITAL}]){_LATIN}(?!\w))|(?P<initial>(?<=[А-ЯЁA-Z])\.(?!\w\w)))"
)
_PARTICLES = "van|von|de|da|di|del|della|der|den|dos|la|le|el|al|bin|ibn|ter"
_PARTICLE = re.compile(_PARTICLES)
_GAP = re.compile(rf"[ \t\u00a0\u202f]{{0,3}}(?:(?:{_PARTICLES})[ \u00a0-]{{1,2}}){{0,2}}")

_CUE = re.compile(
    r"(?:\b(?:ф\.?\s?и\.?\s?о\.?|фамилия(?:,?\s+имя(?:,?\s+отчество)?)?|имя(?:\s+и\s+фамилия)?|"
    r"отчество|кандидат|соискатель|контактное\s+лицо|рекомендатель|автор|"
    r"(?:full\s+|first\s+|last\s+|candidate(?:'s)?\s+)?name|candidate|surname|referee|"
    r"contact(?:\s+person)?|references?|рекомендации|руководитель|reported\s+to|reporting\s+to)"
    r"\s*[:—–-]\s*|"
    r"\b(?:меня\s+зовут|я\s*[—–-]|my\s+name\s+is|my\s+name's|i\s+am|i'm|this\s+is|called)\s+|"
    r"\b(?:г-н|г-жа|господин[а-я]*|госпож[а-я]+|товарищ|mr|mrs|ms|miss|mx|dr|prof)\.?\s+|"
    r"(?:с\s+уважением|best\s+regards|kind\s+regards|sincerely|regards)\s*(?:,\s*)?)$",
    re.IGNORECASE,
)
_IN_HONOUR = re.compile(
    r"(?:\bим\.|\bимени|\bулиц\w+|\bул\.|\bпр\.|\bпроспект\w*|\bпл\.|\bгород\w*|\bг\.)\s*$",
    re.IGNORECASE,
)
_AFTER_PERSON = re.compile(
    r"\s{1,20}(?:University|College|School|Institute|Academy|Hospital|Foundation|Award|Prize|Street|St\.|"
    r"Avenue|Road|Airport|Museum|Stadium|Bank|Group|Ltd|Inc|LLC|GmbH|Partners|Consulting|Studio|"
    r"Solutions|Technologies|Labs|Systems|Engineering|Company|Corp)"
)
_NAMES = frozenset({"given", "family", "unknown", "patronymic"})
_HEADER_LINES = 4
_HEADER_SPLIT = re.compile(r"\s{1,2}[|•·—–-]\s+|\s{0,2}[,;|•·(]\s*|\s{3,}|\t")
_HEADER_LABEL = re.compile(r"^(?:резюме|resume|curriculum vitae|cv)\s*[:—–-]?\s*", re.IGNORECASE)


class _Token:
    __slots__ = ("end", "kind", "start", "word")

    def __init__(self, match: re.Match[str]) -> None:
        self.start, self.end = match.span()
        self.word = match.group()
        self.kind = _kind(self.word, match.lastgroup or "")


@lru_cache(maxsize=50_000)
def _kind(word: str, script: str) -> str:
    if script == "initial":
        return "initial"
    if is_stop(word):
        return "stop"
    parts = word.split("-") if script == "cyrillic" else [word]
    classify = lexicon.russian if script == "cyrillic" else lexicon.latin
    kinds = [classify(part) for part in parts]
    for kind in ("patronymic", "given", "family", "unknown"):
        if kind in kinds:
            return kind
    return "word"


def find_people(text: str, *, is_resume: bool) -> Iterator[Found]:
    """May overlap: `spans.joined` puts it in order."""
    runs = list(_runs(text))
    opening = _first_line(text) if is_resume else ()
    found = joined([*_announced(text, runs), *_shaped(text, runs), *opening])
    yield from found
    yield from _again(text, runs, found)


def _runs(text: str) -> Iterator[list[_Token]]:
    """Tokens that stand side by side on one line, as a name's parts do."""
    run: list[_Token] = []
    for match in _TOKEN.finditer(text):
        if run and not _GAP.fullmatch(text, run[-1].end, match.start()):
            yield run
            run = []
        run.append(_Token(match))
    if run:
        yield run


def _shaped(text: str, runs: list[list[_Token]]) -> Iterator[Found]:
    for run in runs:
        at = 0
        while at < len(run):
            length = _length_of_name(run, at)
            if length and not _is_a_thing(text, run[at].start, run[at + length - 1].end):
                yield Found("name", run[at].start, run[at + length - 1].end)
            at += length or 1


def _is_a_thing(text: str, start: int, end: int) -> bool:
    """A university, a street or a firm that somebody gave a name to."""
    before = _IN_HONOUR.search(text, max(0, start - 20), start)
    return bool(before or _AFTER_PERSON.match(text, end))


def _length_of_name(run: list[_Token], at: int) -> int:
    """How many tokens from here make a name; 0 for none."""
    kinds = [token.kind for token in run[at : at + 4]]
    return _with_initials(run, at, kinds) or _with_patronymic(kinds) or _of_two(run, at, kinds)


def _with_initials(run: list[_Token], at: int, kinds: list[str]) -> int:
    """Иванов И. И., И. И. Иванов, John R. Smith, J. Smith."""
    if kinds[0] in ("family", "unknown", "given") and kinds[1:3] == ["initial", "initial"]:
        return 3
    if kinds[0] == "initial":
        length = 3 if kinds[1:2] == ["initial"] else 2
        last = run[at + length - 1] if len(kinds) >= length else None
        is_name = last is not None and last.kind in ("family", "given", "unknown")
        if last is None or not is_name or len(last.word) < 3 or is_topic(last.word):
            return 0
        # "г. Томск", "C. Compiler": a single letter before a word that no list knows.
        return 0 if length == 2 and last.kind == "unknown" else length
    if kinds[0] == "given" and kinds[1:2] == ["initial"] and kinds[2:3] and kinds[2] in _NAMES:
        return 3
    return 2 if kinds[0] == "family" and kinds[1:2] == ["initial"] else 0


def _with_patronymic(kinds: list[str]) -> int:
    if "patronymic" not in kinds[:3]:
        return 0
    where = kinds.index("patronymic")
    if where == 0:
        return 2 if kinds[1:2] in (["family"], ["given"]) else 1
    if not set(kinds[:where]) <= {*_NAMES, "word"}:
        return 0
    has_family_name_after = where == 1 and kinds[2:3] and kinds[2] in ("family", "unknown", "given")
    return where + (2 if has_family_name_after else 1)


def _of_two(run: list[_Token], at: int, kinds: list[str]) -> int:
    """A given name beside a family name, in either order, and perhaps a third word."""
    if len(kinds) > 1 and _is_a_pair(run[at], run[at + 1]):
        third = run[at + 2] if len(kinds) > 2 else None
        is_longer = third and third.kind in ("family", "given", "unknown")
        return 3 if third and is_longer and not is_topic(third.word) else 2
    return 1 if _alone(run[at]) else 0


def _is_a_pair(first: _Token, second: _Token) -> bool:
    ambiguous = is_ambiguous(first.word), is_ambiguous(second.word)
    topics = is_topic(first.word), is_topic(second.word)
    match (first.kind, second.kind):
        case ("given", "family"):
            return not (ambiguous[0] and topics[1])
        case ("family", "given"):
            return not ambiguous[1]
        case ("given", "unknown" | "given"):
            return not ambiguous[0] and not any(topics)
        case ("unknown", "given"):
            return not ambiguous[1] and not any(topics)
        case ("family", "family"):
            endings = _has_family_ending(first.word), _has_family_ending(second.word)
            return not any(topics) and endings[0] != endings[1]
    return False


def _alone(token: _Token) -> bool:
    """A Russian given name that can be nothing else needs no company."""
    is_cyrillic = token.word[0] >= "А"
    is_long = token.kind == "given" and is_cyrillic and len(token.word) > 3
    return is_long and lexicon.stands_alone(token.word)


def _has_family_ending(word: str) -> bool:
    return len(word) > 4 and lexicon.has_family_ending(word)


def _announced(text: str, runs: list[list[_Token]]) -> Iterator[Found]:
    for run in runs:
        if _CUE.search(text, max(0, run[0].start - 40), run[0].start):
            length = 0
            for token in run[:4]:
                if token.kind in ("stop", "word"):
                    break
                if is_topic(token.word):
                    break
                length += 1
            if length:
                yield Found("name", run[0].start, run[length - 1].end)


def _first_line(text: str) -> Iterator[Found]:
    """A resume opens with its owner's name, which no list of names needs to know."""
    seen = offset = 0
    for line in text.splitlines(keepends=True)[:12]:
        start, offset = offset, offset + len(line)
        if not line.strip():
            continue
        seen += 1
        if seen > _HEADER_LINES:
            return
        label = _HEADER_LABEL.match(line.lstrip())
        start += len(line) - len(line.lstrip()) + (label.end() if label else 0)
        rest = line.lstrip()[label.end() if label else 0 :].rstrip()
        head = _HEADER_SPLIT.split(rest, maxsplit=1)[0].rstrip(" .:")
        if _is_a_name_by_itself(head):
            yield Found("name", start, start + len(head))
            return


def _is_a_name_by_itself(head: str) -> bool:
    words = head.split()
    if not 2 <= len(words) <= 4 or len(head) > 60:
        return False
    tokens = [_TOKEN.fullmatch(word) for word in words if not _PARTICLE.fullmatch(word)]
    if len(tokens) < 2 or not all(tokens):
        return False
    kinds = [_Token(match).kind for match in tokens if match]
    if {"stop", "word"} & set(kinds) or any(is_topic(word) for word in words):
        return "patronymic" in kinds or kinds.count("given") + kinds.count("family") >= 2
    return kinds != ["initial"] * len(kinds)


def _again(text: str, runs: list[list[_Token]], found: Sequence[Found]) -> Iterator[Found]:
    """The same person named by one part of the name, in any case of it."""
    stems: set[str] = set()
    for item in found:
        for match in _TOKEN.finditer(text, item.start, item.end):
            word = match.group()
            is_short = match.lastgroup == "initial" or len(word.casefold()) < 3
            if is_short or is_topic(word) or is_stop(word):
                continue
            if is_ambiguous(word):
                continue
            stems.add(_stem(word))
    if not stems:
        return
    for token in chain.from_iterable(runs):
        is_theirs = token.kind != "initial" and _stem(token.word) in stems
        if is_theirs and not _is_a_thing(text, token.start, token.end):
            yield Found("name", token.start, token.end)


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    word = word.casefold().replace("ё", "е")
    if "а" <= word[0] <= "я":
        return re.sub(r"(?:ым|ой|ою|ом|ем|ого|ому|ую|ая|ий|[аеиоуыьюяй])$", "", word) or word
    return re.sub(r"['’]s$", "", word)
