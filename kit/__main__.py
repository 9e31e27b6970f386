"""The kit from the command line: python -m kit lessons | claims | check NOTEBOOK | tidy NOTEBOOK | release."""

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


if __name__ == "__main__":
    sys.exit(main())
