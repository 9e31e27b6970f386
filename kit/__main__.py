"""The kit from the command line: python -m kit lessons, claims, check, tidy, release, grade, classroom."""

import argparse
import os
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run one command. 0: all well, 1: something isn't right yet, 2: it could not be done."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter shows a question mark
    asked = _parser().parse_args(arguments)
    try:
        return asked.command(asked)
    except BrokenPipeError:  # somebody has read enough, as with | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        words = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.strerror else error
        print(f"python -m kit {asked.name}: {words}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    from kit.course import runner

    parser = argparse.ArgumentParser("python -m kit", description="The Cloud Learning Kit from the command line.")
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")

    def add(name, function, help):
        command = commands.add_parser(name, help=help, description=help)
        command.set_defaults(command=function)
        return command

    lessons = add("lessons", _lessons, "List the lessons and which of them are ready.")
    lessons.add_argument("--readme", metavar="FILE", type=Path, help="write their table into this file instead")
    claims = add("claims", _claims, "What the lessons show and correct of the course notes.")
    claims.add_argument("lesson", nargs="?", help="one lesson, with every claim that is missing: 18 or 18_messaging")
    check = add("check", _check, "Run a notebook apart and report its exercises; 0 if all are right, 1 if not.")
    check.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    check.add_argument("--timeout", type=float, default=runner.WHOLE, metavar="S",
                       help="seconds for the whole notebook (default: %(default)g)")
    tidy = add("tidy", _tidy, "Make notebooks ready to commit: no outputs but the text of checked cells.")
    tidy.add_argument("notebooks", type=Path, nargs="+", metavar="NOTEBOOK")
    release = add("release", _release, "Make exercises/ from solutions/.")
    release.add_argument("--check", action="store_true", help="write nothing; 1 if exercises/ is not up to date")
    grade = add("grade", _grade, "Grade what a class has handed in, each notebook sealed off; 0 if all of them ran.")
    grade.add_argument("folder", type=Path, metavar="FOLDER", help="with a folder for each learner, and the notebooks in them")
    grade.add_argument("--out", type=Path, metavar="FOLDER", help="where the results go (default: FOLDER-grades)")
    grade.add_argument("--seconds", type=float, default=120, metavar="N", help="for one notebook (default: %(default)g)")
    grade.add_argument("--memory-mb", type=int, default=1024, metavar="N", help="for one notebook (default: %(default)s)")
    grade.add_argument("--at-once", type=int, metavar="N", help="notebooks side by side (default: a processor each)")
    classroom = add("classroom", _classroom, "A JupyterHub on this machine, for a room.")
    classroom.add_argument("--students", type=int, default=30, metavar="N", help="how many learners (default: %(default)s)")
    classroom.add_argument("--folder", type=Path, default=Path("~/classroom"),
                           help="where all their work is kept; the same folder goes on where it stopped (default: %(default)s)")
    classroom.add_argument("--port", type=int, default=8000, help="default: %(default)s")
    classroom.add_argument("--ip", default="0.0.0.0", help="the address to listen on (default: every one of this machine's)")
    classroom.add_argument("--memory-mb", type=int, default=1536, metavar="N",
                           help="of one learner's server with all its kernels (default: %(default)s)")
    classroom.add_argument("--idle-minutes", type=float, default=60, metavar="N",
                           help="a server that nobody uses ends after so long (default: %(default)g)")
    classroom.add_argument("--teacher", default="teacher", metavar="NAME", help="who may see all (default: %(default)s)")
    classroom.add_argument("--authenticator", default="native", metavar="CLASS",
                           help="another one of JupyterHub's, by its class; set it up in --config")
    classroom.add_argument("--config", type=Path, metavar="FILE", help="more settings for JupyterHub, read last")
    classroom.add_argument("--certificate", type=Path, metavar="FILE", help="for https, with --key")
    classroom.add_argument("--key", type=Path, metavar="FILE")
    return parser


def _lessons(asked) -> int:
    from kit.course import syllabus

    if asked.readme:
        text = asked.readme.read_text(encoding="utf-8")
        try:
            asked.readme.write_text(syllabus.with_table(text), encoding="utf-8", newline="\n")
        except ValueError as error:
            raise ValueError(f"{asked.readme}: {error}") from None
        return 0
    for lesson in syllabus.lessons():
        print(f"{'ready  ' if lesson.ready else 'to come'}  {lesson.name:24}  {lesson.minutes:3} min  {lesson.title}")
    return 0


def _claims(asked) -> int:
    from kit.course import claims, syllabus

    covered = claims.coverage()
    if asked.lesson is not None:
        lesson = syllabus.lesson(asked.lesson)
        _print_coverage(covered[lesson.name], missing=True)
        return 0
    print(f"{'':28}  claims  shown  corrected  missing  percent")
    for lesson in syllabus.lessons():
        if covered[lesson.name].all:
            _print_coverage(covered[lesson.name], services=lesson.ready)
    return 0


def _print_coverage(part, services: bool = True, missing: bool = False) -> None:
    def line(one, indent):
        print(f"{indent + one.name:28}  {len(one.all):6}  {len(one.shown):5}  {len(one.corrected):9}"
              f"  {len(one.missing):7}  {one.percent:6.0f} %")

    line(part, "")
    for service in part.services if services else ():
        line(service, "  ")
        if missing and service.missing:
            print(f"    missing: {', '.join(service.missing)}")


def _check(asked) -> int:
    from kit.course import runner

    if not asked.notebook.is_file():
        raise ValueError(f"there is no file {asked.notebook}")
    if not asked.timeout > 0:
        raise ValueError(f"--timeout is a number of seconds above 0, not {asked.timeout:g}")
    results = runner.check(asked.notebook, whole=asked.timeout)
    print(runner.report(results))
    return 0 if all(result.got for result in results) else 1


def _tidy(asked) -> int:
    from kit.course.tidy import tidy

    for notebook in asked.notebooks:
        print(f"{'tidied' if tidy(notebook) else 'was tidy'}: {notebook}")
    return 0


def _release(asked) -> int:
    from kit.course.release import release

    stale = release(check=asked.check)
    for name in stale:
        print(f"{'not up to date' if asked.check else 'written'}: exercises/{name}")
    if asked.check and stale:
        print("Run: make exercises")
    return 1 if asked.check and stale else 0


def _grade(asked) -> int:
    from kit.classroom.grade import grade

    results = grade(asked.folder, asked.out, asked.seconds, asked.memory_mb, asked.at_once, tell=print)
    if not results:
        raise ValueError(f"there is no notebook in {asked.folder}")
    return 1 if any(result.trouble for result in results) else 0


def _classroom(asked) -> int:
    from kit.classroom import hub

    settings = {name: value for name, value in vars(asked).items() if name not in ("name", "command")}
    return hub.run(hub.Classroom(**settings))


if __name__ == "__main__":
    sys.exit(main())
