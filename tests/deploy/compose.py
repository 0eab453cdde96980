"""docker-compose.yml as compose reads it, and the image as the Dockerfile makes it, without an engine."""

import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"

_VARIABLE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)(?:(:?[-?])([^}]*))?\})")


class NotGiven(Exception):  # noqa: N818 -- a condition
    """A variable the file insists on has no value."""


@cache
def raw() -> dict[str, Any]:
    """The file with anchors merged and variables as written; not to be changed."""
    return dict(yaml.safe_load(COMPOSE.read_text()))


def containers(variables: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Every container by name, with the variables put in."""
    return dict(interpolated(raw()["services"], variables))


def interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    """A value of the file with `$$`, `$A`, `${A}`, `${A:-b}` and `${A:?b}` replaced as compose does.

    Raises:
        NotGiven: a `${A:?b}` without a value.
    """

    def one(found: re.Match[str]) -> str:
        escaped, plain, braced, operator, rest = found.groups()
        if escaped:
            return "$"
        given = variables.get(plain or braced)
        if given or (given is not None and operator in {"-", "?"}):
            return given
        if operator in {":?", "?"}:
            raise NotGiven(braced)
        return rest or ""

    if isinstance(value, str):
        return _VARIABLE.sub(one, value)
    if isinstance(value, list):
        return [interpolated(item, variables) for item in value]
    if isinstance(value, dict):
        return {key: interpolated(item, variables) for key, item in value.items()}
    return value


def mentioned(value: Any) -> set[str]:
    """The variables a part of the file asks for."""
    asked = _VARIABLE.finditer(yaml.safe_dump(value, width=10**6))
    return {name for found in asked if (name := found[2] or found[3])}


def words(command: str | list[str]) -> list[str]:
    """A command as a list."""
    return shlex.split(command) if isinstance(command, str) else command


def environment_of(file: Path) -> dict[str, str]:
    """An `.env` file as compose reads it."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


# -- The image --------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their arguments, in order."""
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(name, " ".join(rest.split())) for name, _, rest in (x.partition(" ") for x in lines)]


def copies() -> list[tuple[str, str]]:
    """What the Dockerfile copies, and where to."""
    return [(a, b) for name, rest in instructions() if name == "COPY" for a, b in [rest.split()]]


def in_context(path: Path) -> bool:
    """Whether `.dockerignore` lets a file of the checkout into the build: the last line that fits decides."""
    relative = path.relative_to(ROOT)
    let_in = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        parts = line.removeprefix("!").replace("**/", "\0").split("*")
        pattern = "[^/]*".join(map(re.escape, parts)).replace(re.escape("\0"), "(?:.*/)?")
        if any(re.fullmatch(pattern, str(p)) for p in (relative, *relative.parents) if p.parts):
            let_in = line.startswith("!")
    return let_in


@dataclass(frozen=True)
class Image:
    """What the Dockerfile makes: the files it copies, the packages it installs, its variables."""

    app: Path
    packages: Path
    variables: dict[str, str]

    def environment(self) -> dict[str, str]:
        """What a process needs to run as in it; compiled on first use, as the image is when it is made."""
        return {
            **self.variables,
            "PYTHONPATH": str(self.packages),
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(self.app.parent / "compiled"),
        }

    def files(self) -> set[str]:
        """Every file of the product in the image."""
        return {str(p.relative_to(self.app)) for p in self.app.rglob("*") if p.is_file()}


def build(target: Path) -> Image:
    """Make the image in a directory: copy what is copied, link the packages `run.txt` names and no other."""
    app, packages = target / "app", target / "packages"
    packages.mkdir(parents=True)
    for source, destination in copies():
        there = ROOT / source
        files = [p for p in there.rglob("*") if p.is_file()] if there.is_dir() else [there]
        for file in files:
            if in_context(file):
                place = app / destination / file.relative_to(there)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)
    for requirement in requirements():
        if requirement.marker and not requirement.marker.evaluate():
            continue
        found = distribution(requirement.name)
        for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(found.locate_file(top))))
    variables = dict(
        pair.split("=", 1)
        for name, rest in instructions()
        if name == "ENV"
        for pair in shlex.split(rest)
    )
    return Image(app, packages, variables)


def requirements() -> list[Requirement]:
    """What the image installs."""
    text = (ROOT / "requirements" / "run.txt").read_text().replace("\\\n", " ")
    lines = [line.split("--hash")[0].strip() for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]
