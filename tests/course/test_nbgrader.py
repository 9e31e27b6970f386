"""nbgrader takes solutions/ as it is, releases the text that the kit releases, and grades what comes back."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest

LESSON, POINTS = "18_messaging", 10


def sources(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


@pytest.fixture
def graded(root, tmp_path):
    """A lesson that nbgrader released and graded for two learners: one solved it, one left it blank."""
    teacher = tmp_path / "teacher"
    (teacher / "source" / LESSON).mkdir(parents=True)
    shutil.copy(root / "solutions" / f"{LESSON}.ipynb", teacher / "source" / LESSON)
    for learner, folder in (("solved", "solutions"), ("blank", "exercises")):
        (teacher / "submitted" / learner / LESSON).mkdir(parents=True)
        shutil.copy(root / folder / f"{LESSON}.ipynb", teacher / "submitted" / learner / LESSON)
    shutil.copy(root / "kit" / "course" / "nbgrader_config.py", teacher)
    home, programs = str(tmp_path / "home"), os.path.dirname(sys.executable)
    environment = os.environ | {"PYTHONPATH": str(root), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
                                "HOME": home, "IPYTHONDIR": home, "JUPYTER_CONFIG_DIR": home}
    environment.pop("KIT_PROGRESS", None)
    for command in ("generate_assignment", "autograde"):
        done = subprocess.run([sys.executable, "-m", "nbgrader", command, LESSON], cwd=teacher, env=environment,
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    return teacher


def test_nbgrader_releases_our_text_gives_the_solution_full_marks_and_the_blank_none(graded, root):
    from nbgrader.api import Gradebook
    assert sources(graded / "release" / LESSON / f"{LESSON}.ipynb") == sources(root / "exercises" / f"{LESSON}.ipynb")
    with Gradebook(f"sqlite:///{graded / 'gradebook.db'}") as book:
        scores = {learner: book.find_submission(LESSON, learner) for learner in ("solved", "blank")}
        assert (scores["solved"].score, scores["solved"].max_score) == (POINTS, POINTS)
        assert (scores["blank"].score, scores["blank"].max_score) == (0, POINTS)
        assert not any(one.needs_manual_grade for one in scores.values())
    assert not list(graded.rglob("progress.json")), "grading is nobody's progress"
    back = nbformat.read(graded / "autograded" / "blank" / LESSON / f"{LESSON}.ipynb", as_version=4)
    checks = [cell for cell in back.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert len(checks) == 6 and all("Your turn" in str(cell.outputs) for cell in checks)
    assert "Traceback" not in str([cell.outputs for cell in checks])
