"""A vacancy becomes criteria: which lines demand something, how much, and what to call it."""

import re
from dataclasses import dataclass, replace

from devstack.openai_standin import facts
from devstack.openai_standin.concepts import vocabulary
from devstack.openai_standin.text import Document, stem

MAX_CRITERIA = 12
_NAME_CHARS = 70

_BULLET = re.compile(r"^\s*(?:[-–—*•●▪■◦✓✔·»>+]|\d{1,2}[.)]|[a-zа-я]\))\s+", re.IGNORECASE)
_HEADINGS = (
    (
        "nice",
        r"будет (большим |дополнительным )?(плюсом|преимуществом)|как плюс|"
        r"желательн|плюсом будет|приветству|"
        r"преимуществ(ом|а) будет|nice[ -]to[ -]have|preferred|bonus|would be a "
        r"plus|is a plus|a plus\b|desirable|"
        r"good to have|optional|плюсы|дополнительно\b|необязательн",
    ),
    (
        "duties",
        r"обязанност|задачи|чем (вам )?(предстоит |нужно |вы будете )?заниматься|"
        r"что (вам )?(предстоит|нужно будет)|предстоит|что (нужно |предстоит |вы "
        r"будете )?делать|вам предстоит|"
        r"функционал|responsibilit|what you('ll| will) do|duties|your (role|"
        r"tasks)|the role|tasks|day[- ]to[- ]day|о роли",
    ),
    (
        "must",
        r"требовани|обязательн|необходим|мы ожидаем|мы жд[её]м|что (мы )?жд[её]м|"
        r"ожидания|наши пожелания|от вас|"
        r"что (нужно|важно|требуется)|вы нам подходите|кого мы ищем|ключевые "
        r"навыки|квалификаци|requirement|"
        r"must[ -]have|qualification|what we expect|we expect|you have|you bring|"
        r"your profile|about you|"
        r"who (we are|we're) looking for|what you('ll)? need|skills( and|,|$)|"
        r"what we('re| are) looking for|essential",
    ),
    (
        "other",
        r"услови|мы предлага|что мы да|предлагаем|у нас|бонусы|о компании|о нас|"
        r"компания|преимущества работы|"
        r"we offer|benefits|what we offer|about (us|the company|our)|perks|"
        r"conditions|compensation|contact|контакт|"
        r"как откликнуться|how to apply|process|этапы|зарплат|salary|график|"
        r"location|локация|о проекте|about the project|стек команды",
    ),
)
_INLINE_NICE = re.compile(_HEADINGS[0][1], re.IGNORECASE)
_STRONG = re.compile(
    r"обязательн|уверенн|глубок|отличн|эксперт|строго|ключев|strong|deep|solid|"
    r"expert|proficien|must\b|mandatory|essential|\d+\s*\+?\s*(?:лет|год|year)",
    re.IGNORECASE,
)
_DEMAND = re.compile(
    r"опыт|знани|знать|умени|умеющ|умеет|владени|владеющ|навык|образовани|понимани|требует|"
    r"обязательн|нужен|нужн[аоы]\b|ищем|должен|должн[аоы]|желательн|приветству|плюсом|\d\s*(?:лет|год)|"
    r"experience|knowledge|skill|ability|degree|must\b|required?\b|need\b|looking for|fluent|"
    r"proficien|familiar|\d\s*\+?\s*years?|certif|licen[cs]e",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"^(?:we are looking for|we need|looking for|you(?: must| should)? (?:have|"
    r"be)|must have|ищем|требуется|нужен|нужна)\s+(?:an?\s+|the\s+)?",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:обязательн\w*|уверенн\w*|глубок\w*|хорош\w*|отличн\w*|практическ\w*|"
    r"базов\w*|успешн\w*|подтвержд[её]нн\w*|наличие|"
    r"знани[ея]|владение|понимание|умение|навык[иа]?|опыт(?: работы)?|знакомство|"
    r"свободн\w*|strong|solid|good|proven|hands-on|"
    r"practical|excellent|deep|knowledge|understanding|experience|proficiency|"
    r"familiarity|ability|working|skills?|"
    r"commercial|previous|basic|confident|and|и|in|of|with|to|на|с|со|в|по|работы|"
    r"работать|using)\s+)+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Criterion:
    name: str
    requirement: str
    importance: str  # must | nice
    weight: int  # 1..5
    source: str = ""  # where the text demands it, verbatim but for white space


def extract_criteria(text: str) -> list[Criterion]:
    """At most twelve criteria, musts before nices, else in the text's order."""
    items = _demands(text)
    found: list[Criterion] = []
    for section, item in items:
        nice = section == "nice" or bool(_INLINE_NICE.search(item))
        criterion = Criterion(
            _name(item), item, "nice" if nice else "must", _weight(item, nice), item
        )
        if criterion.requirement.lower() not in {c.requirement.lower() for c in found}:
            found.append(criterion)
    musts = [c for c in found if c.importance == "must"]
    nices = [c for c in found if c.importance == "nice"]
    return _unique(_at_most(musts, nices))


def _demands(text: str) -> list[tuple[str, str]]:
    """(section, item) of all that demands something; less and less strict until there is any."""
    lines = _lines(text)
    demanded = [(section, item) for section, item in lines if section in ("must", "nice")]
    if not any(section == "must" for section, _ in demanded):
        open_lines = [(s, i) for s, i in lines if s in ("none", "must", "nice")]
        open_lines = [(s, i) for s, i in open_lines if s != "none" or _demands_something(i)]
        demanded = [(s, i) for s, i in open_lines if not _is_title(i)] or open_lines
    if not demanded:
        demanded = [(s, i) for s, i in lines if s == "duties" and _demands_something(i)]
    if len(demanded) < 3:
        demanded = [(s, part) for s, item in demanded for part in _sentences(item)]
    if len(demanded) < 3:
        demanded = [(s, part) for s, item in demanded for part in _clauses(item)]
    return [(s, i) for s, i in demanded if re.search(r"[^\W\d_]{2}|[^\W\d_][+#]|1[сc]", i)]


def _demands_something(item: str) -> bool:
    """A skill that is known by name, or the words of a demand; praise of the firm has neither."""
    return bool(
        _DEMAND.search(item)
        or facts.demanded_language(item)
        or vocabulary().mentions(Document(item))
    )


def _lines(text: str) -> list[tuple[str, str]]:
    """(section, item) per list item or paragraph; a wrapped line joins the one before."""
    section, items, open_item = "none", [], False
    for raw in text.replace("\r", "\n").split("\n"):
        line = raw.strip()
        if not line:
            open_item = False
            continue
        bullet = bool(_BULLET.match(raw))
        line = _BULLET.sub("", raw).strip() if bullet else line
        heading, rest = _heading(line, bullet)
        if heading:
            section, open_item = heading, False
            if rest:
                items.append((section, rest))
        elif open_item and not bullet and (line[0].islower() or items[-1][1][-1] in ",(–—-/&"):
            items[-1] = (section, f"{items[-1][1]} {line}")
        else:
            items.append((section, line))
            open_item = True
    return [(s, item.strip(" .;,\t")) for s, item in items if item.strip(" .;,\t")]


def _heading(line: str, bullet: bool) -> tuple[str, str]:
    """(section, what follows on the same line), or empty strings."""
    before, colon, after = line.partition(":")
    title = before if colon else line
    if bullet and not (colon and not after.strip()):
        return "", ""
    if len(title) > 60 or (
        not colon and (len(title.split()) > 6 or line.endswith((".", ";", ",")))
    ):
        return "", ""
    for section, pattern in _HEADINGS:
        if re.search(pattern, title, re.IGNORECASE):
            if not colon and len(vocabulary().mentions(Document(title))) > 0 and section != "other":
                return "", ""
            return section, after.strip()
    if colon and not after.strip() and len(title.split()) <= 4:
        return "none", ""
    return "", ""


def _is_title(item: str) -> bool:
    """A line like a job's title, a company's name or a place: few words and no demand in them."""
    return len(item.split()) <= 5 and not re.search(
        r"\d+\s*\+?\s*(?:лет|год|year)|опыт|знани|умени|experience|knowledge|,", item, re.IGNORECASE
    )


def _sentences(item: str) -> list[str]:
    return [
        part.strip(" .;")
        for part in re.split(r"(?<=[.;!])\s+(?=[^\W\d_a-zа-я]|[A-ZА-Я])|;\s+", item)
        if part.strip(" .;")
    ]


def _clauses(item: str) -> list[str]:
    parts = re.split(r",\s+(?![^()]*\))|\s+(?:and|и|а также)\s+(?![^()]*\))", item)
    return [part.strip(" .,") for part in parts if len(part.strip(" .,")) > 1] or [item]


def _weight(item: str, nice: bool) -> int:
    strong = bool(_STRONG.search(item))
    soft = {m.concept for m in vocabulary().mentions(Document(item))}
    if nice:
        return 2 if strong else 1
    if soft and all(concept.startswith("soft_") for concept in soft) and not re.search(r"\d", item):
        return 1
    return 5 if strong else 3


def _name(item: str) -> str:
    """The demand without "knowledge of", cut at a word: "Experience with Kafka" is "Kafka".

    A Russian noun keeps what governs its case: "Опыт высоконагруженных систем" stays whole.
    """
    item = _OPENING.sub("", item)
    name = _LEAD.sub("", item).strip(" .:;-–—")
    if not name or re.match(r"[а-яё]", name, re.IGNORECASE):
        name = item
    if len(name) > _NAME_CHARS:
        cut = re.split(r"\s*[(;:]|\s+[–—-]\s+|,\s+", name)[0]
        name = (
            cut
            if 3 <= len(cut) <= _NAME_CHARS
            else name[:_NAME_CHARS].rsplit(" ", 1)[0].rstrip(" ,;:(") + "…"
        )
    return name[0].upper() + name[1:]


def _at_most(musts: list[Criterion], nices: list[Criterion]) -> list[Criterion]:
    """Twelve at most; what is over joins the last of its kind, so that no demand is lost."""
    room_for_nices = min(len(nices), max(2, MAX_CRITERIA - len(musts)))
    return _join(musts, MAX_CRITERIA - room_for_nices) + _join(nices, room_for_nices)


def _join(criteria: list[Criterion], limit: int) -> list[Criterion]:
    if len(criteria) <= limit:
        return criteria
    kept, rest = criteria[: limit - 1], criteria[limit - 1 :]
    together = "; ".join(c.requirement for c in rest)
    return [
        *kept,
        replace(
            rest[0], name=_name(together), requirement=together, weight=max(c.weight for c in rest)
        ),
    ]


def _unique(criteria: list[Criterion]) -> list[Criterion]:
    seen: dict[str, int] = {}
    unique = []
    for criterion in criteria:
        key = " ".join(stem(word) for word in criterion.name.split())
        seen[key] = seen.get(key, 0) + 1
        unique.append(
            criterion
            if seen[key] == 1
            else replace(criterion, name=f"{criterion.name} ({seen[key]})")
        )
    return unique
