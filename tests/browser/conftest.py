"""What the tests in a browser share. Without a Chromium none of them is collected (tools.py)."""

import os
import sys
from pathlib import Path

import pytest
import tools

HERE = Path(__file__).parent
sys.path.insert(0, os.fspath(HERE))

import lab  # noqa: E402
from kit.course import syllabus  # noqa: E402

ROOT = lab.ROOT
THEMES = "JupyterLab Light", "JupyterLab Dark"
READY = [lesson for lesson in syllabus.lessons() if lesson.ready]

collect_ignore_glob = tools.left_out((tools.chromium(), "test_*.py"), (tools.npm(), "test_site*.py"), (tools.npm(), "test_pages*.py"))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A JupyterLab for all tests of this process."""
    with lab.server(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    """Closed with its module: while it runs, no test of this process can start an asyncio loop."""
    with lab.browser() as context:
        yield context


@pytest.fixture(scope="module", params=READY, ids=lambda lesson: lesson.name)
def lesson(request, browser, server):
    """A lesson, opened and run on a slow computer: each in its turn, one page load for all tests of the module."""
    with lab.Notebook(browser, server, f"notebooks/{request.param.name}.ipynb") as notebook:
        with notebook.slowly():
            notebook.run_all()
        notebook.wait_until_drawn()
        yield notebook
