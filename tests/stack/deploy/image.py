"""The image's default stage, made by replaying the Dockerfile on a bare Debian root.

In place of the base image stands Debian's own release of the same name with Debian's own Python of
the same minor version, as a virtual environment in /usr/local, where the base image has its Python.
What this cannot tell: that the image of that tag exists, and its patch version of Python.
"""

import fnmatch
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from devstack.paths import ROOT
from tests.stack.deploy.bare_root import command_in, debootstrap, environment_in
from tests.stack.deploy.dockerfile import Copied, NotUnderstoodError, Stage, Step, parse

BASE_IMAGE = re.compile(r"python:(?P<python>3\.\d+)\.\d+-slim-(?P<suite>[a-z]+)$")
PACKAGES = ("python3", "python3-venv", "ca-certificates")
IMAGE_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
STEP_SECONDS = 900


@dataclass(frozen=True)
class Image:
    """A directory with the image's files, and what the image says of its processes."""

    root: Path
    environment: dict[str, str]
    directory: str = "/"
    user: str = ""

    def start(self, command: Sequence[str], environment: dict[str, str]) -> "subprocess.Popen[str]":
        """As an engine would with a read-only root filesystem and no privileges."""
        argv = command_in(
            self.root, command, directory=self.directory, user=self.user, read_only=True
        )
        values = environment_in(self.environment | environment)
        return subprocess.Popen(
            argv, env=values, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, command: Sequence[str], environment: dict[str, str]) -> tuple[int, str]:
        """Exit status and output."""
        process = self.start(command, environment)
        output, _ = process.communicate(timeout=STEP_SECONDS)
        return process.returncode, output


class Replay:
    def __init__(self, directory: Path, *, mirror: str, tell: Callable[[str], None]) -> None:
        self._directory = directory
        self._mirror = mirror
        self._tell = tell
        self._stages = parse((ROOT / "Dockerfile").read_text(encoding="utf-8"))
        self._made: dict[str, Image] = {}

    @property
    def default_stage(self) -> Stage:
        return list(self._stages.values())[-1]

    def build(self) -> Image:
        return self._image(self.default_stage.name)

    def _image(self, name: str) -> Image:
        if name not in self._made:
            stage = self._stages.get(name)
            self._made[name] = self._base(name) if stage is None else self._stage(stage)
        return self._made[name]

    def _base(self, image: str) -> Image:
        found = BASE_IMAGE.match(image)
        if found is None:
            raise NotUnderstoodError(f"FROM {image}: no python:3.x.y-slim-<Debian's release>")
        root = self._directory / "debian"
        self._tell(f"FROM {image}: debootstrap {found['suite']}")
        debootstrap(root, suite=found["suite"], packages=PACKAGES, mirror=self._mirror)
        base = Image(root, {"PATH": IMAGE_PATH})
        _step(base, ["python3", "-m", "venv", "/usr/local"])
        version = _step(base, ["python", "-c", "import platform; print(platform.python_version())"])
        if not version.startswith(f"{found['python']}."):
            raise NotUnderstoodError(f"FROM {image}: Debian's Python is {version.strip()}")
        self._tell(f"  Debian's Python {version.strip()} stands in for the image's")
        return base

    def _stage(self, stage: Stage) -> Image:
        base = self._image(stage.base)
        root = self._directory / stage.name
        subprocess.run(["cp", "-a", "--reflink=auto", base.root, root], check=True)
        image = replace(base, root=root)
        for step in stage.steps:
            self._tell(f"[{stage.name}] {step.instruction} {step.argument}")
            image = self._apply(image, step)
        return image

    def _apply(self, image: Image, step: Step) -> Image:
        if step.instruction == "ENV":
            path = image.environment["PATH"]
            values = {n: v.replace("$PATH", path) for n, v in step.environment().items()}
            return replace(image, environment=image.environment | values)
        if step.instruction == "WORKDIR":
            inside(image.root, step.argument).mkdir(parents=True, exist_ok=True)
            return replace(image, directory=step.argument)
        if step.instruction == "USER":
            if not re.fullmatch(r"\d+:\d+", step.argument):
                raise NotUnderstoodError(f"USER {step.argument}: Kubernetes wants numbers")
            return replace(image, user=step.argument)
        if step.instruction == "RUN":
            _step(image, ["sh", "-c", step.argument], network=True)
        elif step.instruction == "COPY":
            self._copy(image, step.copied())
        return image

    def _copy(self, image: Image, copied: Copied) -> None:
        if copied.owner:
            raise NotUnderstoodError("COPY --chown in a stage of the default image")
        to_directory = copied.destination.endswith("/") or len(copied.sources) > 1
        destination = inside(image.root, image.directory, copied.destination)
        source_root = self._image(copied.stage).root if copied.stage else ROOT
        for name in copied.sources:
            source = inside(source_root, name)
            ignored = None if copied.stage else _ignored
            if source.is_dir():
                # The content goes, as an engine does it.
                shutil.copytree(
                    source, destination, symlinks=True, dirs_exist_ok=True, ignore=ignored
                )
            else:
                target = destination / source.name if to_directory else destination
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        if not copied.stage:
            subprocess.run(["chown", "-R", "0:0", destination], check=True)


def inside(root: Path, *parts: str) -> Path:
    """A path of the image as one of this machine."""
    joined = PurePosixPath("/", *parts)
    return root / os.path.normpath(joined).lstrip("/")


def _ignored(directory: str, names: list[str]) -> set[str]:
    """By .dockerignore, of which `name` and `**/name` are understood."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    inner = Path(directory) != ROOT
    patterns = [line.removeprefix("**/") for line in lines if line.startswith("**/") or not inner]
    if odd := [line for line in lines if "/" in line.removeprefix("**/") or line[0] in "#!"]:
        raise NotUnderstoodError(f".dockerignore: {odd}")
    return {name for name in names if any(fnmatch.fnmatch(name, p) for p in patterns)}


def _step(image: Image, command: Sequence[str], *, network: bool = False) -> str:
    """Output. Raises RuntimeError with it when the command fails."""
    run = subprocess.run(
        command_in(image.root, command, directory=image.directory, user=image.user),
        env=environment_in(image.environment, network=network),
        capture_output=True, text=True, check=False, timeout=STEP_SECONDS,
    )  # fmt: skip
    if run.returncode:
        raise RuntimeError(f"{command} failed:\n{run.stdout[-3000:]}{run.stderr[-3000:]}")
    return run.stdout
