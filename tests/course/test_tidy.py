"""Tidying: what a run leaves in a notebook goes, but the text of checked cells stays."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from kit.course.tidy import tidy


def written(path, *cells):
    nbformat.write(new_notebook(cells=list(cells), metadata={"widgets": {}, "language_info": {"name": "python", "version": "3"}}), path)
    return path


def checked(*outputs, **metadata):
    return new_code_cell("1 + 1", id="sum", outputs=list(outputs), metadata={"tags": ["nbval-check-output"]} | metadata)


def test_only_the_text_of_checked_cells_stays(tmp_path):
    path = written(tmp_path / "a.ipynb",
                   new_code_cell("x", id="figure", execution_count=7, outputs=[new_output("display_data", {"image/png": "…"})]),
                   checked(new_output("stream", text="hello\n"), new_output("stream", name="stderr", text="warning"),
                           new_output("execute_result", {"text/plain": "2", "text/html": "<b>2</b>"}, execution_count=9),
                           claims=["sqs-01"], execution={"iopub.status.idle": "1"}))
    assert tidy(path)
    figure, total = nbformat.read(path, as_version=4).cells
    assert figure.outputs == [] and figure.execution_count is None
    assert [dict(o.get("data", {})) or o.text for o in total.outputs] == ["hello\n", {"text/plain": "2"}]
    assert dict(total.metadata) == {"tags": ["nbval-check-output"], "claims": ["sqs-01"]} and total.execution_count == 2
    assert set(nbformat.read(path, as_version=4).metadata) == {"kernelspec", "language_info"}
    assert not tidy(path)


def test_a_checked_cell_that_was_not_run_is_named(tmp_path):
    path = written(tmp_path / "a.ipynb", checked())
    with pytest.raises(ValueError, match="the cell sum is to be checked, but has no text; run the notebook first"):
        tidy(path)


def test_a_damaged_notebook_is_refused_in_words_and_left_alone(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text("{")
    with pytest.raises(ValueError, match="damaged or no notebook"):
        tidy(path)
    assert path.read_text() == "{"
