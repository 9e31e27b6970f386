"""Runs in a lesson's kernel: asks its panels what they would answer to a page without a kernel.

A page speaks to a panel through the traits ``request`` and ``reply`` (kit/explore/panel.js), so the recorder does, too.
An explorer is asked for a few of its controls together, the others standing where they began: at most 360 pictures, where
four controls of 21 positions have 194,481 combinations.

**Not recorded** Other combinations, of which the page says so, and positions of a slider between those that are kept.
"""

import json
import sys
from math import ceil
from pathlib import Path

from ipywidgets import DOMWidget
from ipywidgets.widgets.widget import _instances

POSITIONS = 21  # of one slider, at most
ANSWERS = 360  # of one explorer, at most: some two seconds each hundred


def record(models: list[str], path: str) -> None:
    """Write what is known of the widgets with these ids into a JSON file: {id: panel}.

    A panel: widget (its class, as "module:Name"), text (its twin), state (its traits), recorded (its answers, by kind:
    see the functions below).
    """
    Path(path).write_text(json.dumps({model: _panel(_instances[model]) for model in models}), encoding="utf-8")


def imported(folder: str, path: str) -> None:
    """Write the names of all modules' files within a folder, from there, into a JSON file."""
    files = [Path(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
    names = sorted(file.relative_to(folder).as_posix() for file in files if file.is_relative_to(folder))
    Path(path).write_text(json.dumps(names), encoding="utf-8")


def _panel(widget) -> dict:
    own = sorted(set(widget.trait_names(sync=True)) - set(DOMWidget.class_trait_names()) - {"_esm", "_css", "_anywidget_id"})
    kind = type(widget)
    panel = {"widget": f"{kind.__module__}:{kind.__qualname__}", "text": repr(widget),
             "state": {name: getattr(widget, name) for name in own}, "recorded": None}
    recorder = {"explorer": explorer, "prediction": prediction}.get(panel["state"].get("kind"))
    if recorder:
        panel["recorded"] = recorder(widget, panel["state"])
    elif "chosen" in own:
        panel["recorded"] = console(widget)
    return panel


def explorer(widget, state: dict) -> list[dict]:
    """Tables of answers: [{"controls": names, "answers": by the position of the first, then of the second, ...}, ...].

    In a table its controls move and all others stand where they began. ``state`` is given the controls with just the
    positions that are recorded.
    """
    began = state["reply"]["values"]
    controls = [_positioned(control) for control in state["spec"]["controls"]]
    state["spec"] = {"controls": controls}
    tables = [_table(widget, began, together) for together in _together(controls)]
    _asked(widget, began)  # as the lesson left it
    return tables


def _together(controls: list[dict]) -> list[list[dict]]:
    """Which controls to move together. The first with as many others as there is room for, those of few positions first;
    then the first of those left, in the same way. Each has room at least to move alone."""
    count = {control["name"]: len(values(control)) for control in controls}
    sets, left, room = [], controls, ANSWERS
    while left:
        first, *left = left
        together, answers = [first], count[first["name"]]
        most = room - sum(count[control["name"]] for control in left)
        for other in sorted((one for one in controls if one is not first), key=lambda one: count[one["name"]]):
            if answers * count[other["name"]] <= most:
                together.append(other)
                answers *= count[other["name"]]
        sets.append(together)
        room -= answers
        left = [control for control in left if control not in together]
    return sets


def _table(widget, began: dict, controls: list[dict]) -> dict:
    def answers(left, settings):
        if not left:
            return _asked(widget, began | settings)
        return [answers(left[1:], settings | {left[0]["name"]: value}) for value in values(left[0])]

    return {"controls": [control["name"] for control in controls], "answers": answers(controls, {})}


def _asked(widget, settings: dict) -> dict:
    widget.request = {"serial": widget.request.get("serial", 0) + 1, "values": settings}
    return {name: value for name, value in widget.reply.items() if name not in ("serial", "values")}


def _positioned(control: dict) -> dict:
    """A slider with fewer positions, one of them where it begins; any other control as it is.

    Its ends may move inwards by less than a step, for where a browser's slider can stand counts from its low end.
    """
    if control["type"] != "range":
        return control
    low, high, step, value = (control[name] for name in ("low", "high", "step", "value"))
    wide = step * ceil((high - low) / step / (POSITIONS - 1) - 1e-9)
    below, above = int((value - low) / wide + 1e-9), int((high - value) / wide + 1e-9)
    return control | {"low": round(value - below * wide, 10), "high": round(value + above * wide, 10), "step": wide}


def values(control: dict) -> list:
    """What a control can be set to, as the page sends it."""
    if control["type"] == "choice":
        return list(range(len(control["options"])))
    if control["type"] == "tick":
        return [False, True]
    low, high, step = control["low"], control["high"], control["step"]
    return [round(low + number * step, 10) for number in range(round((high - low) / step) + 1)]


def prediction(widget, state: dict) -> dict:
    """For choices {choice: reply}. For a number {"answer", "within", "right", "wrong"}: the words for both cases,
    with ``{said}`` where the reader's number belongs.

    The model is asked once: its answer may change what the lesson goes on with, and a learner asks once, too.
    """
    answer = widget.answer()
    widget.answer = lambda: answer
    spec = state["spec"]
    if "choices" in spec:
        recorded = {}
        for choice in spec["choices"]:
            widget.commit(choice)
            recorded[choice] = widget.reply
    else:
        low, high = spec["low"], spec["high"]
        far = max((low, high), key=lambda bound: abs(bound - answer))
        recorded = {"low": low, "high": high, "answer": answer, "within": widget.within,
                    "right": _words(widget, min(max(answer, low), high)), "wrong": _words(widget, far)}
    widget.said = widget.right = None
    widget.reply, widget.text = state["reply"], f"Predict: {spec['question']}"
    return recorded


def _words(widget, said: float) -> str:
    from kit.explore.prediction import short
    return widget.commit(said).replace(f"you said {short(said)},", "you said {said},", 1)


def console(widget) -> dict:
    """{service: {region: page}}, for all that can be chosen."""
    began, page = widget.chosen, widget.page
    recorded = {}
    for service, _ in page["services"]:
        for region, _ in page["regions"]:
            widget.chosen = {"service": service, "region": region}
            recorded.setdefault(service, {})[region] = widget.page
    widget.chosen = began
    return recorded
