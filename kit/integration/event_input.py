"""What a target gets of an event: all of it, a part of it (InputPath), or a text with parts of it (InputTransformer).

    select(event, "$.detail.items[0].name")                       # [...]: what the path finds
    transform('{"who": <name>}', {"name": "$.detail.customer"}, event)   # '{"who": "Ada"}'

A path has dots, array indices and wildcards. In a template that is JSON, a text that stands by itself gets its quotes;
inside a text the bare value is put in, of objects and lists without their quotes. A variable whose path finds nothing
is left out.

**Simplified** A variable that finds nothing and stands where JSON needs a value becomes an empty text, an InputPath that
finds nothing becomes null: AWS's pages do not say. Values are put in as they are, as on AWS: one with quotes can make the
result no JSON.

Amazon EventBridge User Guide, "Amazon EventBridge input transformation", with its "Predefined variables" and "Common
issues with transforming input"; API Reference: "InputTransformer". Read 2026-11-28.
"""

import json
import re

from kit.errors import ServiceError

MOST_VARIABLES = 100  # "InputTransformer"
STEP = r"\.(?P<name>[\w/-]+|\*)|\[(?P<index>\d+|\*)\]|\['(?P<quoted>[^']+)'\]"


def chosen(target: dict, event: dict, predefined: dict | None = None):
    """What the target gets, by its Input, InputPath or InputTransformer: a text, or the event or a part of it.

    predefined: variables that need no path, such as aws.events.rule-name. ServiceError InvalidParameter for a path that
    is none, InvalidJson if a template that looks like JSON doesn't become any.
    """
    if target.get("Input") is not None:
        return target["Input"]
    if target.get("InputPath") is not None:
        found = select(event, target["InputPath"])
        return found[0] if len(found) == 1 else found or None
    if target.get("InputTransformer") is not None:
        transformer = target["InputTransformer"]
        return transform(transformer["InputTemplate"], transformer.get("InputPathsMap", {}), event, predefined)
    return event


def select(event, path: str) -> list:
    """All that a path finds, in the event's order."""
    steps = list(re.finditer(STEP, path.removeprefix("$")))
    if not path.startswith("$") or "".join(step.group() for step in steps) != path.removeprefix("$"):
        raise ServiceError("InvalidParameter", f"{path!r} is no path that EventBridge knows: $.detail.items[0].name, say.")
    found = [event]
    for step in steps:
        name = step["name"] or step["quoted"] or step["index"]
        found = [inner for one in found for inner in _inner(one, name, step["index"] is not None)]
    return found


def transform(template: str, paths: dict, event: dict, predefined: dict | None = None) -> str:
    """The template with its variables filled in."""
    whole = json.dumps(event, separators=(",", ":"))
    without = json.dumps({name: value for name, value in event.items() if name != "detail"}, separators=(",", ":"))
    values = {name: select(event, path) for name, path in paths.items()}
    values = {name: found[0] if len(found) == 1 else found for name, found in values.items() if found}
    raw = {"aws.events.event.json": whole, "aws.events.event": without}
    values |= predefined or {}

    def filled(match):
        name = match[1]
        inside = len(re.findall(r'(?<!\\)"', template[:match.start()])) % 2 == 1
        if name in raw:
            return raw[name]
        if name not in values:
            return "" if inside or not as_json else '""'
        value = values[name]
        if isinstance(value, str):
            return json.dumps(value) if as_json and not inside else value
        text = json.dumps(value, separators=(",", ":"))
        return text.replace('"', "") if inside else text

    as_json = template.lstrip()[:1] in ("{", "[")
    text = re.sub(r"<([\w.-]+)>", filled, template)
    if as_json:
        try:
            json.loads(text)
        except ValueError:
            raise ServiceError("InvalidJson", f"The template became no JSON: {text[:200]}") from None
    return text


def _inner(value, name, listed):
    if name == "*":
        return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if listed:
        return value[int(name):int(name) + 1] if isinstance(value, list) else []
    return [value[name]] if isinstance(value, dict) and name in value else []
