"""A lesson's panels as files for the page: what they show and would answer, and the JavaScript and CSS that draw them.

The widgets' own modules are taken as they are, but made into plain scripts: a browser that reads a page from a disk
loads no modules.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from importlib import import_module

SMALL = 60  # characters of JSON that are not worth a part of their own
EXPORT = re.compile(r"^export default (\{[^{}]*\};?)\s*$", re.M)


@dataclass(frozen=True)
class Files:
    """data: the text of the lesson's script; shared: {name: text} of the scripts and styles that lessons share."""

    data: str
    shared: dict[str, str]


def files(panels: dict[str, dict]) -> Files:
    """The files for the panels of one lesson, as ``kit.site.record`` recorded them."""
    shared, told, parts = {}, {}, Parts()
    for number, panel in panels.items():
        module, _, kind = panel["widget"].partition(":")
        widget = getattr(import_module(module), kind)
        name = f"widget-{hashlib.sha256(widget._esm.encode()).hexdigest()[:8]}"
        shared[f"{name}.js"], shared[f"{name}.css"] = as_script(name, widget._esm), widget._css
        told[number] = {"widget": name, "state": _figures(panel["state"], parts),
                        "recorded": _figures(panel["recorded"], parts)}
    data = json.dumps(parts.told(told), ensure_ascii=False, separators=(",", ":"))
    return Files(f"globalThis.kitLesson = {data};\n", shared)


def as_script(name: str, module: str) -> str:
    """A widget's module as a plain script. ValueError if it imports, or exports more than its default."""
    changed, count = EXPORT.subn(r"return \1", module)
    if count != 1 or re.search(r"^\s*(import|export)\b", changed, re.M):
        raise ValueError("a widget's module must import nothing and end in one `export default {...};`, "
                         "so that the site can make a plain script of it")
    return f'(globalThis.kitWidgets ??= {{}})["{name}"] = (() => {{\n{changed}\n}})();\n'


def _figures(thing, parts: "Parts"):
    """The same with each figure, which is JSON in a string, made of ``parts``."""
    if isinstance(thing, dict):
        return {name: parts.put(_rounded(json.loads(value))) if name == "figure" and isinstance(value, str)
                else _figures(value, parts) for name, value in thing.items()}
    return [_figures(one, parts) for one in thing] if isinstance(thing, list) else thing


def _rounded(thing):
    """Numbers of six digits: nobody sees more in a picture."""
    if isinstance(thing, float):
        return float(f"{thing:.6g}")
    if isinstance(thing, dict):
        return {name: _rounded(value) for name, value in thing.items()}
    return [_rounded(one) for one in thing] if isinstance(thing, list) else thing


class Parts:
    """Keeps what many figures have in common once: {"$": 7} in a figure stands for the seventh part."""

    def __init__(self):
        self._numbers, self._parts, self._uses = {}, [], []

    def put(self, thing):
        """A figure, or a part of one, as a reference to a part (if it is small, as it is)."""
        if isinstance(thing, dict):
            thing = {name: self.put(value) for name, value in thing.items()}
        elif isinstance(thing, list):
            thing = [self.put(one) for one in thing]
        else:
            return thing
        text = json.dumps(thing, sort_keys=True)
        if len(text) < SMALL:
            return thing
        if text not in self._numbers:
            self._numbers[text] = len(self._parts)
            self._parts.append(thing)
            self._uses.append(0)
            for number in self._within(thing):
                self._uses[number] += 1
        return {"$": self._numbers[text]}

    def told(self, panels: dict) -> dict:
        """{"parts", "panels"}: those parts alone that are used more than once, the others where they are used."""
        for number in self._within(panels):
            self._uses[number] += 1
        new = {number: place for place, number in enumerate(n for n, uses in enumerate(self._uses) if uses > 1)}

        def settle(thing):
            if isinstance(thing, dict):
                if "$" not in thing:
                    return {name: settle(value) for name, value in thing.items()}
                return {"$": new[thing["$"]]} if thing["$"] in new else settle(self._parts[thing["$"]])
            return [settle(one) for one in thing] if isinstance(thing, list) else thing

        return {"parts": [settle(self._parts[number]) for number in new], "panels": settle(panels)}

    def _within(self, thing):
        """The numbers of the parts that a thing refers to."""
        if isinstance(thing, dict):
            if "$" in thing:
                yield thing["$"]
            else:
                for value in thing.values():
                    yield from self._within(value)
        elif isinstance(thing, list):
            for one in thing:
                yield from self._within(one)
