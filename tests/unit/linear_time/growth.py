"""Measures how a work's CPU time grows with its text, on texts that are made to be slow."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

# What a text repeats.
RUNS = (
    "\n", " ", "\t", "\u00a0", "\u0301", "\u200b", ".", "1", "-", "_", "(", "[", "{", "<", '"', "«",
    "A", "Я", "a", "я", "@", "/", "=", ":", ",", "!", "%", "1 ", "1.", "a ", "a.", "a-", "A-", ".a",
    " \n", "\n ", "a@", "a,", "«a", "[x\n", "тел ", "пол ", "born ", "%41", "<!--", "{#", "т  ",
    "Aa-AA", "a.com-", "1 янв ", "m" + " " * 39 + "1234567 ", "%41%41%41%20" * 4 + "x ",
    "a b\tc\n\u00a0. 1-тел: @",
)  # fmt: skip
# What a text repeats behind a word that the pattern begins to match.
AFTER_A_WORD = ("\n", " ", "1", "a", ".", "-", "\u00a0a ", " \n")
SIZES = (16, 256, 1_024, 4_096)
FLOOR = 0.005  # seconds; below it the clock says little
TOO_LONG = 0.3  # seconds; what takes longer is not tried with more
MAX_GROWTH = 2.5


_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^]\\])*\]|.", re.DOTALL)


def alternatives(pattern: re.Pattern[Any]) -> Iterator[re.Pattern[Any]]:
    """The pattern, cut at the `|` outside of its groups: each is quicker to judge than all."""
    if isinstance(pattern.pattern, bytes):
        yield pattern
        return
    parts, depth = [""], 0
    for token in _TOKEN.findall(pattern.pattern):
        depth += (token == "(") - (token == ")")
        if token == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += token
    yield from (re.compile(part, pattern.flags) for part in parts)


def texts_against(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str]]:
    """(how a text begins, what it repeats): the common runs, and the pattern's own words."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    signs = {sign for sign in re.findall(r"[^\w\s]", text) if sign not in "()[]{}|?*+^$.\\!<>"}
    text = re.sub(r"\(\?(?:[:=!]|<[=!]|P<\w+>|-?i:)", "(", text)
    text = re.sub(r"\\s(?:[*+?]|\{[^}]*\})?", " ", text)
    text = re.sub(r"\\[\dA-Za-tv-z]|\{[\d,]+\}", "|", text)
    words = {*re.split(r"[][()|?*+{}^$.\\]+", text), *signs} - {""}
    yield from (("", run) for run in RUNS)
    yield from (("[x", run) for run in RUNS[:4])
    yield from (("", word + end) for word in words for end in ("", " ", "-"))
    yield from ((word, run) for word in words for run in AFTER_A_WORD)
    yield from ((word + sign, run) for word in words for sign in signs for run in AFTER_A_WORD[:2])


def repeated(head: str, part: str, chars: int) -> str:
    return (head + part * (chars // len(part) + 1))[:chars]


def growth(work: Callable[[int], object], sizes: Sequence[int] = SIZES) -> float:
    """How many times longer it takes than half as much, at most MAX_GROWTH; 0 where it is quick.

    The sizes grow step by step, so that what is cubic ends as well.
    """
    last = sizes[-1]
    for size in sizes:
        once = seconds(work, size)
        if once * (last / size) ** 2 < FLOOR:
            return 0  # were it quadratic, the last size would still be below the floor
        if once >= FLOOR and (size == last or once > TOO_LONG):
            ratios = (_ratio(work, size, rounds) for rounds in (1, 2, 4))
            return next((ratio for ratio in ratios if ratio < MAX_GROWTH), MAX_GROWTH)
    return 0


def _ratio(work: Callable[[int], object], size: int, rounds: int) -> float:
    once = min(seconds(work, size) for _ in range(rounds))
    return once / min(seconds(work, size // 2) for _ in range(rounds))


def seconds(work: Callable[[int], object], size: int) -> float:
    """Of this thread's own CPU time."""
    started = time.thread_time()
    work(size)
    return time.thread_time() - started
