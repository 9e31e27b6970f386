"""Lies over every topic's checks.py where a learner's notebook is graded: the names are there, the answers are not."""

from kit.classroom.inside import StandIn


def __getattr__(name: str) -> StandIn:
    if name.startswith("_"):
        raise AttributeError(name)
    return StandIn(__name__, name)
