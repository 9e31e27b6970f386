"""Exercises that check themselves: by what an answer does, on cases of which some are the learner's own.

    workers = Exercise(
        id="18-workers", title="How many workers?", points=2,
        cases=lambda rng: [{"rate": 4, "seconds": 2}, {"rate": rng.randint(5, 40), "seconds": rng.randint(2, 9)}],
        expected=lambda case: model.workers(**case),
        why="Too few workers, and the queue grows for as long as the load lasts.",
        misconceptions=[Misconception("divides", lambda rate, seconds: rate / seconds,
                                      "A slower worker means more of them, not fewer.")])
    workers.check(my_function)

A misconception is a wrong answer that runs: whoever answers like it on every case is given its hint. So a test can
hand in the misconceptions themselves; ``prove`` does.
"""

import copy
import dis
import functools
import hashlib
import inspect
import linecache
import math
import numbers
import random
import re
import sys
import types
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.course import progress
from kit.course.limits import TimeUp, limited, notebook
from kit.course.words import say
from kit.errors import ServiceError

STUB = "...  # your turn"  # what a solution is replaced by in an exercise
SECONDS = 2.0  # for one check, all cases together
_NOT_THEIRS = (str(Path(__file__).parents[1]), sys.prefix, sys.base_prefix)  # the kit, packages, Python itself


class NotYet(Exception):
    """An answer that isn't right yet. A notebook shows its words and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


@dataclass(frozen=True)
class Misconception:
    """A wrong idea as an executable answer: the same form of thing that a learner hands in.

    name: a word or two for tests and teachers; hint: what somebody who thinks so needs to hear.
    """

    name: str
    answer: object
    hint: str


@dataclass(frozen=True)
class Verdict:
    """What came of an answer. words: paragraphs for the learner; misconception: the name of the one that fits."""

    right: bool
    words: tuple[str, ...]
    blank: bool = False
    misconception: str | None = None


class Exercise:
    """One question, its cases and what is wrong with the usual wrong answers.

    id: letters, digits, - and _, unique in the whole course: "18-workers". It is also the grade_id of the check cell.
    cases(rng): a list of dicts, some the same for everybody and some drawn from rng, a random.Random of the learner's.
    expected(case): the right answer, from the model; where it raises ServiceError, this very refusal is right.
    run(answer, case): what the answer does on the case. Default: answer(**case), or the answer itself if it isn't
        callable. Give one where the answer is a policy, a rule, a configuration: something that the model runs.
    why: a text, or why(case, got, want) -> text: why it matters on AWS. got: a value or an exception.
    close(got, want): whether that is right. Default: equal, fractions to a billionth, lists like tuples.
    show(case): the case in words. Default: "rate=4, seconds=2".
    seconds: the time limit of a check.
    """

    def __init__(self, id: str, title: str, points: int, cases: Callable, expected: Callable, run: Callable = None,
                 why="", misconceptions=(), close: Callable = None, show: Callable = None, seconds: float = SECONDS):
        if not re.fullmatch(r"[A-Za-z0-9_-]+", id):
            raise ValueError(f"the id of an exercise is made of letters, digits, - and _, not {id!r}")
        if not points > 0:
            raise ValueError(f"{id}: an exercise gives at least one point, not {points}")
        self.id, self.title, self.points, self.why, self.seconds = id, title, points, why, seconds
        self.misconceptions = tuple(misconceptions)
        self._cases, self._expected, self._run = cases, expected, run
        self._close, self._show = close or same, show or _arguments

    def __repr__(self) -> str:
        return f"<Exercise {self.id}: {self.title} ({_points(self.points)})>"

    def check(self, answer) -> None:
        """Right: says so and notes the points. Not yet: raises NotYet with the words. Never anything else."""
        verdict = self.examine(answer, progress.learner())
        if not verdict.right:
            raise NotYet("\n".join([*verdict.words, *_unread()])) from None
        progress.done(self.id, self.points)
        say(*verdict.words)

    def cases(self, learner: str = "") -> list[dict]:
        """All cases of a learner; the same name gets the same ones, always."""
        name = unicodedata.normalize("NFC", learner).strip().casefold()
        seed = hashlib.sha256(f"{name}\n{self.id}".encode("utf-8", "surrogatepass")).digest()
        cases = self._cases(random.Random(int.from_bytes(seed[:8], "big")))
        if not cases or not all(isinstance(case, dict) for case in cases):
            raise ValueError(f"{self.id}: cases(rng) is to give a list of dicts, not {cases!r}")
        return copy.deepcopy(cases)

    def case(self) -> dict:
        """The learner's own case: the first that isn't the same for everybody. For "your numbers"."""
        mine = self.cases(progress.learner())
        others = [self.cases(f"somebody else {n}") for n in range(3)]
        drawn = (case for case, *theirs in zip(mine, *others) if any(case != other for other in theirs))
        return next(drawn, mine[0])

    def examine(self, answer, learner: str = "") -> Verdict:
        """What check() would make of an answer, without a point noted."""
        cases = self.cases(learner)
        wants = [self._want(case) for case in cases]
        trials, blank = [], []

        def try_all():
            blank.append(_safely(lambda: is_blank(answer), False))
            for case, want in zip(cases, wants):
                trials.append(_safely(lambda: self._try(answer, case, want), _ODD))

        end, printed = limited(try_all, self.seconds)
        if printed:
            print(printed)
        if end != "done":
            return self._late(cases, len(trials), end)
        if all(trial.right for trial in trials):
            return Verdict(True, (f"Right: {self.title}", f"{_points(self.points)}."))
        if blank[0] or all(trial.blank for trial in trials):
            return Verdict(False, (f"Your turn: {self.title}", "Put your answer in place of the “...”, run that cell, "
                                   "then this one."), blank=True)
        return self._explained(cases, wants, trials)

    def _want(self, case: dict) -> "Outcome":
        try:
            return Outcome(self._expected(copy.deepcopy(case)))
        except ServiceError as refusal:
            return Outcome(error=refusal)

    def _try(self, answer, case: dict, want: "Outcome") -> "Trial":
        gave = []
        got = self._outcome(_watched(answer, gave), case)
        right = self._same(got, want)
        nothing = got.error is None and bool(gave) and all(value is None for value in gave)
        return Trial(got, right, _gave_nothing(got), nothing, "" if right else self._told(answer, got, want))

    def _outcome(self, answer, case: dict) -> "Outcome":
        case = copy.deepcopy(case)  # an answer may change what it is given
        if self._run:
            return _outcome(self._run, answer, case)
        return _outcome(lambda: answer(**case)) if callable(answer) else Outcome(answer)

    def _same(self, got: "Outcome", want: "Outcome") -> bool:
        if got.error is None and want.error is None:
            return _safely(lambda: bool(self._close(got.value, want.value)), False)
        return type(got.error) is type(want.error) and _code(got.error) == _code(want.error)

    def _told(self, answer, got: "Outcome", want: "Outcome") -> str:
        """What came and what was due; but not the answer itself, where that is all there is to find."""
        due = f"the model refuses with {want.error}" if want.error else f"the model gives {_short(want.value)}"
        if not self._run and not callable(answer):
            return f"Your answer is {_short(got.value)}. The model gives something else."
        if got.error is None:
            return f"Your answer gives {_short(got.value)}; {due}."
        if isinstance(got.error, ServiceError):
            return f"Your answer is refused with {_cut(str(got.error))}; {due}."
        return f"Your code raised {complaint(got.error)}."

    def _explained(self, cases: list[dict], wants: list["Outcome"], trials: list["Trial"]) -> Verdict:
        """The first case that fails, why it matters, and the hint of the misconception that fits."""
        number = next(n for n, trial in enumerate(trials) if not trial.right)
        told, reasons, fitting = trials[number].told, [], []

        def look():
            reasons.append(_safely(lambda: self._reason(cases[number], trials[number].got, wants[number]), ""))
            fitting.extend(self._fitting(cases, trials))

        limited(look, self.seconds)
        if all(trial.nothing for trial in trials):  # a mistake in Python has no reason on AWS
            told, reasons = "Your function gives nothing back. Is a `return` missing?", []
        right = sum(trial.right for trial in trials)
        words = (f"Not yet: {self.title}" + (f" (right in {right} of {len(cases)} cases)" if right else ""),
                 self._at(cases, number), told, *reasons,
                 *(f"Hint: {misconception.hint}" for misconception in fitting))
        return Verdict(False, tuple(filter(None, words)), misconception=fitting[0].name if fitting else None)

    def _fitting(self, cases: list[dict], trials: list["Trial"]) -> list[Misconception]:
        """The first misconception that does on every case what the answer did."""
        for misconception in self.misconceptions:
            if all(self._same(trial.got, self._outcome(misconception.answer, case))
                   for trial, case in zip(trials, cases)):
                return [misconception]
        return []

    def _reason(self, case: dict, got: "Outcome", want: "Outcome") -> str:
        if got.error is not None and not isinstance(got.error, ServiceError):
            return ""  # a mistake in Python has no reason on AWS
        if not callable(self.why):
            return self.why
        return self.why(copy.deepcopy(case), got.value if got.error is None else got.error,
                        want.value if want.error is None else want.error)

    def _at(self, cases: list[dict], number: int) -> str:
        which = f"Case {number + 1} of {len(cases)}" if len(cases) > 1 else "The case"
        return f"{which}: {self._show(copy.deepcopy(cases[number]))}"

    def _late(self, cases: list[dict], tried: int, end: str) -> Verdict:
        words = [f"Not yet: {self.title}", self._at(cases, min(tried, len(cases) - 1)),
                 f"Your code was still running after {self.seconds:g} seconds. Is there a loop that never ends?"]
        if end == "abandoned":
            words.append("It could not be stopped and goes on in the background: "
                         "mend it, then restart the kernel (Kernel, Restart Kernel…).")
        return Verdict(False, tuple(words))


def prove(exercise: Exercise, solution, learners=("", "Ada", "Grace"), drawn: bool = True) -> None:
    """For tests: the solution passes, a blank fails with "your turn", each misconception fails with its own hint.

    All this for several learners. drawn: some numbers differ from learner to learner.
    """
    for learner in learners:
        about = f"{exercise.id}, learner {learner!r}"
        verdict = exercise.examine(solution, learner)
        assert verdict.right, f"{about}: the solution fails: {verdict.words}"
        for blank in (..., None, _blank):
            verdict = exercise.examine(blank, learner)
            assert verdict.blank, f"{about}: a blank is told {verdict.words}"
        for wrong in exercise.misconceptions:
            verdict = exercise.examine(wrong.answer, learner)
            assert not verdict.right, f"{about}: the misconception {wrong.name!r} passes"
            assert verdict.misconception == wrong.name, f"{about}: {wrong.name!r} is told {verdict.words}"
            assert f"Hint: {wrong.hint}" in verdict.words
            for case in exercise.cases(learner):  # check() overlooks a why that fails; this doesn't
                assert isinstance(exercise._reason(case, exercise._outcome(wrong.answer, case),
                                                   exercise._want(case)), str), f"{about}: why gives no text"
    hints = [wrong.hint for wrong in exercise.misconceptions]
    assert len(set(hints)) == len(hints), f"{exercise.id}: two misconceptions share a hint"
    lists = [exercise.cases(learner) for learner in learners]
    assert not drawn or any(lists[0] != other for other in lists), f"{exercise.id}: no case is drawn for the learner"


def same(got, want) -> bool:
    """Equal; fractions to a billionth, lists like tuples, and so on inside."""
    if isinstance(want, numbers.Real) and isinstance(got, numbers.Real) and float in (type(got), type(want)):
        return math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(want, (list, tuple)) and isinstance(got, (list, tuple)):
        return len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, Mapping) and isinstance(got, Mapping):
        return got.keys() == want.keys() and all(same(got[key], want[key]) for key in want)
    return bool(got == want)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an answer gave on a case: a value, or the exception it raised."""

    value: object = None
    error: BaseException | None = None


@dataclass(frozen=True, eq=False)
class Trial:
    """An answer on one case. nothing: it is a function and gave None; told: what came and what was due."""

    got: Outcome
    right: bool
    blank: bool
    nothing: bool
    told: str


_ODD = Trial(Outcome(), False, False, False, "Your answer is something that cannot be compared with anything.")


def _watched(answer, gave: list):
    """The same function, noting what it gives back; anything else as it is."""
    if type(answer) is not types.FunctionType:
        return answer

    @functools.wraps(answer)
    def watched(*arguments, **named):
        gave.append(answer(*arguments, **named))
        return gave[-1]

    return watched


def _outcome(function, *arguments) -> Outcome:
    try:
        return Outcome(function(*arguments))
    except TimeUp:
        raise
    except BaseException as error:  # a learner's code may raise anything, SystemExit and KeyboardInterrupt too
        return Outcome(error=error)


def _safely(function, otherwise):
    """The result, or something else where a learner's object breaks what looks at it."""
    outcome = _outcome(function)
    return otherwise if outcome.error else outcome.value


def _code(error: BaseException):
    return _safely(lambda: str(error.code), None) if isinstance(error, ServiceError) else None


_NOTHING = (type(None), type(...), type(NotImplemented))
_IDLE = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}  # the steps of a function without a body


def _gave_nothing(got: Outcome) -> bool:
    """A "..." stands in what came, or says NotImplementedError. None doesn't count: it is what a forgotten return gives."""
    if got.error is not None:
        return type(got.error) is NotImplementedError
    return got.value is not None and _unfinished(got.value)


def is_blank(answer) -> bool:
    """Whether this answer is none yet: nothing, an empty text, a "..." or a function that does nothing."""
    return any(empty(answer) for empty in (_unfinished, _unsaid, _does_nothing))


def _unfinished(answer, depth: int = 0) -> bool:
    """Nothing, or something inside which a "..." still stands."""
    if answer is ... or depth == 0 and type(answer) in _NOTHING:
        return True
    if type(answer) in (list, tuple, dict) and depth < 12:
        return any(_unfinished(value, depth + 1) for value in (answer.values() if type(answer) is dict else answer))
    return False


def _unsaid(answer) -> bool:
    return type(answer) is str and answer.strip() in ("", "...")


def _does_nothing(answer) -> bool:
    """A function without a body, or one in which the line to be replaced still stands."""
    if type(answer) is not types.FunctionType:
        return False
    steps = list(dis.get_instructions(answer))
    if {step.opname for step in steps} <= _IDLE:
        return type([step.argval for step in steps if step.opname.endswith("_CONST")][-1]) in _NOTHING
    return STUB in _safely(lambda: inspect.getsource(answer), "")


def _blank(*_, **__):
    ...


def _unread() -> tuple[str, ...]:
    """A word more, if the cell before this one could not be read: what was checked is the answer from before."""
    result = getattr(notebook(), "last_execution_result", None)
    if not isinstance(getattr(result, "error_before_exec", None), SyntaxError):
        return ()
    return ("The cell that you ran before this one has a syntax error, so it changed nothing: "
            "what is checked here is your answer from before. Mend that cell first.",)


def complaint(error: BaseException) -> str:
    """An exception in words, with the last line of the learner's own code on its way."""
    name = type(error).__name__
    text = _safely(lambda: str(error), "")
    told = f"{name}: {_cut(text)}" if text else name
    if isinstance(error, SystemExit):
        told = f"{name}: an answer returns its result, it does not exit"
    if isinstance(error, RecursionError):
        told += " (it calls itself without an end)"
    frames = []
    traceback = error.__traceback__
    while traceback:
        frames.append((traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    for file, number in reversed(frames):
        line = linecache.getline(file, number).strip()
        if line and not file.startswith(_NOT_THEIRS):
            return f"{told} (line {number}: {_cut(line, 80)})"
    return told


def _short(value) -> str:
    """A value's repr, cut; of a value that cannot be shown its type."""
    return _cut(_safely(lambda: str(repr(value)), f"a {type(value).__name__} that cannot be shown"))


def _cut(text: str, length: int = 300) -> str:
    return text if len(text) <= length else f"{text[:length - 40]} … {text[-30:]}"


def _arguments(case: dict) -> str:
    return ", ".join(f"{name}={_short(value)}" for name, value in case.items())


def _points(points) -> str:
    return f"{points:g} point{'' if points == 1 else 's'}"
