"""The image that Binder builds: its packages come before the lessons, so that a changed lesson doesn't install them anew."""

import re
from pathlib import Path

import pins
import yaml

ROOT = Path(__file__).parents[2]
COPY = "COPY --chown=0:0 src/ ${REPO_DIR}/"  # the whole project, as repo2docker has it


def test_binder_installs_what_the_kit_needs_at_the_pins_of_the_one_list():
    assert (ROOT / ".binder" / "environment.yml").read_text() == pins.binder(), "run: python tests/shared/pins.py"


def test_the_python_is_that_of_the_environment_for_conda():
    first = [yaml.safe_load((ROOT / name).read_text())["dependencies"][0] for name in ("environment.yml", ".binder/environment.yml")]
    assert first[0] == first[1]


def test_packages_are_installed_before_the_project_is_copied(dockerfile):
    before, _, after = dockerfile.partition(COPY)
    assert 'env update -p ${NB_PYTHON_PREFIX} --file ".binder/environment.yml"' in before
    assert "env update" not in after
    assert after.index("RUN ./.binder/postBuild") < after.index("ENTRYPOINT")


def test_of_the_project_only_the_list_of_packages_is_read_before(dockerfile):
    before = dockerfile.partition(COPY)[0]
    assert re.findall(r"COPY \S+ (src/\S+)", before) == ["src/.binder/environment.yml"]
