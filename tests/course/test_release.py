"""exercises/ comes out of solutions/ whole: no answer, no marker, the same to the byte."""

import nbformat
import pytest

from kit.course.release import ReleaseError, exercise_text, graded, release

STUB = "...  # your turn"


def text_of(tmp_path, cells, *made):
    return exercise_text(cells.write(tmp_path / "x.ipynb", list(made)))


def refused(tmp_path, cells, *made) -> str:
    with pytest.raises(ReleaseError) as caught:
        text_of(tmp_path, cells, *made)
    return str(caught.value)


def test_the_solutions_become_one_line_each_at_their_indentation(course):
    notebook = nbformat.reads(exercise_text(course / "solutions" / "99_made_up.ipynb"), as_version=4)
    assert notebook.cells[3].source == f'def needed(rate, seconds):\n    """Workers that keep up."""\n    {STUB}'
    assert notebook.cells[6].source == f"word = ...\n{STUB}"


def test_two_regions_and_deep_indentation(tmp_path, cells):
    source = ("class A:\n    def f(self):\n        ### BEGIN SOLUTION\n        return 'one secret'\n"
              "        ### END SOLUTION\n    def g(self):\n        if True:\n\t### BEGIN SOLUTION\n"
              "\treturn 'two secrets'\n\t### END SOLUTION\n    x = 1")
    text = text_of(tmp_path, cells, cells.solution(source, "a"))
    assert nbformat.reads(text, as_version=4).cells[0].source == (
        f"class A:\n    def f(self):\n        {STUB}\n    def g(self):\n        if True:\n\t{STUB}\n    x = 1")


def test_check_cells_are_locked_and_tagged_and_the_rest_is_left(course):
    cells = nbformat.reads(exercise_text(course / "solutions" / "99_made_up.ipynb"), as_version=4).cells
    assert cells[4].metadata.tags == ["raises-exception"]
    assert cells[4].metadata.deletable is False and cells[4].metadata.editable is False
    assert cells[3].metadata.deletable is False and not {"editable", "tags"} & set(cells[3].metadata)
    assert not cells[1].metadata
    assert [cell.id for cell in cells] == [f"cell-{n}" for n in range(8)]


def test_outputs_and_counts_are_cleared(tmp_path, cells):
    cell = cells.code("1 + 1", execution_count=7, outputs=[nbformat.v4.new_output("stream", text="2")])
    (made,) = nbformat.reads(text_of(tmp_path, cells, cell), as_version=4).cells
    assert made.outputs == [] and made.execution_count is None


def test_what_is_compared_in_solutions_is_not_in_exercises_for_the_numbers_are_the_learners(tmp_path, cells):
    made = [cells.code("1", metadata={"tags": ["nbval-check-output"]}), cells.code("2", metadata={"tags": ["mine"]})]
    one, two = nbformat.reads(text_of(tmp_path, cells, *made), as_version=4).cells
    assert "tags" not in one.metadata and two.metadata.tags == ["mine"]


@pytest.mark.parametrize("source, message", [
    ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", "begins inside another"),
    ("### BEGIN SOLUTION\nx", "without its ### END SOLUTION"),
    ("### END SOLUTION\n### BEGIN SOLUTION", "ends that didn't begin"),
    ("### BEGIN SOLUTION\nx\n### END SOLUTION\n### END SOLUTION", "ends that didn't begin"),
    ("x = 1  ### BEGIN SOLUTION\n### END SOLUTION", "on a line of its own"),
    ("# BEGIN SOLUTION\nx\n# END SOLUTION", "on a line of its own"),
    ("### begin solution\nx", "on a line of its own"),
    ("### BEGIN HIDDEN TESTS\nx\n### END HIDDEN TESTS", "isn't used here"),
    ("return 3", "a solution cell without")])
def test_markers_that_do_not_fit_are_named_with_notebook_and_cell(tmp_path, cells, source, message):
    words = refused(tmp_path, cells, cells.solution(source, "a"))
    assert message in words and words.startswith("x.ipynb, cell cell-0")


def test_a_solution_outside_a_solution_cell_is_refused(tmp_path, cells):
    assert "isn't marked" in refused(tmp_path, cells, cells.code("### BEGIN SOLUTION\nx\n### END SOLUTION"))
    assert "on a line of its own" in refused(tmp_path, cells, cells.markdown("See ### BEGIN SOLUTION"))


@pytest.mark.parametrize("leak", [
    "Tip: use `return   math.ceil(busy_at_once)`.", "    return math.ceil( busy_at_once )",
    "busy_at_once = rate*seconds"])
def test_an_exercise_that_gives_its_solution_away_is_refused(tmp_path, cells, leak):
    words = refused(tmp_path, cells, *cells.lesson(), cells.markdown(leak))
    assert "give away" in words and "cell-3" in words


def test_a_leak_in_the_metadata_is_found(tmp_path, cells):
    cell = cells.code("1", metadata={"note": "return math.ceil(busy_at_once)"})
    assert "give away" in refused(tmp_path, cells, *cells.lesson(), cell)


def test_short_lines_of_a_solution_may_stand_elsewhere(tmp_path, cells):
    text_of(tmp_path, cells, cells.solution("### BEGIN SOLUTION\nelse:\nreturn 0\n### END SOLUTION", "a"),
            cells.code("if x:\n    return 0\nelse:"))


@pytest.mark.parametrize("change, message", [
    ({"schema_version": 2}, "schema_version 3"), ({"grade_id": ""}, "grade_id"), ({"points": 0}, "has points"),
    ({"locked": False}, "locked"), ({"solution": True}, "person has to grade"),
    ({"task": True}, "person has to grade")])
def test_metadata_that_nbgrader_would_trip_over_are_refused(tmp_path, cells, change, message):
    cell = cells.check("f()", "a", 1)
    cell.metadata.nbgrader.update(change)
    assert message in refused(tmp_path, cells, cell)


def test_the_tag_that_lets_a_check_fail_is_refused_in_solutions(tmp_path, cells):
    cell = cells.check("f()", "a", 1)
    cell.metadata["tags"] = ["raises-exception"]
    assert "would hide a failing check" in refused(tmp_path, cells, cell)


def test_release_writes_what_differs_and_the_second_time_nothing(course):
    folders = course / "solutions", course / "exercises"
    assert release(*folders, check=True) == ["99_made_up.ipynb"] and not (course / "exercises").exists()
    assert release(*folders) == ["99_made_up.ipynb"]
    before = (course / "exercises" / "99_made_up.ipynb").read_bytes()
    assert release(*folders, check=True) == release(*folders) == []
    assert (course / "exercises" / "99_made_up.ipynb").read_bytes() == before and b"\r" not in before


def test_a_stale_exercise_is_found_and_renewed_and_one_without_solution_removed(course):
    folders = course / "solutions", course / "exercises"
    release(*folders)
    made = course / "exercises" / "99_made_up.ipynb"
    (course / "exercises" / "98_gone.ipynb").write_bytes(made.read_bytes())
    made.write_text(made.read_text().replace("Two exercises", "2 exercises"))
    assert release(*folders, check=True) == ["98_gone.ipynb", "99_made_up.ipynb"]
    release(*folders)
    assert [path.name for path in (course / "exercises").iterdir()] == ["99_made_up.ipynb"]
    assert release(*folders, check=True) == []


@pytest.mark.parametrize("work", [(STUB + '"', 'return 8"'), ('"execution_count": null', '"execution_count": 3')])
def test_a_learners_answers_are_never_overwritten(course, work):
    folders = course / "solutions", course / "exercises"
    release(*folders)
    made = course / "exercises" / "99_made_up.ipynb"
    made.write_text(made.read_text().replace(*work))
    before = made.read_bytes()
    with pytest.raises(ReleaseError, match="holds answers in 99_made_up.ipynb"):
        release(*folders)
    assert made.read_bytes() == before


def test_an_exercise_twice_in_the_course_is_refused(course, cells):
    cells.write(course / "solutions" / "97_other.ipynb", [cells.check("f()", "made-up-words", 1)])
    with pytest.raises(ReleaseError, match="made-up-words is both in 97_other.ipynb and in 99_made_up.ipynb"):
        release(course / "solutions", course / "exercises")


def test_graded_lists_exercises_and_points(course, cells):
    assert graded(course / "solutions" / "99_made_up.ipynb") == {"made-up-workers": 2, "made-up-words": 1}
    twice = [cells.check("f()", "a", 1), cells.check("f()", "a", 1)]
    with pytest.raises(ReleaseError, match="a second check a"):
        graded(cells.write(course / "x.ipynb", twice))


@pytest.mark.parametrize("content", [
    b"", b"{", b"[]", b"{}", b"7", b"\xff\xfe", b'{"cells": 5, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    b'{"cells": [1], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', b"[" * 100_000])
def test_what_is_no_notebook_is_told_in_words(tmp_path, content):
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="x.ipynb is no notebook, or a damaged one"):
        graded(path)
