"""The site's live part in figures, the last of `make bench-browser`.

Alone: PYTHONPATH=tests/shared python tests/browser/bench_site.py

Seconds from opening the page to the first cell's answer (bar: 15) and for Run All of each lesson; megabytes that the first
page transfers from a host that compresses (bar: 60); memory of the tab.
"""

import gzip
import sys
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psutil
from conftest import READY
from lab import ROOT, browser
from tab import Tab, files

BARS = {"first answer, s": 15.0, "transferred, MB": 60.0}
FIRST = READY[0].name


def main(folder: Path) -> int:
    """Print the figures; 1 if one is beyond its bar."""
    if not (folder / "lab" / "index.html").exists():
        print(f"{folder} is no JupyterLite: run “make site” first")
        return 2
    with files(folder) as address, browser() as context:
        began = time.perf_counter()
        with Tab(context, address, f"notebooks/{FIRST}.ipynb") as tab:
            tab.run(next(cell["index"] for cell in tab.cells() if cell["kind"] == "code"))
            figures = {"first answer, s": time.perf_counter() - began, "transferred, MB": transferred(tab.asked, folder)}
            print(f"{'memory of a tab after its first cell, MB':44} {memory():8.0f}")
        for name, value in figures.items():
            print(f"{name:44} {value:8.1f}   (bar: {BARS[name]:g})")
        for lesson in READY:
            with Tab(context, address, f"notebooks/{lesson.name}.ipynb") as tab:
                began = time.perf_counter()
                tab.run_all()
                print(f"{f'Run All of {lesson.name}, s':44} {time.perf_counter() - began:8.1f}   ({memory():.0f} MB)")
    return int(any(value > BARS[name] for name, value in figures.items()))


def transferred(asked: list[str], folder: Path) -> float:
    """MB of the files that were asked for, each once, compressed as a host would (gzip, level 6) unless that gains nothing."""
    paths = {folder / unquote(urlsplit(url).path).lstrip("/") for url in asked}
    contents = [path.read_bytes() for path in paths if path.is_file()]
    return sum(min(len(data), len(gzip.compress(data, 6))) for data in contents) / 1e6


def memory() -> float:
    """MB that the tab's process holds: the page, and Python in its worker."""
    children = psutil.Process().children(recursive=True)
    return max(child.memory_info().rss for child in children if "--type=renderer" in child.cmdline()) / 1e6


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".site" / "live")))
