"""How fast the lessons answer in a browser: `make bench-browser`, or python tests/browser/bench.py [LESSON ...].

Prints lines of "name value unit". Key to redraw: from a key's event to the first frame after plotly has drawn, on a page that is
at rest, with the arrow keys on the first slider of each explorer. A lesson is heavy by what its page receives.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(os.fspath(HERE.with_name("shared")))

import bench_site  # noqa: E402
import lab  # noqa: E402
from playwright.sync_api import TimeoutError  # noqa: E402

from kit.course import syllabus  # noqa: E402

PRESSES = 24
MEASURE = """(panel) => {
    const times = { key: null, drawn: null };
    panel.addEventListener("keydown", () => { Object.assign(times, { key: performance.now(), drawn: null }); }, true);
    panel.querySelector(".js-plotly-plot").on("plotly_afterplot", () =>
        requestAnimationFrame(() => { times.drawn ??= performance.now(); }));
    return times; }"""


def main(names):
    lessons = [lesson for lesson in syllabus.lessons() if lesson.ready and (not names or lesson.name in names)]
    redraws, pages = {}, {}
    with tempfile.TemporaryDirectory() as folder, lab.server(Path(folder)) as server, lab.browser() as browser:
        for lesson in lessons:
            with lab.Notebook(browser, server, f"notebooks/{lesson.name}.ipynb") as notebook:
                pages[lesson.name] = page(notebook)
                for panel in notebook.panels(".kit-controls"):
                    times = redraws[f"{lesson.name}/{panel.cell}"] = key_to_redraw(panel)
                    say(f"redraw {lesson.name}/{panel.cell} median", statistics.median(times), "ms")
                    say(f"redraw {lesson.name}/{panel.cell} p95", percentile(times), "ms")
    say("redraw worst median", max(map(statistics.median, redraws.values())), "ms")
    say("redraw worst p95", max(map(percentile, redraws.values())), "ms")
    heaviest = max(pages, key=lambda name: pages[name]["received"])
    print("heaviest lesson", heaviest, "name")
    say("figures drawn after Run All", pages[heaviest]["drawn"], "s")
    say("received over websockets", pages[heaviest]["received"] / 1e6, "MB")
    say("JavaScript heap", pages[heaviest]["heap"] / 1e6, "MB")


def page(notebook) -> dict:
    """A lesson run: drawn, seconds from the end of Run All until all is drawn; received, bytes; heap, bytes."""
    notebook.run_all()
    began = time.perf_counter()
    notebook.wait_until_drawn()
    drawn = time.perf_counter() - began
    return {"drawn": drawn, "received": notebook.received, "heap": notebook.page.evaluate("() => performance.memory.usedJSHeapSize")}


def key_to_redraw(panel) -> list[float]:
    """ms of each press, there and back again."""
    times = panel.element.evaluate_handle(MEASURE)
    panel.tab_to(panel.fields(".kit-controls input[type=range]")[0])
    found = []
    for number in range(PRESSES):
        panel.page.keyboard.press("ArrowLeft" if number % 2 else "ArrowRight")
        try:
            panel.page.wait_for_function("(times) => times.drawn", arg=times, timeout=20_000)
        except TimeoutError as error:
            focus, said = panel.element.evaluate("(panel) => [document.activeElement.outerHTML, panel.innerText]")
            raise TimeoutError(f"press {number} on {panel.cell} drew nothing. The focus is on {focus[:200]}; the panel says: {said}") from error
        found.append(times.evaluate("({ key, drawn }) => drawn - key"))
        panel.page.wait_for_timeout(150)  # the page comes to rest
    return found


def percentile(times, part=0.95) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[round(100 * part) - 1]


def say(name, value, unit):
    print(name, f"{value:.3g}", unit, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.exit(bench_site.main(lab.ROOT / ".site" / "live"))  # the static site's figures
