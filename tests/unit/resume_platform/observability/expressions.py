"""Reads PromQL as far as the tests need it: the metrics of an expression and their labels."""

import re
from dataclasses import dataclass

WORDS = frozenset({"and", "or", "unless", "bool", "inf", "nan"})
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?(\s*\()?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


@dataclass(frozen=True)
class Used:
    """The metrics of one expression, and each label that is matched or grouped by."""

    metrics: frozenset[str]
    labels: frozenset[str]


def read(expression: str) -> Used:
    bare = _STRING.sub('""', expression)
    labels = {name.strip() for group in _GROUPING.findall(bare) for name in group.split(",")}
    bare = _RANGE.sub("", _GROUPING.sub("", bare))
    metrics = set()
    for name, matchers, call in _SELECTOR.findall(bare):
        if name in WORDS or call:
            continue
        metrics.add(name)
        labels |= set(_MATCHER.findall(matchers))
    return Used(frozenset(metrics), frozenset(labels - {""}))
