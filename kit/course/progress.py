"""What a learner has done: one small file, written whole or not at all.

It is ``progress.json`` in the folder that holds notebooks/ and exercises/, looked for upwards from the working
directory, or else in the working directory. The environment variable KIT_PROGRESS names another file; "off" keeps
none. Whoever runs the notebooks in solutions/ earns nothing.

    {"learner": "Ada", "done": {"18-workers": 2}}

``save`` puts it into one file together with the exercises as they stand, for where a session's files don't last (Binder)
or to go on elsewhere; ``load`` takes that file back.
"""

import json
import math
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from kit.course.words import say
from kit.sim import Records

SAVED, FORMAT = "my-course.json", "cloud-learning-kit course 1"
WAIT = 3.0  # seconds for another notebook to finish its writing, which takes milliseconds

_name = None  # the learner of this kernel, once said
_told = set()


def learner(name: str | None = None) -> str:
    """The learner's name: of this kernel if it was said, else the one on file, else "".

    With a name: from now on this one, in this kernel and on file. An empty name changes nothing.
    """
    global _name
    if name is not None and not isinstance(name, str):
        raise ValueError(f'your name is a text in quotes, as in learner("Ada"), not {name!r}')
    if name and name.strip():
        _name = name.strip()
        _write(lambda state: state | {"learner": _name})
    return read()["learner"] if _name is None else _name


def done(exercise: str, points: float) -> None:
    """Note the points of a solved exercise; fewer than before change nothing."""
    if Path.cwd().name != "solutions":
        _write(lambda state: state | {"done": state["done"] | {exercise: max(points, state["done"].get(exercise, 0))}})


def read() -> dict:
    """{"learner": name, "done": {exercise id: points}}; empty if there is nothing, or nothing that can be read."""
    path = where()
    if not path:
        return _empty()
    try:
        return _parsed(path.read_bytes())
    except FileNotFoundError:
        return _empty()
    except ValueError:
        _write(lambda state: state)  # sets the damaged file aside and begins a new one
        return _empty()
    except OSError as error:
        _tell_once(f"Your progress in {path} cannot be read ({error.strerror}).")
        return _empty()


def save(path: str | os.PathLike = SAVED) -> Path:
    """Everything of yours in one file: name, points, and the notebooks of exercises/ as they were last saved.

    A relative path begins at the folder that holds exercises/.
    """
    path, folder = _home() / path, _home() / "exercises"
    notebooks = {one.name: one.read_text(encoding="utf-8") for one in sorted(folder.glob("*.ipynb"))}
    text = json.dumps({"format": FORMAT, **read(), "exercises": notebooks}, indent=1, ensure_ascii=False)
    _replace(path, text + "\n")
    say(f"Kept in {path.name}.", f"{len(read()['done'])} exercises done, {len(notebooks)} notebooks. Right-click "
        f"{path.name} in the file browser on the left and choose Download, if this machine forgets you.",
        f'To go on elsewhere, upload it there and run: from kit import course; course.load("{path.name}")')
    return path


def load(path: str | os.PathLike = SAVED) -> None:
    """Take back what ``save`` has kept. Points never get fewer; notebooks that differ are moved into a folder of their own.

    FileNotFoundError and ValueError in words; nothing is changed then.
    """
    path = _home() / path
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        mine, notebooks = _parsed(json.dumps(saved)), saved["exercises"]
        if saved["format"] != FORMAT or not all(Path(name).name == name and name.endswith(".ipynb") and
                                                json.loads(text)["nbformat"] for name, text in notebooks.items()):
            raise ValueError
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}: drag {path.name} from your computer into the file browser "
                                "on the left, into the folder that holds exercises/") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"{path} was not written by course.save(), or is cut off; nothing was changed") from None
    _write(lambda state: {"learner": mine["learner"] or state["learner"],
                          "done": mine["done"] | {one: max(points, mine["done"].get(one, 0))
                                                  for one, points in state["done"].items()}})
    aside = _exchange(_home() / "exercises", notebooks)
    say("Taken back.", f"{len(mine['done'])} exercises done, {len(notebooks)} notebooks. Open them again to see them.",
        f"Those that were here and differ are kept in the folder {aside.name}." if aside else "")


def table() -> Records:
    """Lesson by lesson: exercises done and all, points got and possible. Lessons without exercises are left out."""
    from kit.course.release import graded
    from kit.course.syllabus import lessons

    got, rows = read()["done"], Records("lesson", "exercises done", "of", "points", "of points")
    for lesson in lessons():
        points = graded(lesson.exercises) if lesson.exercises.exists() else {}
        mine = {exercise: min(got[exercise], points[exercise]) for exercise in points if exercise in got}
        if points:
            rows.append(f"{lesson.number:02} {lesson.title}", len(mine), len(points), sum(mine.values()),
                        sum(points.values()))
    return rows


def where(here: Path | None = None) -> Path | None:
    """The file for notebooks in a folder, whether it exists or not; None if none is kept."""
    asked = os.environ.get("KIT_PROGRESS")
    if asked:
        return None if asked == "off" else Path(asked).absolute()
    here = (here or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / "notebooks").is_dir() and (folder / "exercises").is_dir():
            return folder / "progress.json"
    return here / "progress.json"


def _home() -> Path:
    """The folder that holds exercises/, or else the working directory."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "exercises").is_dir()), here)


def _exchange(folder: Path, notebooks: dict[str, str]) -> Path | None:
    """Put notebooks into a folder; gives the new one beside it that has what differed, if anything did."""
    different = [name for name, text in notebooks.items()
                 if (folder / name).exists() and (folder / name).read_text(encoding="utf-8") != text]
    aside = _unused(folder.with_name("before-loading")) if different else None
    if aside:
        aside.mkdir()
        for name in different:
            (folder / name).rename(aside / name)
    folder.mkdir(exist_ok=True)
    for name, text in notebooks.items():
        _replace(folder / name, text)
    return aside


def _write(change) -> None:
    """Read the file again, change it, put it in place in one step; two notebooks take turns."""
    path = where()
    if not path:
        return
    try:
        with _turn(path.with_suffix(".lock")):
            try:
                state = _parsed(path.read_bytes())
            except FileNotFoundError:
                state = _empty()
            except ValueError:
                aside = _set_aside(path)
                say(f"Your progress file was damaged. It is kept as {aside.name}, and a new one begins.")
                state = _empty()
            _replace(path, json.dumps(change(state), indent=1) + "\n")
    except OSError as error:
        _tell_once(f"Your progress cannot be kept in {path} ({error.strerror or error}). "
                   "Everything else works; set KIT_PROGRESS to a file that can be written.")


def _parsed(data: bytes) -> dict:
    """The file's contents; ValueError if they are not what this module writes."""
    try:
        state = json.loads(data)
        done = state["done"]
        if isinstance(state["learner"], str) and isinstance(done, dict) and all(
                type(points) in (int, float) and math.isfinite(points) for points in done.values()):
            return {"learner": state["learner"], "done": done}
    except (KeyError, TypeError, OverflowError, RecursionError):
        pass
    raise ValueError("this is no progress file")


def _empty() -> dict:
    return {"learner": "", "done": {}}


def _set_aside(path: Path) -> Path:
    return path.rename(_unused(path.with_name(f"{path.stem}.damaged{path.suffix}")))


def _unused(path: Path) -> Path:
    """The path with the first number at its name that no file or folder has yet."""
    number = 1
    while (numbered := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
        number += 1
    return numbered


def _replace(path: Path, text: str) -> None:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


@contextmanager
def _turn(lock: Path):
    """Hold the lock file. One that stands unchanged all the while is a dead notebook's, and is taken over."""
    seen, patience = None, time.perf_counter() + WAIT
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            pass
        try:
            now = (lock.stat().st_mtime_ns, lock.stat().st_ino)
        except FileNotFoundError:
            continue
        if now != seen:
            seen, patience = now, time.perf_counter() + WAIT
        elif time.perf_counter() > patience:
            lock.unlink(missing_ok=True)
        time.sleep(0.005)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _tell_once(words: str) -> None:
    if words not in _told:
        _told.add(words)
        say(words)
