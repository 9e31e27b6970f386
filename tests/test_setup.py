"""The set-up: one list of pins for all, generated parts of the README up to date, nothing private."""

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from kit.course import syllabus
from pins import pins

ROOT = Path(__file__).parents[1]


def test_the_constraints_are_pins_without_addresses():
    text = (ROOT / "constraints.txt").read_text()
    assert not re.search(r"://| @ |--", text)
    assert len(pins()) > 100


def test_every_package_installed_here_is_pinned_at_its_version():
    """Beside the kit itself, and pip, which came with the environment."""
    here = {canonicalize_name(d.name): d.version for d in metadata.distributions()}
    for own in ("cloud-learning-kit", "pip"):
        here.pop(own, None)
    assert here == {name: pins().get(name) for name in here}


def test_every_package_takes_the_oldest_python_that_the_kit_promises():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = project["requires-python"].removeprefix(">=") + ".0"
    choosy = {d.name: d.metadata["Requires-Python"] for d in metadata.distributions()
              if not SpecifierSet(d.metadata["Requires-Python"] or "").contains(oldest)}
    assert not choosy


def test_every_direct_dependency_is_pinned_within_its_range():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + sum(project["optional-dependencies"].values(), [])
    for requirement in map(Requirement, wanted):
        assert pins()[canonicalize_name(requirement.name)] in requirement.specifier


def test_conda_brings_python_and_pip_and_the_constraints_the_rest():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    assert [re.split("[=<>]", name)[0] for name in conda] == ["python", "pip"]
    assert "--constraint constraints.txt" in pip["pip"] and "--editable ." in pip["pip"]


def test_the_readme_shows_the_lessons_of_the_syllabus():
    text = (ROOT / "README.md").read_text()
    shown = re.search(r"<!-- lessons -->\n(.*?)\n?<!-- /lessons -->", text, re.S).group(1)
    assert shown.strip() == syllabus.markdown_table().strip(), "run: python -m kit lessons --readme README.md"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_links_of_a_page_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_the_top_holds_the_folders_of_the_house_and_no_other():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    assert folders - {"__pycache__"} == {"notebooks", "kit", "exercises", "solutions", "tests"}


def test_jupyterlab_is_set_up_not_to_ask_about_news(tmp_path):
    """The settings that ``make lab`` puts where JupyterLab looks: in the environment's share/jupyter/lab/settings."""
    settings = tmp_path / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    (tmp_path / "lab-installed").touch()
    subprocess.run(["make", "--silent", f"--old-file={tmp_path / 'lab-installed'}", f"VENV={tmp_path}", str(settings)], cwd=ROOT,
                   check=True, timeout=60)
    schema = Path(sys.prefix) / "share/jupyter/lab/schemas/@jupyterlab/apputils-extension/notification.json"
    known = json.loads(schema.read_text())["properties"]
    (asked,) = json.loads(settings.read_text()).values()
    assert asked == {"fetchNews": "false", "checkForUpdates": False} and asked.keys() <= known.keys()
    assert "false" in [choice["const"] for choice in known["fetchNews"]["oneOf"]]
