"""The site's pages in a browser, served from a folder of a host: they are alive, ask nobody else, and can be read by all.

The lessons are run as ``make site`` runs them, and kept where it keeps them: only what has changed since is run again.
"""

import lab
import pytest
from conftest import READY
from kit.site.__main__ import CACHE, build
from tab import files

PATIENCE = 1000 * lab.PATIENCE
NARROW = {"width": 360, "height": 740}
SAYS = "(panel) => panel.querySelector('.kit-says').textContent"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("host")
    build(root / "a" / "class", CACHE, live=False)
    return root


@pytest.fixture(scope="module")
def address(folder):
    with files(folder) as host:
        yield f"{host}a/class"


@pytest.fixture
def opened(browser):
    """A function that opens an address in a context of its own, and waits until every panel on the page is drawn."""
    contexts = []

    def open_page(url, **options):
        context = browser.browser.new_context(**{"viewport": lab.SCREEN} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.asked, page.errors = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda said: said.type in ("error", "warning") and page.errors.append(said.text))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(url)
        if options.get("java_script_enabled", True):
            page.wait_for_function("""() => document.querySelectorAll('[data-panel]').length === document.querySelectorAll('[data-drawn]').length
                && [...document.querySelectorAll('.kit-plot')].every((plot) => plot.querySelector('.main-svg'))
                && (!document.querySelector('main').dataset.diagrams || document.querySelector('pre.mermaid.drawn svg'))""")
        return page

    yield open_page
    for context in contexts:
        context.close()


def axe(page) -> list[str]:
    page.evaluate(lab.AXE)
    found = page.evaluate("() => axe.run({ resultTypes: ['violations'] })")
    return [f"{one['id']} ({one['impact']}): {node['html'][:200]}" for one in found["violations"]
            if one["impact"] in ("serious", "critical") for node in one["nodes"]]


def is_wider_than_the_screen(page) -> bool:
    return page.evaluate("() => document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize("path", ("index.html", "404.html", *(f"lessons/{lesson.name}.html" for lesson in READY)))
def test_a_page_is_alive_asks_nobody_else_and_can_be_read_by_all(opened, address, path):
    page = opened(f"{address}/{path}", color_scheme="light")
    assert axe(page) == []
    assert not is_wider_than_the_screen(page)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(NARROW)
    page.wait_for_function("() => [...document.querySelectorAll('pre.mermaid')].every(({ dataset }) => dataset.scheme === 'dark')")
    assert axe(page) == []
    assert not is_wider_than_the_screen(page)
    assert page.errors == []
    assert [url for url in page.asked if not url.startswith((address, "data:", "blob:"))] == []
    assert page.context.cookies() == [] and page.evaluate("() => localStorage.length + sessionStorage.length") == 0


@pytest.mark.parametrize("lesson", READY, ids=lambda lesson: lesson.name)
def test_every_control_of_every_explorer_moves_the_picture_or_says_why_not(opened, address, lesson):
    page = opened(f"{address}/lessons/{lesson.name}.html")
    panels = page.query_selector_all(".panel-explorer")
    assert len(panels) == page.evaluate("() => Object.values(kitLesson.panels).filter(({ state }) => state.kind === 'explorer').length")
    for panel in panels:
        began = panel.evaluate(SAYS)
        for control in panel.query_selector_all("input, select"):
            seen = set()
            for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowLeft") if control.get_attribute("type") != "checkbox" else (" ",):
                control.focus()
                page.keyboard.press(key)
                seen.add((panel.query_selector(".kit-code code").text_content(), panel.query_selector(".kit-error").text_content()))
            assert {error for _, error in seen if "This page has no picture" in error} == set()
            assert len(seen) > 1 or control.get_attribute("type") == "checkbox"
            panel.query_selector(".live button").click()
            assert panel.evaluate(SAYS) == began
    assert page.errors == []


def test_settings_that_were_not_recorded_are_said_and_reset_leads_back(opened, address):
    page = opened(f"{address}/lessons/18_messaging.html")
    panel = page.query_selector(".panel-explorer")
    began, sliders = panel.evaluate(SAYS), panel.query_selector_all("input[type=range]")
    assert len(sliders) == 4
    for slider in sliders:
        slider.focus()
        page.keyboard.press("ArrowRight")
    assert "no picture for these settings" in panel.query_selector("[role=alert]").text_content()
    live = panel.query_selector(".live a").get_attribute("href")
    assert live == "../live/lab/index.html?workspace=notebooks-18_messaging&path=notebooks/18_messaging.ipynb"
    panel.query_selector(".live button").click()
    assert panel.query_selector("[role=alert]").text_content() == ""
    assert panel.evaluate(SAYS) == began
    assert [float(slider.input_value()) for slider in sliders] == [4, 5, 1, 1]


def test_predictions_answer_a_choice_and_a_number(opened, address):
    page = opened(f"{address}/lessons/18_messaging.html")
    choice = page.query_selector(".panel-prediction:has(input[type=radio])")
    choice.query_selector("input >> nth=1").check()
    choice.query_selector("button").click()
    told = choice.query_selector("[role=status]").text_content()
    assert told == ("✗ Not so: the model says “In the queue, but hidden”. Then the next consumer would get it at once, and do the "
                    "same work.")
    number = page.query_selector(".panel-prediction:has(input[type=number])")
    for said, begins in (("600", "Give a number from 0 to 500."), ("128", "✓ Right: you said 128, the model says 128 orders. Four")):
        number.query_selector("input").fill(said)
        page.keyboard.press("Enter")
        assert number.query_selector("[role=status]").text_content().startswith(begins)


def test_a_stepper_and_a_console_work(opened, address):
    page = opened(f"{address}/lessons/18_messaging.html")
    stepper = page.query_selector(".panel-steps")
    stepper.query_selector("text=Forward").click()
    assert stepper.query_selector("output").text_content() == "2 of 6"
    page = opened(f"{address}/lessons/00_start_here.html")
    console = page.query_selector(".panel-console")
    everything = console.query_selector_all("tbody tr")
    console.query_selector("select").select_option("sqs")
    assert 0 < len(console.query_selector_all("tbody tr")) < len(everything)


def test_a_page_works_from_a_disk(opened, folder):
    page = opened((folder / "a" / "class" / "lessons" / "18_messaging.html").as_uri())
    assert page.errors == [] and all(url.startswith(("file:", "data:", "blob:")) for url in page.asked)


def test_without_javascript_each_picture_has_its_sentence(opened, address):
    page = opened(f"{address}/lessons/18_messaging.html", java_script_enabled=False)
    twins = [panel.text_content() for panel in page.query_selector_all("[data-panel]")]
    assert twins and all(twins)
    assert any("128 messages wait" in twin for twin in twins)
