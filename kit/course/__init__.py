"""The course around the lessons: syllabus, claims, exercises, progress. It knows no topic."""

from kit.course import progress
from kit.course.progress import load, save
from kit.course.words import say

__all__ = ["learner", "load", "save"]


def learner(name: str = "") -> None:
    """Say who you are, at the top of an exercise notebook: some numbers are drawn for you, and it keeps your points."""
    name = progress.learner(name)
    say(f"Hello {name}, some of the numbers below are yours alone." if name else
        "You have given no name, so you get the numbers that everybody without a name gets.")
