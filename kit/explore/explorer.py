"""explore(): controls that move a picture of a model."""

import inspect
from math import floor, isfinite, log10
from time import perf_counter

from kit.errors import ServiceError
from kit.explore.panel import Panel, figure_reply, in_words


def explore(simulate, view, *, labels=None, **controls) -> "Explorer":
    """Controls for the arguments of ``simulate``, and the figure that ``view`` makes of what it returns.

    controls, by the name of the argument:
        (low, high), (low, high, step)      a slider; (low, high, step, start) says where it starts
        [one, another, ...]                 a choice; {"label": value, ...} shows other words than the values
        True or False                       a tick box
        any other value                     a fixed argument, without a control
    A control starts at the default of ``simulate``'s argument where it has one in range.
    labels: words (with units) to show instead of an argument's name.

        explore(messaging.simulate, views.backlog, rate=(1, 20), consumers=(1, 8), seed=(1, 99))
    """
    return Explorer(simulate, view, controls, labels or {})


class Explorer(Panel):
    """What explore() returns. ``values``: the present settings; ``timings``: seconds of the last answer."""

    def __init__(self, simulate, view, controls: dict, labels: dict):
        self._simulate, self._view = simulate, view
        parameters = inspect.signature(simulate).parameters
        free = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        unknown = [name for name in controls if name not in parameters] if not free else []
        if unknown:
            raise ValueError(f"{_name(simulate)} takes no {', '.join(unknown)}; it takes {', '.join(parameters)}")
        stray = [name for name in labels if name not in controls]
        if stray:
            raise ValueError(f"labels for {', '.join(stray)}, which no control has")
        order = [name for name in parameters if name in controls] + [n for n in controls if n not in parameters]
        self._controls, self._fixed = {}, {}
        for name in order:
            default = parameters[name].default if name in parameters else None
            control = _control(name, controls[name], default, labels.get(name, name.replace("_", " ")))
            if control:
                self._controls[name] = control
            else:
                self._fixed[name] = controls[name]
        if not self._controls:
            raise ValueError("nothing to explore: give at least one argument a range, choices or True/False")
        self._order = order
        self.values = {name: control["value"] for name, control in self._controls.items()}
        self.timings = {}
        self.error = None
        answer = self._answer(self.values)  # a model that fails at its first settings fails the cell, in the open
        page = self._on_page()
        shown = [{k: v for k, v in c.items() if k != "choices"} | {"name": n, "value": page[n]}
                 for n, c in self._controls.items()]
        super().__init__("explorer", text=answer["says"], spec={"controls": shown},
                         reply=answer | {"serial": None, "values": page})
        self.observe(self._asked, names="request")

    def set(self, **values) -> "Explorer":
        """Move controls from code, as the page does; an error of the model is raised."""
        unknown = [name for name in values if name not in self._controls]
        if unknown:
            raise ValueError(f"no control {', '.join(unknown)}; there are {', '.join(self._controls)}")
        self._move(values, serial=None)
        if self.error:
            raise self.error
        return self

    @property
    def code(self) -> str:
        """The line that repeats the present run."""
        arguments = self._fixed | self.values
        return f"{_name(self._simulate)}({', '.join(f'{n}={arguments[n]!r}' for n in self._order)})"

    def _asked(self, change):
        """Whatever the page sends is answered, with its serial: a page without an answer waits in vain."""
        asked = change["new"]
        serial = asked.get("serial")
        try:
            if not isinstance(asked.get("values", {}), dict):
                raise ValueError(f"the page sent {asked['values']!r}, which are no settings")
            values = {name: _from_page(self._controls[name], value)
                      for name, value in asked.get("values", {}).items() if name in self._controls}
        except ValueError as error:
            self._refuse(error, serial)
        else:
            self._move(values, serial)

    def _move(self, values: dict, serial):
        self.values = self.values | {name: _typed(self._controls[name], value) for name, value in values.items()}
        try:
            answer = self._answer(self.values)
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # a model may exit, a learner may interrupt it
            self._refuse(error, serial)
        else:
            self.error, self.text = None, answer["says"]
            self.reply = answer | {"serial": serial, "values": self._on_page()}

    def _refuse(self, error: BaseException, serial):
        """In words; the picture stays, and the next move tries again."""
        self.error = error
        self.reply = {"error": _words(error), "code": self.code, "serial": serial, "values": self._on_page()}

    def _on_page(self) -> dict:
        """The settings as the page knows them: a choice by its number."""
        return {name: list(control["choices"].values()).index(self.values[name]) if "choices" in control
                else self.values[name] for name, control in self._controls.items()}

    def _answer(self, values: dict) -> dict:
        began = perf_counter()
        run = self._simulate(**self._fixed, **values)
        ran = perf_counter()
        reply = figure_reply(self._view(run))
        seen = perf_counter()
        self.timings = {"model": ran - began, "view": seen - ran, "total": seen - began}
        return reply | {"code": self.code}


def _control(name: str, given, default, label: str) -> dict | None:
    """The description of one control, or None for a fixed argument."""
    if isinstance(given, bool):
        return {"type": "tick", "label": label, "value": default if isinstance(default, bool) else given}
    if isinstance(given, tuple) and 2 <= len(given) <= 4 and all(_is_number(n) for n in given):
        low, high = given[:2]
        if not low < high:
            raise ValueError(f"{name}: a range goes from low to high, not from {low} to {high}")
        whole = all(isinstance(n, int) for n in given)
        step = given[2] if len(given) > 2 else 1 if whole else _round_step(high - low)
        if step <= 0:
            raise ValueError(f"{name}: a step of {step}; give one above 0")
        if len(given) == 4 and not low <= given[3] <= high:
            raise ValueError(f"{name}: a start at {given[3]} lies outside {low} to {high}")
        default = given[3] if len(given) == 4 else default
        inside = _is_number(default) and low <= default <= high
        value = default if inside else low + round((high - low) / 2 / step) * step
        return {"type": "range", "label": label, "low": low, "high": high, "step": step, "whole": whole,
                "value": round(value) if whole else round(float(value), 10)}
    if isinstance(given, (list, tuple, dict)):
        choices = given if isinstance(given, dict) else {str(value): value for value in given}
        if not choices:
            raise ValueError(f"{name}: a choice among nothing; list at least one")
        values = list(choices.values())
        return {"type": "choice", "label": label, "choices": choices, "options": list(choices),
                "value": default if default in values else values[0]}
    return None


def _round_step(span: float) -> float:
    """About a hundredth of the span: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** floor(log10(span / 100) + 0.1)
    return next(times * power for times in (1, 2, 5, 10) if times * power >= span / 100 * 0.9)


def _from_page(control: dict, value):
    """A choice comes as its number, a tick as true or false."""
    if control["type"] == "choice":
        choices = list(control["choices"].values())
        if type(value) is not int or not 0 <= value < len(choices):
            raise ValueError(f"{control['label']}: the page sent {value!r}, which is none of its {len(choices)} choices")
        return choices[value]
    if control["type"] == "tick" and not isinstance(value, bool):
        raise ValueError(f"{control['label']}: the page sent {value!r}, which is neither true nor false")
    return _typed(control, value)


def _typed(control: dict, value):
    if control["type"] == "range":
        if not _is_number(value) or not isfinite(value):
            raise ValueError(f"{control['label']}: give a number from {control['low']} to {control['high']}, not {value!r}")
        value = min(max(value, control["low"]), control["high"])
        return round(value) if control["whole"] else round(float(value), 10)
    if control["type"] == "tick":
        return bool(value)
    if value not in control["choices"].values():
        raise ValueError(f"{control['label']}: {value!r} is no choice; there are {', '.join(control['options'])}")
    return value


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _name(function) -> str:
    module = getattr(function, "__module__", "__main__")
    name = getattr(function, "__qualname__", repr(function))
    return name if module == "__main__" else f"{module.rpartition('.')[2]}.{name}"


def _words(error: BaseException) -> str:
    if isinstance(error, ServiceError):
        return f"AWS would refuse this. {in_words(error)}"
    if isinstance(error, ValueError):
        return f"These settings don't go together: {in_words(error)}"
    if isinstance(error, KeyboardInterrupt):
        return "The model was interrupted. Move a control to try again."
    name = type(error).__name__
    told = name if in_words(error) == name else f"{name}: {in_words(error)}"
    return f"The model failed: {told}. Move a control to try other settings."
