"""Every lesson in a learner's place of a classroom: sealed, held to its limits, and the same to the letter."""

import pytest
from classroom import ROOT, Hub
from learner import Learner
from printed import printed

from kit.course import syllabus


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with Hub(tmp_path_factory.mktemp("room"), 1) as hub:
        assert Learner(hub.address, "ada").sign_up(hub.code)[0] == 200
        yield hub


@pytest.mark.parametrize("lesson", [lesson for lesson in syllabus.lessons() if lesson.ready], ids=lambda lesson: lesson.name)
def test_a_lesson_says_there_what_it_says_elsewhere(hub, lesson):
    ada = Learner(hub.address, "ada")
    assert ada.sign_in()
    ada.start()
    run = ada.run(ada.open(lesson.notebook.relative_to(ROOT).as_posix()))
    ada.shut_down()
    ada.close()
    assert run.errors == []
    assert run.printed == printed(lesson.notebook)
