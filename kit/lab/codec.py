"""Calls as JSON text and back: what a call was given and what it answered, bytes, dates and streams included."""

import base64
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO


def settled(value):
    """A copy of a call's parameters that nothing changes any more: files and streams are read to their end."""
    if isinstance(value, dict):
        return {name: settled(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [settled(part) for part in value]
    if isinstance(value, bytearray):
        return bytes(value)
    if hasattr(value, "read"):
        data = value.read()
        return data.encode() if isinstance(data, str) else data
    return value


def encode(value):
    """Something that ``json.dumps`` takes; ``decode`` makes it what it was."""
    if isinstance(value, dict):
        return {"$dict": [[encode(k), encode(v)] for k, v in value.items()]} if _confusing(value) else {
            name: encode(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(part) for part in value]
    if isinstance(value, (set, frozenset)):
        return {"$set": [encode(part) for part in sorted(value, key=repr)]}
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return {"$time": (value if value.tzinfo else value.astimezone(UTC)).isoformat()}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if hasattr(value, "read"):
        return {"$stream": base64.b64encode(value.read()).decode()}
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def decode(value):
    if isinstance(value, list):
        return [decode(part) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (kind, inner), = value.items()
        if kind in _DECODERS:
            return _DECODERS[kind](inner)
    return {name: decode(part) for name, part in value.items()}


def _stream(text):
    from botocore.response import StreamingBody
    data = base64.b64decode(text)
    return StreamingBody(BytesIO(data), len(data))


def _confusing(value):
    return any(not isinstance(name, str) for name in value) or len(value) == 1 and next(iter(value)) in _DECODERS


_DECODERS = {
    "$bytes": base64.b64decode, "$time": datetime.fromisoformat, "$decimal": Decimal, "$stream": _stream,
    "$set": lambda parts: {decode(part) for part in parts},
    "$dict": lambda pairs: {decode(name): decode(part) for name, part in pairs}}
