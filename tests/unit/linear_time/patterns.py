"""Finds every regular expression of the production packages: in their objects and in their code."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from django.core.validators import RegexValidator
from django.db.models import Field as ModelField
from rest_framework.serializers import Field

PACKAGES = ("apps", "kafka_bridge", "resume_platform", "staff")
# Where the flags stand among the arguments of re's functions.
FLAGS_AT = {"compile": 1, "search": 2, "match": 2, "fullmatch": 2, "findall": 2, "finditer": 2,
            "split": 3, "sub": 4, "subn": 4}  # fmt: skip
# What the local names stand for that a function builds a pattern of, by its module.
LOCAL_NAMES = {
    "apps.ai.evaluation.probes": {"word": "'Python'"},
    "resume_platform.observability.logs.masking": {
        "patterns": "[_QUOTED_INPUT, *_TOKENS, _URL, _USERINFO]"
    },
    "resume_platform.text": {"marks": "'\u0300\u0301'"},
}


class Unknown(Exception):
    """A pattern is made of names that only its function knows: LOCAL_NAMES must give them."""


def find_patterns() -> dict[re.Pattern[Any], str]:
    """Each pattern once, with the name of a module that holds it."""
    found: dict[re.Pattern[Any], str] = {}
    for module in modules():
        for pattern in (*in_objects(module), *in_code(module)):
            found.setdefault(pattern, module.__name__)
    return found


def modules() -> Iterator[ModuleType]:
    for package in map(importlib.import_module, PACKAGES):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not info.name.endswith("__main__"):
                yield importlib.import_module(info.name)


def in_objects(module: ModuleType) -> Iterator[re.Pattern[Any]]:
    """In the module's names, the classes it defines, containers, validators and own instances."""
    seen: set[int] = set()
    waiting: list[Any] = list(vars(module).values())
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        match thing:
            case re.Pattern():
                yield thing
            case dict():
                waiting += [*thing.keys(), *thing.values()]
            case list() | tuple() | set() | frozenset():
                waiting += thing
            case RegexValidator():
                waiting.append(thing.regex)
            case Field() | ModelField():
                waiting += thing.validators
            case type() if thing.__module__ == module.__name__:
                waiting += vars(thing).values()
                if meta := getattr(thing, "_meta", None):
                    waiting += getattr(meta, "fields", ())
            case _ if inspect.isfunction(thing) and thing.__module__ == module.__name__:
                waiting += [cell.cell_contents for cell in thing.__closure__ or ()]
                waiting += [thing.__defaults__, thing.__kwdefaults__]
            case _ if type(thing).__module__.split(".")[0] in PACKAGES:
                waiting += getattr(thing, "__dict__", {}).values()


def in_code(module: ModuleType) -> Iterator[re.Pattern[Any]]:
    """What the calls of re's functions are given; made outside of functions it is an object too."""
    tree = ast.parse(Path(str(module.__file__)).read_bytes())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    within = {node for f in ast.walk(tree) if isinstance(f, functions) for node in ast.walk(f)}
    names = dict(vars(module))
    for name, value in LOCAL_NAMES.get(module.__name__, {}).items():
        names[name] = eval(value, names)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("re"), attr=name)) if name in FLAGS_AT:
                flags = node.args[FLAGS_AT[name] :][:1]
                flags += [word.value for word in node.keywords if word.arg == "flags"]
                try:
                    yield re.compile(*(_value(part, names) for part in (node.args[0], *flags)))
                except NameError as error:
                    if node in within:
                        raise Unknown(f"{module.__name__}, line {node.lineno}: {error}") from error


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    return eval(compile(ast.Expression(node), "<pattern>", "eval"), names)
