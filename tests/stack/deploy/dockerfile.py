"""The Dockerfile as steps: those instructions and options that ours uses; any other is refused."""

import json
import re
import shlex
from dataclasses import dataclass

INSTRUCTIONS = ("ENV", "RUN", "WORKDIR", "COPY", "USER", "EXPOSE", "HEALTHCHECK", "CMD")
_FROM = re.compile(r"(?P<base>\S+) AS (?P<name>[a-z]+)$")
_ENV = re.compile(r"[A-Z_]+=\S*$")
_HEALTHCHECK = re.compile(r"(?:--[a-z-]+=\S+ )*CMD (?P<command>\[.*\])$")
_COPY_OPTION = re.compile(r"--(?P<name>from|chown)=(?P<value>\S+)$")


class NotUnderstoodError(ValueError):
    """The Dockerfile says what the replay does not know."""


@dataclass(frozen=True)
class Step:
    instruction: str
    argument: str

    def environment(self) -> dict[str, str]:
        """Of ENV: names and values, in which `$PATH` may stand."""
        pairs = self.argument.split()
        if not all(map(_ENV.match, pairs)):
            raise NotUnderstoodError(f"ENV {self.argument}")
        return dict(pair.split("=", 1) for pair in pairs)

    def copied(self) -> "Copied":
        words = self.argument.split()
        options = {}
        while words and words[0].startswith("--"):
            option = _COPY_OPTION.match(words.pop(0))
            if option is None:
                raise NotUnderstoodError(f"COPY {self.argument}")
            options[option["name"]] = option["value"]
        if len(words) < 2 or any("*" in word or "?" in word for word in words):
            raise NotUnderstoodError(f"COPY {self.argument}")
        return Copied(
            sources=tuple(words[:-1]),
            destination=words[-1],
            stage=options.get("from"),
            owner=options.get("chown"),
        )

    def command(self) -> list[str]:
        """Of CMD and HEALTHCHECK: the exec form, since a shell in between would keep SIGTERM."""
        argument = self.argument
        if self.instruction == "HEALTHCHECK":
            found = _HEALTHCHECK.match(argument)
            argument = found["command"] if found else ""
        try:
            words = json.loads(argument)
        except ValueError:
            words = None
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise NotUnderstoodError(f"{self.instruction} {self.argument}")
        return words


@dataclass(frozen=True)
class Copied:
    sources: tuple[str, ...]
    destination: str
    stage: str | None
    owner: str | None


@dataclass(frozen=True)
class Stage:
    name: str
    base: str
    """Another stage's name, or an image."""
    steps: tuple[Step, ...]

    def last(self, instruction: str) -> Step | None:
        found = [step for step in self.steps if step.instruction == instruction]
        return found[-1] if found else None

    def copies(self) -> list[Copied]:
        return [step.copied() for step in self.steps if step.instruction == "COPY"]


def parse(text: str) -> dict[str, Stage]:
    """The stages by name, in their order; the last is what is built by default."""
    stages: dict[str, Stage] = {}
    name = base = ""
    for instruction, argument in _lines(text):
        if instruction == "FROM":
            found = _FROM.match(argument)
            if found is None:
                raise NotUnderstoodError(f"FROM {argument}")
            name, base = found["name"], found["base"]
            stages[name] = Stage(name, base, ())
        elif instruction in INSTRUCTIONS and name:
            steps = (*stages[name].steps, Step(instruction, argument))
            stages[name] = Stage(name, base, steps)
        else:
            raise NotUnderstoodError(f"{instruction} {argument}")
    return stages


def _lines(text: str) -> list[tuple[str, str]]:
    """Instructions with their continuation lines joined, without comments."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\s*\\\n\s*", " ", code)
    found = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        instruction, _, argument = line.partition(" ")
        if instruction == "RUN" and ("<<" in argument or argument.startswith("--")):
            raise NotUnderstoodError(line)
        if instruction == "RUN":
            shlex.split(argument)  # an unclosed quote is a mistake of ours
        found.append((instruction, argument.strip()))
    return found
