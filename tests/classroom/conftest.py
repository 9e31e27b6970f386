"""What the tests of a classroom share: a class that hands in. Where nothing can be sealed off, those that need it are
left out (tools.py).
"""

import json
from pathlib import Path

import pytest
from tools import PROXY, left_out

from kit.classroom import apart

ROOT = Path(__file__).parents[2]

SEALED = not apart.refusal()
collect_ignore_glob = left_out((SEALED, "test_apart*.py"), (SEALED, "test_grade*.py"), (SEALED and PROXY.exists(), "test_hub*.py"))


class Class:
    """A folder of notebooks that were handed in."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir()

    def hands_in(self, learner: str, lesson: str = "18_messaging", answers: dict[str, str] | None = None,
                 first: str = "", start: str = "exercises", change=lambda notebook: None) -> Path:
        """Write a notebook: the answers in place of those to the exercises named, another cell before all exercises."""
        notebook = json.loads((ROOT / start / f"{lesson}.ipynb").read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
            if name.removesuffix("-answer") in (answers or {}):
                cell["source"] = [answers[name.removesuffix("-answer")]]
        if first:
            notebook["cells"].insert(2, {"cell_type": "code", "id": "first", "metadata": {}, "outputs": [],
                                         "execution_count": None, "source": [first]})
        change(notebook)
        return self.file(learner, f"{lesson}.ipynb", json.dumps(notebook))

    def file(self, learner: str, name: str, text: str) -> Path:
        path = self.folder / learner / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture(scope="session")
def new_class():
    """Makes a class of a folder that isn't there yet."""
    return Class


@pytest.fixture
def class_(tmp_path):
    return Class(tmp_path / "handed in")
