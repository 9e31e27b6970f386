"""The exercises of every lesson: made from solutions/, solved there, and blank to exactly the blanks in exercises/."""

import importlib
from pathlib import Path

import pytest

from kit.course import runner, syllabus
from kit.course.exercise import Exercise
from kit.course.release import graded, release

ROOT = Path(__file__).parents[1]
LESSONS = [lesson for lesson in syllabus.lessons() if lesson.ready and lesson.topics]


def name(lesson):
    return lesson.name


def test_exercises_are_what_solutions_give():
    assert release(check=True) == [], "run: make exercises"


@pytest.mark.parametrize("lesson", LESSONS, ids=name)
def test_solutions_are_right_and_blanks_are_the_learners_turn(lesson):
    solved = runner.check(ROOT / "solutions" / f"{lesson.name}.ipynb")
    blank = runner.check(ROOT / "exercises" / f"{lesson.name}.ipynb")
    assert all(result.got == result.points for result in solved)
    assert not any(result.got for result in blank)
    assert all("Your turn" in str(result.words) for result in blank)
    assert 5 <= len(solved) == len(blank) <= 6


@pytest.mark.parametrize("lesson", LESSONS, ids=name)
def test_points_and_names_are_those_of_the_checks(lesson):
    exercises = [value for topic in lesson.topics for value in vars(importlib.import_module(f"kit.{topic}.checks")).values()
                 if isinstance(value, Exercise) and value.id.startswith(f"{lesson.number:02}-")]
    assert graded(lesson.exercises) == {exercise.id: exercise.points for exercise in exercises}
    assert all(exercise.misconceptions for exercise in exercises)


@pytest.mark.parametrize("lesson", LESSONS, ids=name)
def test_nothing_a_learner_types_breaks_a_check(lesson):
    def loops(**_):
        while True:
            pass

    def raises(**_):
        raise KeyError("what?")

    for topic in lesson.topics:
        for exercise in vars(importlib.import_module(f"kit.{topic}.checks")).values():
            if isinstance(exercise, Exercise):
                for answer in ("text", None, 42, [], raises, lambda **_: object(), object):
                    verdict = exercise.examine(answer)
                    assert not verdict.right and all(isinstance(words, str) for words in verdict.words)
                exercise.seconds, before = 0.2, exercise.seconds
                verdict, exercise.seconds = exercise.examine(loops), before
                assert not verdict.right and verdict.words
