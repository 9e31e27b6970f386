"""What learners have handed in: which file is whose, and for which lesson.

Four orders of a folder are understood, the first three also mixed:

    FOLDER/Ada/18_messaging.ipynb
    FOLDER/Ada/any/18_messaging.ipynb       nbgrader's, where FOLDER may also be the folder above its submitted/
    FOLDER/Ada_18_messaging.ipynb
    FOLDER/learners/ada/exercises/18_messaging.ipynb     a classroom's; what is as it was laid out is nobody's work

A file must have the name of a lesson. Whatever isn't understood is named too, with the reason. No link is followed.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from kit.course import syllabus

BIGGEST = 20 << 20  # bytes of a notebook
MOST = 100  # files of one learner
PASSED_OVER = {"timestamp.txt", "progress.json", "__MACOSX", "Thumbs.db", "desktop.ini"}  # and what begins with a dot


@dataclass(frozen=True)
class Submission:
    """A file that was handed in. lesson: its name, "" if that is unknown; trouble: why it cannot be graded, or "".

    path: absolute, and no part of it is a link.
    """

    learner: str
    lesson: str
    path: Path
    trouble: str = ""

    def read(self) -> bytes:
        """The file's bytes. OSError if it is no ordinary file (any more), or too big."""
        number = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as file:
            if words := _not_a_file(os.fstat(number)):
                raise OSError(words)
            if os.readlink(f"/proc/self/fd/{number}") != os.fspath(self.path):  # a learner may still be at work there
                raise OSError("a folder on the way to it has become a link")
            data = file.read(BIGGEST + 1)
        if len(data) > BIGGEST:
            raise OSError("it has become too big")
        return data


def submissions(folder: Path) -> list[Submission]:
    """All that was handed in, ordered by learner and lesson. ValueError if there is nothing."""
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    if (folder / "submitted").is_dir() and not (folder / "submitted").is_symlink():
        folder = folder / "submitted"
    classroom = (folder / "classroom.json").is_file()
    folder = folder / "learners" if classroom else folder
    found = []
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            try:
                found += _at_the_hub(entry) if classroom else _of_learner(entry.name, entry.path)
            except OSError as error:
                words = f"it cannot be read: {error.strerror or error}"
                found.append(Submission(entry.name, "", Path(entry.path), words))
        else:
            found.append(_flat(entry))
    if not found:
        raise ValueError(f"nothing was handed in in {folder}; it holds a folder for each learner, with notebooks in it")
    seen, ordered = {}, []
    for one in sorted(found, key=lambda one: (one.learner, one.lesson, os.fsencode(one.path))):
        first = seen.setdefault((one.learner, one.lesson), one) if one.lesson and not one.trouble else one
        ordered.append(one if first is one else Submission(
            one.learner, "", one.path, f"the lesson was handed in twice; {first.path.relative_to(folder)} is graded"))
    return ordered


def _at_the_hub(home: os.DirEntry) -> list[Submission]:
    folders = [entry for entry in _entries(home.path)
               if entry.name == "exercises" and entry.is_dir(follow_symlinks=False)]
    found = [one for entry in folders for one in _of_learner(home.name, entry.path)
             if one.trouble or not _untouched(one)]
    return found or [Submission(home.name, "", Path(home.path), "nothing was handed in")]


def _untouched(submission: Submission) -> bool:
    return submission.read() == syllabus.lesson(submission.lesson).exercises.read_bytes()


def _of_learner(learner: str, folder) -> list[Submission]:
    found = []
    for entry in _entries(folder):
        inner = _entries(entry.path) if entry.is_dir(follow_symlinks=False) else [entry]
        for file in inner:
            name, lesson = file.name.removesuffix(".ipynb"), ""
            if file.is_dir(follow_symlinks=False):
                trouble = "it is a folder too deep"
            elif name == file.name:
                trouble = (_not_a_file(file.stat(follow_symlinks=False))
                           or "it is no notebook: its name doesn't end in .ipynb")
            elif name not in _lessons():
                trouble = "no lesson with exercises has this name"
            else:
                lesson, trouble = name, _not_a_file(file.stat(follow_symlinks=False))
            found.append(Submission(learner, lesson, Path(file.path), trouble))
    if len(found) > MOST:
        return [Submission(learner, "", Path(folder),
                           f"{len(found)} files were handed in; more than {MOST} are not looked at")]
    return found or [Submission(learner, "", Path(folder), "nothing was handed in")]


def _flat(file: os.DirEntry) -> Submission:
    """<learner>_<lesson>.ipynb, or something that isn't understood."""
    for lesson in _lessons():
        learner = file.name.removesuffix(f"_{lesson}.ipynb")
        if learner not in (file.name, ""):
            return Submission(learner, lesson, Path(file.path), _not_a_file(file.stat(follow_symlinks=False)))
    return Submission("", "", Path(file.path),
                      "it belongs to nobody: it isn't in a learner's folder, and its name isn't LEARNER_LESSON.ipynb")


def _entries(folder) -> list[os.DirEntry]:
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if entry.name not in PASSED_OVER and not entry.name.startswith(".")),
                      key=lambda entry: os.fsencode(entry.name))


def _not_a_file(status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return "it is a link, which is not followed"
    if not stat.S_ISREG(status.st_mode):
        return "it is no file"
    if status.st_size > BIGGEST:
        return f"it has {status.st_size / 1e6:.0f} MB, more than {BIGGEST / 1e6:.0f} are not read"
    return ""


def _lessons() -> list[str]:
    return [lesson.name for lesson in syllabus.lessons() if lesson.exercises.exists()]
