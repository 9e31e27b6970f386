"""Every lesson that is ready, in JupyterLab: it runs, it is drawn, it can be read, and it keeps to itself."""

import pytest

from conftest import THEMES

def test_every_cell_runs_and_none_complains(lesson):
    code = [cell for cell in lesson.cells() if cell["kind"] == "code" and cell["source"].strip()]
    assert code and not [cell["id"] for cell in code if cell["count"] is None]
    assert not [(cell["id"], output) for cell in code for output in cell["outputs"]
                if output["output_type"] == "error" or output.get("name") == "stderr"]


def test_nothing_is_cut_and_nothing_lies_on_anything_else(lesson):
    assert lesson.over_outputs("eyes.faults") == {}


@pytest.mark.parametrize("theme", THEMES)
def test_all_can_be_read_in_either_theme_and_by_everybody(lesson, theme):
    lesson.switch_theme(theme)
    assert lesson.over_outputs("eyes.pale") == {}
    assert lesson.axe((".kit-panel, .kit-console",)) == []


def test_the_browser_complains_of_nothing_and_asks_nobody_else(lesson):
    assert lesson.errors == [] and lesson.outside == []
