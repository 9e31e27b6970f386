"""predict(): commit to an answer before the model gives its own."""

from math import isfinite
from numbers import Real

from kit.explore.panel import Panel, in_words


def predict(question: str, choices, answer, why="", unit: str = "", within: float = 0.1) -> "Prediction":
    """Ask; the answer is computed from the model only once the learner has committed.

    choices: a list of texts, or for a number its range (low, high).
    answer: a function without arguments that asks the model; for a choice it returns one of the texts.
    why: a text, or for choices a dict {wrong choice: why it is wrong}, or a function of (said, answer).
    unit: of a number. within: how near counts as right, as a part of the answer.

        predict("How deep is the queue after a minute?", (0, 500), lambda: run.depth[-1], unit="messages")
    """
    return Prediction(question, choices, answer, why, unit, within)


class Prediction(Panel):
    """What predict() returns. ``said``: the learner's answer, None before; ``right``: whether it was."""

    def __init__(self, question, choices, answer, why, unit, within):
        if not callable(answer):
            raise ValueError("give the answer as a function that asks the model, so that it is computed "
                             "after the learner has committed: answer=lambda: ...")
        self.answer, self._why, self._unit, self.within = answer, why, unit, within
        self._number = isinstance(choices, tuple)
        if not self._number and (len(choices) < 2 or len(set(choices)) < len(choices)):
            raise ValueError(f"a prediction needs two or more choices that differ, not {choices}")
        if isinstance(why, dict) and set(why) - set(choices):
            raise ValueError(f"reasons for {sorted(set(why) - set(choices))}, which are no choices")
        self._choices = choices
        self.said = self.right = None
        spec = {"question": question, "unit": unit}
        spec |= {"low": choices[0], "high": choices[1]} if self._number else {"choices": list(choices)}
        super().__init__("prediction", text=f"Predict: {question}", spec=spec)
        self.observe(lambda change: self._asked(change["new"]), names="request")

    def commit(self, said) -> str:
        """Answer from code, as the page does; returns what the learner is told."""
        if self._number and not (_is_number(said) and self._choices[0] <= said <= self._choices[1]):
            low, high = self._choices
            raise ValueError(f"give a number{' of ' + self._unit if self._unit else ''} from {low:,} to {high:,}, not {said!r}")
        if not self._number and said not in self._choices:
            raise ValueError(f"{said!r} is none of the choices: {', '.join(self._choices)}")
        answer = self.answer()
        if self._number and not _is_number(answer):
            raise ValueError(f"the model answers {answer!r}, which is no number to compare yours with")
        if not self._number and answer not in self._choices:
            raise ValueError(f"the model answers {answer!r}, which is none of the choices")
        self.said = said
        self.right = abs(said - answer) <= self.within * abs(answer) if self._number else said == answer
        told = self._told(said, answer)
        self.reply = {"right": self.right, "told": told}
        self.text = told
        return told

    def _asked(self, request):
        try:
            self.commit(request.get("said"))
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # shown in words; the learner can commit again
            self.reply = {"right": None, "told": f"That did not work: {in_words(error)}", "serial": request.get("serial")}

    def _told(self, said, answer) -> str:
        why = self._why
        why = why(said, answer) if callable(why) else why.get(said, "") if isinstance(why, dict) else why
        if self._number:
            verdict = "Right" if self.right else "Not quite"
            told = f"{verdict}: you said {short(said)}, the model says {short(answer)} {self._unit}".rstrip() + "."
        else:
            told = f"Right: {answer}." if self.right else f"Not so: the model says “{answer}”."
        return f"{told} {why}".rstrip()


def _is_number(value) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)


def short(number: float) -> str:
    """A whole number whole, any other with three significant digits: 1,753 and 12.3."""
    return f"{number:,.0f}" if number == round(number) else f"{float(f'{number:.3g}'):,.12g}"
