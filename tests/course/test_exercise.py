"""Exercises answer everything in words: right, wrong, blank, hostile."""

import builtins
import gc
import random
import time
from dataclasses import replace

import pytest

from kit.course import limits, progress
from kit.course.exercise import Exercise, Misconception, NotYet, prove, same
from kit.course.words import html
from kit.errors import ServiceError

ADDS = Misconception("adds", lambda rate, seconds: rate + seconds, "How many are busy at the same moment?")
ROUNDS = Misconception("per minute", lambda rate, seconds: rate * seconds * 60, "The rate is per second.")


def exercise(**other):
    return Exercise(**{
        "id": "x-workers", "title": "How many workers?", "points": 2, "seconds": 0.5,
        "cases": lambda rng: [{"rate": 4, "seconds": 3}, {"rate": rng.randint(5, 40), "seconds": rng.randint(3, 9)}],
        "expected": lambda case: case["rate"] * case["seconds"], "why": "A queue that grows never empties.",
        "misconceptions": [ADDS, ROUNDS]} | other)


def right(rate, seconds):
    return seconds * rate


def told(answer, one=None) -> str:
    """The words of NotYet; anything else that check() does fails the test."""
    with pytest.raises(NotYet) as caught:
        (one or exercise()).check(answer)
    return str(caught.value)


def test_a_right_answer_is_told_so_and_earns_its_points(capsys):
    exercise().check(right)
    assert capsys.readouterr().out == "Right: How many workers?\n2 points.\n"
    assert progress.read()["done"] == {"x-workers": 2}


def test_a_wrong_answer_hears_the_case_what_came_what_was_due_and_why_it_matters():
    words = told(lambda rate, seconds: 12)  # right in the first case
    case = exercise().cases()[1]
    assert words.splitlines() == [
        "Not yet: How many workers? (right in 1 of 2 cases)",
        f"Case 2 of 2: rate={case['rate']}, seconds={case['seconds']}",
        f"Your answer gives 12; the model gives {case['rate'] * case['seconds']}.",
        "A queue that grows never empties."]
    assert progress.read()["done"] == {}


def test_the_reason_may_be_computed_from_case_answer_and_model():
    one = exercise(why=lambda case, got, want: f"{want - got} wait at rate {case['rate']}.")
    assert "5 wait at rate 4." in told(lambda rate, seconds: 7, one)


def test_each_misconception_is_given_its_own_hint_and_no_other():
    for one, other in ((ADDS, ROUNDS), (ROUNDS, ADDS)):
        words = told(one.answer)
        assert f"Hint: {one.hint}" in words and other.hint not in words


def test_a_misconception_on_some_cases_only_gets_no_hint():
    assert "Hint" not in told(lambda rate, seconds: rate + seconds if rate == 4 else 0)


def nothing(rate, seconds):
    """A docstring only."""


def stub(rate, seconds):
    busy = rate * 60
    ...  # your turn
    return busy


def refuses(rate, seconds):
    raise NotImplementedError


@pytest.mark.parametrize("blank", [
    ..., None, NotImplemented, "...", "", nothing, stub, refuses, lambda rate, seconds: ..., lambda **case: [..., 1],
    {"Statement": [{"Effect": ...}]}])
def test_a_blank_is_told_that_it_is_its_turn(blank):
    assert told(blank).startswith("Your turn: How many workers?")


def prints_its_answer(rate, seconds):
    print(rate * seconds)


def forgets_to_return(**case):
    busy = case["rate"] * case["seconds"]
    busy += 0


@pytest.mark.parametrize("answer", [prints_its_answer, forgets_to_return])
@pytest.mark.parametrize("run", [None, lambda answer, case: {"workers": answer(**case)}], ids=["called", "run"])
def test_a_function_without_its_return_is_told_so_and_not_that_it_is_blank(answer, run, capsys):
    one = exercise() if run is None else exercise(run=run, expected=lambda case: {"workers": 0})
    assert told(answer, one).splitlines() == [
        "Not yet: How many workers?", "Case 1 of 2: rate=4, seconds=3",
        "Your function gives nothing back. Is a `return` missing?"]
    assert (capsys.readouterr().out != "") == (answer is prints_its_answer)


def test_none_on_some_cases_only_is_an_answer_like_any_other():
    one = exercise(expected=lambda case: None if case["rate"] == 4 else 1)
    assert "Your answer gives 2; the model gives None." in told(lambda rate, seconds: 2 if rate == 4 else None, one)


def test_a_cell_that_could_not_be_read_is_named_because_an_older_answer_was_checked(monkeypatch):
    from IPython.core.interactiveshell import InteractiveShell
    shell = InteractiveShell()
    monkeypatch.setattr("kit.course.exercise.notebook", lambda: shell)
    shell.run_cell("answer = 5", store_history=True)
    assert "syntax error" not in told(5)
    shell.run_cell("def answer(:\n    return 7", store_history=True)
    assert told(...).splitlines()[0] == "Your turn: How many workers?"
    assert told(5).splitlines()[-1].startswith("The cell that you ran before this one has a syntax error")
    exercise().check(right)  # a right answer is right


def test_what_a_finished_answer_holds_is_not_mistaken_for_a_blank():
    assert told(lambda rate, seconds: None if rate == 4 else 3).startswith("Not yet")
    assert told(lambda rate, seconds: "").startswith("Not yet")
    exercise(expected=lambda case: None).check(lambda rate, seconds: None)


class Odd:
    """Equal to nothing, shown by nothing."""

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    def __repr__(self):
        raise RuntimeError("no repr")

    __hash__ = None


class Liar:
    @property
    def __class__(self):
        raise RuntimeError("no class")


def leaves(rate, seconds):
    raise SystemExit


def interrupts(rate, seconds):
    raise KeyboardInterrupt


def recurses(**case):
    return recurses(**case)


def divides(rate, seconds):
    return rate / 0


def rude(rate, seconds):
    class Rude(Exception):
        def __str__(self):
            raise RuntimeError("no words")
    raise Rude


def asks(rate, seconds):
    return input("How many? ")


def refused(rate, seconds):
    raise ServiceError("AccessDenied", "You may not.")


@pytest.mark.parametrize("answer, word", [
    ("seven", "Your answer is 'seven'."), (7, "Your answer is 7."), (b"\xff", "b'\\xff'"),
    (Odd, "TypeError"), (Odd(), "a Odd that cannot be shown"), (lambda **case: Odd(), "a Odd that cannot be shown"),
    (Liar(), "Not yet"), (lambda **case: Liar(), "Not yet"), (int, "TypeError"), (print, "TypeError"),
    (lambda: 1, "unexpected keyword argument"), (leaves, "it does not exit"), (interrupts, "KeyboardInterrupt"),
    (recurses, "calls itself without an end"), (divides, "ZeroDivisionError"), (divides, "return rate / 0"),
    (rude, "Rude"), (asks, "input() cannot ask"), (refused, "is refused with AccessDenied: You may not."),
    (lambda **case: "x" * 10**6, "…"), (lambda **case: float("nan"), "nan"),
    (lambda **case: (n for n in ()), "generator"),
    (lambda **case: [1, 2], "[1, 2]"), (object(), "object")],
    ids=lambda value: value if type(value) is str else "answer")
def test_whatever_is_handed_in_is_answered_in_words(answer, word):
    words = told(answer)
    assert words.startswith("Not yet") and word in words
    assert len(words) < 1500 and "Traceback" not in words


def loops(rate, seconds):
    while True:
        pass


def loops_on(rate, seconds):
    end = time.perf_counter() + 3  # where it cannot be stopped, it shall not run beside the other tests
    while time.perf_counter() < end:
        try:
            rate += 1
        except:  # noqa: E722  (what a beginner writes)
            pass


def prints(rate, seconds):
    while True:
        print("again and again")


class Endless:
    def __eq__(self, other):
        loops(1, 1)

    def __repr__(self):
        loops(1, 1)


@pytest.mark.parametrize("answer", [loops, loops_on, prints, lambda **case: Endless(), Endless()],
                         ids=["loops", "swallows", "prints", "comparison", "value"])
def test_an_answer_without_an_end_is_stopped(answer, capsys):
    begin = time.perf_counter()
    words = told(answer)
    assert "still running after 0.5 seconds" in words
    assert answer is loops_on or "background" not in words, "all but the one that swallows everything can be stopped"
    assert time.perf_counter() - begin < 3
    assert len(capsys.readouterr().out) < 2500
    time.sleep(0.05)
    assert capsys.readouterr().out == "", "it goes on printing"


def test_an_answer_that_sleeps_is_abandoned():
    assert "goes on in the background" in told(lambda rate, seconds: time.sleep(2))


def test_an_abandoned_answer_prints_nothing_into_later_cells(capsys):
    test_is_over = []

    def babbles(rate, seconds):
        while not test_is_over:
            try:
                time.sleep(0.02)
                print("still here")
            except:  # noqa: E722  (what a beginner writes)
                pass
    told(babbles)
    capsys.readouterr()
    time.sleep(0.1)
    print("my own")
    test_is_over.append(True)
    assert capsys.readouterr().out == "my own\n"


def test_a_reason_that_never_ends_with_what_the_learner_gave_is_left_out():
    class Slow(int):
        __format__ = loops
    one = exercise(why=lambda case, got, want: f"You said {got}.")
    assert told(lambda rate, seconds: Slow(3), one).startswith("Not yet")


def test_where_there_are_no_threads_a_trace_function_looks_at_the_clock():
    done = []
    assert limits.limited(lambda: done.append(1), 0.5, threads=False) == ("done", "")
    assert limits.limited(lambda: loops(1, 1), 0.1, threads=False)[0] == "stopped"
    assert done == [1]


def test_input_is_given_back_after_the_check():
    before = builtins.input
    told(asks)
    assert builtins.input is before


def test_two_dollar_signs_are_money_and_no_mathematics():
    assert html("$1 < $2") == "<span>$</span>1 &lt; <span>$</span>2"


def test_what_an_answer_prints_is_shown_but_not_without_end(capsys):
    def talks(rate, seconds):
        print(f"rate {rate}")
        return rate * seconds
    exercise().check(talks)
    assert capsys.readouterr().out.startswith("rate 4\nrate ")
    told(lambda rate, seconds: print("\n" * 50))
    assert len(capsys.readouterr().out.splitlines()) < 25


def test_an_answer_may_change_what_it_is_given():
    def takes(items):
        total = 0
        while items:
            total += items.pop()
        return total
    one = exercise(cases=lambda rng: [{"items": [1, 2, 3]}], expected=lambda case: sum(case["items"]),
                   show=lambda case: f"{len(case['items'])} items", misconceptions=())
    one.check(takes)
    assert "The case: 3 items" in told(lambda items: items.clear() or -1, one)


def test_a_bare_value_is_not_given_away():
    one = exercise(cases=lambda rng: [{"rate": 7, "seconds": 3}], misconceptions=[Misconception("adds", 10, "No.")])
    one.check(21.0)
    words = told(10, one)
    assert "21" not in words and "Hint: No." in words


def test_a_policy_is_judged_by_what_it_does():
    one = exercise(cases=lambda rng: [{"who": "ada"}, {"who": "eve"}], expected=lambda case: case["who"] == "ada",
                   run=lambda policy, case: case["who"] in policy["allow"],
                   misconceptions=[Misconception("all", {"allow": ["ada", "eve"]}, "Eve too?")])
    one.check({"allow": ["ada"]})
    one.check({"allow": ("ada", "bob")})
    assert "Hint: Eve too?" in told({"allow": ["eve", "ada"]}, one)
    assert "Your answer gives False; the model gives True." in told({"allow": []}, one)
    assert "KeyError" in told({"permit": []}, one)
    assert told({"allow": ...}, one).startswith("Your turn")


def test_where_the_model_refuses_only_the_same_refusal_is_right():
    def model(rate, seconds):
        if rate == 4:
            raise ServiceError("InvalidParameter", "Four is too few.")
        return rate

    def other(rate, seconds):
        if rate == 4:
            raise ServiceError("AccessDenied", "No.")
        return rate

    def reworded(rate, seconds):
        if rate == 4:
            raise ServiceError("InvalidParameter", "in other words")
        return rate
    one = exercise(expected=lambda case: model(**case), misconceptions=())
    one.check(reworded)
    assert "refuses with InvalidParameter: Four is too few." in told(other, one)
    assert "gives 4; the model refuses" in told(lambda rate, seconds: rate, one)


def test_a_model_that_fails_is_the_authors_mistake_and_comes_out():
    with pytest.raises(KeyError):
        exercise(expected=lambda case: case["none"]).check(right)


def test_not_yet_shows_its_words_and_no_traceback():
    error = NotYet("Not yet: x\nCase 1")
    assert error._render_traceback_() == ["Not yet: x", "Case 1"] and str(error) == "Not yet: x\nCase 1"


def test_the_cases_are_the_learners_own_and_always_the_same():
    one = exercise()
    assert one.cases("Ada") == one.cases(" ada ") == exercise().cases("Ada") != one.cases("Grace")
    assert one.cases("Ada")[0] == one.cases("Grace")[0]
    assert exercise(id="y").cases("Ada") != one.cases("Ada")
    assert one.cases("Ada") == [{"rate": 4, "seconds": 3}, {"rate": 28, "seconds": 8}], "the seed has changed"


def test_no_name_breaks_the_drawing():
    for name in ("", "日本", "\ud800", "a" * 10_000):
        assert len(exercise().cases(name)) == 2


def test_case_gives_the_first_case_that_is_drawn():
    progress.learner("Ada")
    assert exercise().case() == exercise().cases("Ada")[1]
    assert exercise(cases=lambda rng: [{"rate": 1, "seconds": 1}]).case() == {"rate": 1, "seconds": 1}


def test_checking_leaves_the_global_random_alone():
    random.seed(5)
    expected = random.Random(5).random()
    exercise().check(right)
    assert random.random() == expected


def test_prove_passes_a_sound_exercise_and_finds_what_is_wrong_with_others():
    prove(exercise(), right)
    for broken, what in [
            (exercise(expected=lambda case: 0), "the solution fails"),
            (exercise(misconceptions=[Misconception("right", right, "?")]), "passes"),
            (exercise(misconceptions=[ADDS, replace(ADDS, name="again", hint="?")]), "is told"),
            (exercise(misconceptions=[ADDS, replace(ROUNDS, hint=ADDS.hint)]), "share a hint"),
            (exercise(cases=lambda rng: [{"rate": 4, "seconds": 3}]), "drawn"),
            (exercise(why=lambda case, got, want: 5), "no text")]:
        with pytest.raises(AssertionError, match=what):
            prove(broken, right)
    with pytest.raises(ZeroDivisionError):
        prove(exercise(why=lambda case, got, want: str(got / 0)), right)


@pytest.mark.parametrize("other, message", [
    ({"id": "with space"}, "letters, digits"), ({"points": 0}, "at least one point")])
def test_an_exercise_that_cannot_work_is_refused(other, message):
    with pytest.raises(ValueError, match=message):
        exercise(**other)
    with pytest.raises(ValueError, match="list of dicts"):
        exercise(cases=lambda rng: [4]).check(right)


@pytest.mark.parametrize("got, want, equal", [
    (1, 1, True), (1.0, 1, True), (0.1 + 0.2, 0.3, True), (1_000_000_001, 1_000_000_000, False), (True, 1, True),
    ((1, 2), [1, 2], True), ([1, [2.0, 3]], [1, (2, 3)], True), ([1], [1, 2], False),
    ({"a": 0.3}, {"a": 0.1 + 0.2}, True),
    ({"a": 1}, {"b": 1}, False), ("1", 1, False), (None, 0, False), ("ab", ["a", "b"], False), ({1}, {1}, True)])
def test_same(got, want, equal):
    assert same(got, want) is equal


def test_given_an_answer_that_never_ends_then_nothing_is_collected_while_it_is_stopped():
    """In a callback of the garbage collector a TimeUp would end nothing. Afterwards it collects as before."""
    seen = []

    def endless():
        try:
            while True:
                pass
        except limits.TimeUp:
            seen.append(gc.isenabled())
            raise

    assert limits.limited(endless, 0.2)[0] == "stopped"
    assert seen[0] is False and gc.isenabled()
