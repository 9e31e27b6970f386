"""``python -m kit.site``: build the site."""

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kit.course import syllabus
from kit.site import mermaid, pages
from kit.site.execute import ROOT, executed

AT_ONCE = 4  # lessons that run at the same time, at most: some need 400 MB
CACHE = ROOT / ".venv" / "site-cache"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m kit.site", description="Build the lessons as a static folder for the web.")
    parser.add_argument("--out", type=Path, default=ROOT / ".site", metavar="FOLDER", help="where to (default: .site)")
    parser.add_argument("--only", nargs="+", metavar="NN", help="these lessons only: 18 or 18_messaging")
    parser.add_argument("--no-live", action="store_true", help="the pages to read, without the JupyterLab of the browser")
    asked = parser.parse_args(arguments)
    try:
        build(asked.out, CACHE, asked.only, live=not asked.no_live)
    except (RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def build(out: Path, cache: Path, only: list[str] | None = None, live: bool = True) -> None:
    """The whole site into ``out``; ``cache`` keeps what was run and fetched. One line is printed for each thing done.

    RuntimeError if a lesson fails or something cannot be fetched, ValueError for a lesson that there is not.
    """
    wanted = [syllabus.lesson(name) for name in only] if only else syllabus.lessons()
    ready, runs = [lesson for lesson in wanted if lesson.ready], []
    with ThreadPoolExecutor(min(os.cpu_count() or 1, AT_ONCE)) as pool:  # a kernel each
        results = pool.map(lambda lesson: executed(lesson.notebook, cache / "lessons"), ready)
        for lesson, (notebook, panels, fresh) in zip(ready, results):
            print(f"{'run    ' if fresh else 'kept   '} {lesson.name}: {len(panels)} panels", flush=True)
            runs.append(pages.Run(lesson, notebook, panels))
    out.mkdir(parents=True, exist_ok=True)
    pages.write(runs, out, mermaid.fetched(cache))
    print(f"written {len(runs)} lesson{'s' * (len(runs) != 1)} and the landing page", flush=True)
    if live:
        from kit.site import lite

        lite.build(out / "live", cache)
    print(f"Serve {out} with any web server: python -m http.server --directory {out}")


if __name__ == "__main__":
    sys.exit(main())
