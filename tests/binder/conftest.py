"""Binder without Docker: repo2docker writes its Dockerfile, and its steps are done in an empty environment.

Those steps install some hundred packages, so they run in CI, and with ``make test-binder``.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

collect_ignore = [] if os.environ.get("CI") or os.environ.get("KIT_BINDER") else ["test_image.py"]


def copy_of_the_project(folder: Path) -> Path:
    """The files that git knows or would take, as Binder gets them."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, timeout=60).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def dockerfile_of(project: Path, home: Path) -> str:
    """What repo2docker would hand to Docker."""
    command = [os.path.join(os.path.dirname(sys.executable), "jupyter-repo2docker"), "--no-build", "--no-run", "."]
    return subprocess.run(command, cwd=project, env=os.environ | {"HOME": os.fspath(home)}, check=True, text=True,
                          capture_output=True, timeout=300).stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_of_the_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def dockerfile(project, tmp_path_factory):
    return dockerfile_of(project, tmp_path_factory.mktemp("home"))
