"""Every lesson in a browser tab without a server: all cells run, nobody outside is asked, and a reload keeps what was done."""

import pytest
from conftest import READY
from printed import printed, text_of
from tab import BUILDER, Tab, build, files


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """The site's live part, built anew, on a static host."""
    assert BUILDER.exists(), "the site's builder is not installed: run “make site” once"
    folder = tmp_path_factory.mktemp("site") / "live"
    build(folder)
    with files(folder) as address:
        yield address


@pytest.mark.parametrize("lesson", READY, ids=lambda lesson: lesson.name)
def test_every_cell_of_a_lesson_runs_says_what_it_says_elsewhere_and_asks_nobody_outside(browser, host, lesson):
    with Tab(browser, host, f"notebooks/{lesson.name}.ipynb") as tab:
        assert tab.page.evaluate("() => [...jupyterapp.shell.widgets('main')].length") == 1  # not those opened before, too
        tab.run_all()
        cells = [cell for cell in tab.cells() if cell["kind"] == "code" and cell["source"].strip()]
        assert [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"] == []
        assert [cell["index"] for cell in cells if cell["count"] is None] == []
        assert {cell["index"]: text_of(cell["outputs"]) for cell in cells} == printed(lesson.notebook)
        assert (tab.outside, tab.errors) == ([], [])


def test_what_a_learner_has_done_outlives_the_page(browser, host):
    with Tab(browser, host, "exercises/18_messaging.ipynb") as tab:
        assert "Hello Ada" in tab.say('from kit import course; from kit.course import progress; course.learner("Ada")')
        tab.say('progress.done("18-enough", 1); course.save()')
        tab.open()  # the same page again: another Python
        assert tab.say("from kit.course import progress; print(progress.read())") == "{'learner': 'Ada', 'done': {'18-enough': 1}}\n"
        tab.say('progress._write(lambda state: {"learner": "", "done": {}}); from kit import course; course.load()')
        assert "18-enough" in tab.say("print(progress.read())")


def test_what_cannot_be_had_in_a_tab_says_so_in_one_line(browser, host):
    with Tab(browser, host, "exercises/18_messaging.ipynb") as tab:
        assert "Binder, or with “make lab”" in tab.say("%pip install numpy")
        asked = tab.say('from kit import lab; lab.start().client("kms").encrypt(KeyId=lab.start().client("kms").create_key()'
                        '["KeyMetadata"]["KeyId"], Plaintext=b"x")')
        assert "Binder, or with “make lab”" in asked and "Traceback" not in asked and len(asked.splitlines()) == 1
