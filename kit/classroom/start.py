"""What a learner's server does first, in its box or its container: lay out the home, then become the server.

    python -I -m kit.classroom.start jupyterhub-singleuser --ip=0.0.0.0

The home outlives the server. What it lacks of the lessons, the exercises and the kit is brought; what is there as it was
brought is renewed when the image has a newer one; what the learner changed stays as it is. This runs as the learner, so
that nothing is written where they could not write.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

LAID_OUT = "notebooks", "exercises", "kit"
NOTE = ".laid_out.json"  # {file: SHA-256 of what was brought}, in the home


def lay_out(project: Path, home: Path) -> list[str]:
    """Bring and renew the project's files in a home; the names of those that were written. OSError if it is full."""
    note = home / NOTE
    brought = json.loads(note.read_text()) if note.exists() else {}
    written = []
    for path in sorted(path for folder in LAID_OUT for path in (project / folder).rglob("*") if path.is_file()):
        if "__pycache__" in path.parts:
            continue
        name, data = path.relative_to(project).as_posix(), path.read_bytes()
        there = home / name
        had, has = digest(there.read_bytes()) if there.exists() else None, digest(data)
        if had in (None, brought.get(name)) and had != has:
            write(there, data)
            written.append(name)
            had = has
        if had == has:
            brought[name] = has
    write(note, json.dumps(brought, indent=0).encode())
    return written


def write(path: Path, data: bytes) -> None:
    """All of a file or nothing: half a lesson would be taken for the learner's own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_bytes(data)
    os.replace(new, path)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    try:
        lay_out(Path(__file__).resolve().parents[2], Path.home())
    except (OSError, ValueError) as error:  # a full disk, a broken note: its learner can put it right from the inside
        print(f"The lessons could not all be laid out: {error}", file=sys.stderr)
    os.execvp(sys.argv[1], sys.argv[1:])
