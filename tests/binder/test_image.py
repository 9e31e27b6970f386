"""Binder's steps in an empty environment: the packages, then the project, then postBuild; then a lesson runs there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

LESSON = "notebooks/18_messaging.ipynb"
RUN = """
import json, sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
NotebookClient(notebook, timeout=300, resources={"metadata": {"path": "notebooks"}}).execute()
print(json.dumps([cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]))
"""


@pytest.fixture(scope="module")
def image(project, dockerfile, tmp_path_factory):
    """The project after Binder's steps, and the environment's folder. conda's part, Python and pip, is venv's here."""
    prefix = tmp_path_factory.mktemp("image") / "notebook"
    subprocess.run([sys.executable, "-m", "venv", prefix], check=True, timeout=300)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "KIT_", "VIRTUAL_ENV", "JUPYTER"))}
    environment = clean | {"PATH": f"{prefix / 'bin'}{os.pathsep}{clean['PATH']}"}

    def step(*command):
        subprocess.run(command, cwd=project, env=environment, check=True, timeout=1800)

    (listed,) = re.findall(r'env update .* --file "(\S+)"', dockerfile)
    (packages,) = [one["pip"] for one in yaml.safe_load((project / listed).read_text())["dependencies"] if isinstance(one, dict)]
    step("python", "-m", "pip", "install", "--quiet", *packages)
    for script in re.findall(r"RUN (\./\S+/postBuild)", dockerfile):
        step(script)
    return project, prefix, environment


def test_a_lesson_runs_there_from_top_to_bottom(image):
    project, _, environment = image
    done = subprocess.run(["python", "-c", RUN, LESSON], cwd=project, env=environment, check=True, capture_output=True,
                          text=True, timeout=600)
    counts = json.loads(done.stdout)
    assert len(counts) > 20 and None not in counts


def test_what_is_installed_is_what_was_listed_and_the_kit(image, project):
    _, prefix, environment = image
    listed = (project / ".binder" / "environment.yml").read_text()
    frozen = subprocess.run(["python", "-m", "pip", "freeze", "--exclude-editable"], env=environment, check=True,
                            capture_output=True, text=True, timeout=120).stdout.split()
    assert sorted(re.sub("[_.]", "-", line.lower().partition("==")[0]) for line in frozen) == sorted(
        re.findall(r"- (\S+)==", listed))


def test_jupyterlab_asks_about_no_news_there(image):
    _, prefix, _ = image
    settings = Path(prefix) / "share/jupyter/lab/settings/overrides.json"
    assert json.loads(settings.read_text())["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
