"""What runs in a learner's room: the cells of the notebook, and the learner's functions when they are asked.

It takes requests and gives replies, one line each, over a pair of pipes:

    {"n": 1, "run": source}                                -> {"n": 1, "trouble": words or ""}
    {"n": 2, "check": source}                              -> {"n": 2, "trouble": …, "answer": value, "blank": bool}
    {"n": 3, "call": number, "arguments": …, "named": …}   -> {"n": 3, "value": …} or {"n": 3, "raised": …}

Nothing in here is trusted by the other side: a learner's code shares the process and can say whatever it likes through
the same pipe. What it can say is a value; whether that is right is decided where it cannot reach.
"""

import io
import os
import sys

from kit.classroom.values import decode, encode, packed, unpacked
from kit.course import exercise
from kit.errors import ServiceError

cases = {}  # (name of the module, name of the exercise): the learner's own case
_handed = []  # what a check cell handed in


class StandIn:
    """In the place of an exercise: takes the answer, and knows the learner's own case, but not what is right."""

    def __init__(self, module: str, name: str):
        self._key = (module, name)

    def __repr__(self) -> str:
        return f"<Exercise {self._key[1]}>"

    def check(self, answer) -> None:
        """Hand the answer in. Nothing is said: the check itself is made elsewhere."""
        _handed[:] = [answer]

    def case(self) -> dict:
        """The learner's own case, for "your numbers"."""
        return decode(cases[self._key])


def main() -> None:
    """Serve until the pipe is closed."""
    requests, replies = os.fdopen(int(sys.argv[1]), "rb"), os.fdopen(int(sys.argv[2]), "wb", buffering=0)
    sys.stdout = sys.stderr = _Nowhere()
    shell, functions = _shell(), []
    for line in requests:
        request = unpacked(line)
        reply = {"n": request["n"]}
        if "cases" in request:
            cases.update({(module, name): case for module, name, case in request["cases"]})
        elif "run" in request:
            reply["trouble"] = _run(shell, request["run"])
        elif "check" in request:
            _handed.clear()
            reply["trouble"] = _run(shell, request["check"])
            if _handed:
                functions = []
                reply |= {"answer": _value(_handed[0], functions), "blank": exercise.is_blank(_handed[0])}
        else:
            reply |= _call(functions[request["call"]], decode(request["arguments"]), decode(request["named"]))
        try:
            replies.write(packed(reply))
        except ValueError:
            replies.write(packed({"n": request["n"], "trouble": "gave an answer that is too big",
                                  "value": {"thing": "value that is too big"}}))


class _Nowhere(io.TextIOBase):
    """What a learner prints is read by nobody."""

    def write(self, text: str) -> int:
        return len(text)

    def __setattr__(self, name: str, value) -> None:
        """IPython would put a write() of its own here, which keeps all that is written."""


def _shell():
    """IPython, so that what works in a notebook works here: %time, display(), await."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.showtraceback = shell.showsyntaxerror = lambda *_, **__: None  # nobody reads them
    return shell


def _run(shell, source: str) -> str:
    try:
        result = shell.run_cell(source, store_history=False)
        error = result.error_before_exec or result.error_in_exec
    except BaseException as raised:  # what a learner's code does to IPython itself
        error = raised
    return f"failed with {exercise.complaint(error)}" if error else ""


def _call(function, arguments, named) -> dict:
    try:
        value = function(*arguments, **named)
    except BaseException as error:  # a learner's code may raise anything
        if type(error) is ServiceError:
            return {"raised": {"code": str(error.code), "message": str(error.message)}}
        return {"raised": {"type": type(error).__name__, "told": exercise.complaint(error)}}
    return {"value": _value(value)}


def _value(value, functions: list | None = None):
    try:
        return encode(value, functions)
    except BaseException:  # an object of a learner's that breaks what looks at it
        return {"thing": "value that cannot be read"}
