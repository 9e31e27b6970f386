"""The one list of pins, constraints.txt, and what is made from it: ``python tests/shared/pins.py`` writes .binder/environment.yml."""

import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
BINDER = ROOT / ".binder" / "environment.yml"
HEAD = """\
# What Binder installs before it sees the lessons: the packages of constraints.txt that the kit itself needs.
# A reference to a file of the project here would make Binder install all anew with each change of a lesson.
# Made by: python tests/shared/pins.py
name: cloud-learning-kit
channels:
  - conda-forge
dependencies:
  - python=3.12
  - pip
  - pip:
"""


def pins() -> dict[str, str]:
    """{canonical name: version} of constraints.txt."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def needed() -> list[str]:
    """Names of all that the kit needs to run, without its extras, sorted; read off what is installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found, open_ = set(), [Requirement(line) for line in project["dependencies"]]
    while open_:
        requirement = open_.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in found:
            continue
        found.add(key)
        for line in metadata.requires(requirement.name) or ():
            other = Requirement(line)
            if not other.marker or any(other.marker.evaluate({"extra": extra}) for extra in requirement.extras or {""}):
                open_.append(other)
    return sorted({name for name, _ in found})


def binder() -> str:
    """The text of .binder/environment.yml."""
    return HEAD + "".join(f"    - {name}=={pins()[name]}\n" for name in needed())


if __name__ == "__main__":
    BINDER.write_text(binder())
