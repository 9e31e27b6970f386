"""nbgrader takes solutions/ as it is, releases the text that the kit releases, and grades what comes back."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from kit.course.release import release


def sources(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


@pytest.fixture
def graded(course, root, tmp_path):
    """A made-up assignment that nbgrader released and graded for two learners: one solved it, one left it blank."""
    release(course / "solutions", course / "exercises")
    teacher = tmp_path / "teacher"
    (teacher / "source" / "99_made_up").mkdir(parents=True)
    shutil.copy(course / "solutions" / "99_made_up.ipynb", teacher / "source" / "99_made_up")
    for learner, folder in (("solved", "solutions"), ("blank", "exercises")):
        (teacher / "submitted" / learner / "99_made_up").mkdir(parents=True)
        shutil.copy(course / folder / "99_made_up.ipynb", teacher / "submitted" / learner / "99_made_up")
    shutil.copy(root / "kit" / "course" / "nbgrader_config.py", teacher)
    home, programs = str(tmp_path / "home"), os.path.dirname(sys.executable)
    environment = os.environ | {"PYTHONPATH": str(root), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
                                "HOME": home, "IPYTHONDIR": home, "JUPYTER_CONFIG_DIR": home}
    environment.pop("KIT_PROGRESS", None)
    for command in ("generate_assignment", "autograde"):
        done = subprocess.run([sys.executable, "-m", "nbgrader", command, "99_made_up"], cwd=teacher, env=environment,
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    return teacher


def test_nbgrader_releases_our_text_gives_the_solution_full_marks_and_the_blank_none(graded, course):
    from nbgrader.api import Gradebook
    assert sources(graded / "release" / "99_made_up" / "99_made_up.ipynb") == sources(
        course / "exercises" / "99_made_up.ipynb")
    with Gradebook(f"sqlite:///{graded / 'gradebook.db'}") as book:
        scores = {learner: book.find_submission("99_made_up", learner) for learner in ("solved", "blank")}
        assert (scores["solved"].score, scores["solved"].max_score) == (3, 3)
        assert (scores["blank"].score, scores["blank"].max_score) == (0, 3)
        assert not any(one.needs_manual_grade for one in scores.values())
    assert not list(graded.rglob("progress.json")), "grading is nobody's progress"
    back = nbformat.read(graded / "autograded" / "blank" / "99_made_up" / "99_made_up.ipynb", as_version=4)
    assert "Your turn" in str(back.cells[4].outputs) and "Traceback" not in str(back.cells[4].outputs)
