"""Thirty lessons, in order, and ways through them."""

import pytest

from kit.course import syllabus


def test_the_thirty_lessons_are_numbered_as_named():
    lessons = syllabus.lessons()
    assert [lesson.number for lesson in lessons] == list(range(30))
    assert all(lesson.name.startswith(f"{lesson.number:02}_") for lesson in lessons)
    assert len({lesson.name for lesson in lessons}) == len({lesson.title for lesson in lessons}) == 30


@pytest.mark.parametrize("lesson", syllabus.lessons(), ids=lambda lesson: lesson.name)
def test_a_lesson_asks_a_question_takes_its_time_and_needs_earlier_lessons(lesson):
    assert lesson.title.endswith("?") and 15 <= lesson.minutes <= 90
    earlier = {one.name for one in syllabus.lessons() if one.number < lesson.number}
    assert set(lesson.needs) <= earlier
    assert lesson.about or lesson.services


def test_a_lesson_is_ready_when_its_notebook_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(syllabus, "NOTEBOOKS", tmp_path)
    assert not [lesson for lesson in syllabus.lessons() if lesson.ready]
    (tmp_path / "18_messaging.ipynb").touch()
    assert [lesson.number for lesson in syllabus.lessons() if lesson.ready] == [18]


def test_the_topics_are_those_of_the_house():
    assert {topic for lesson in syllabus.lessons() for topic in lesson.topics} == {
        "cloud", "identity", "compute", "storage", "balancing", "databases", "dns", "delivery", "integration",
        "monitoring", "networking", "security", "containers", "edge", "ml", "immersive"}


def test_in_a_path_a_mark_stands_between_a_title_and_its_reason():
    path = syllabus.path("beginner")
    lines = path._repr_markdown_().splitlines()[2:]
    assert [line.partition(" – ")[2] for line in lines] == [why for _, why in path.steps]
    assert f"1. [{syllabus.lesson('18').title}](18_messaging.ipynb) – how parts of a system wait for one another" in lines


def test_four_paths_lead_through_lessons_with_a_reason_for_each():
    paths = syllabus.paths()
    assert [path.name for path in paths] == ["beginner", "developer", "operator", "certificate"]
    for path in paths:
        assert len({lesson.name for lesson, _ in path.steps}) == len(path.steps) >= 8
        assert all(why and not why.endswith(".") for _, why in path.steps) and path.audience.endswith(".")


@pytest.mark.parametrize("name", ["18", "18_messaging"])
def test_a_lesson_is_found_by_number_and_by_name(name):
    assert syllabus.lesson(name).number == 18
    assert syllabus.lesson("2").number == syllabus.lesson("02").number == 2
    with pytest.raises(ValueError, match="no lesson '31'"):
        syllabus.lesson("31")


def test_the_table_links_what_is_ready(tmp_path, monkeypatch):
    monkeypatch.setattr(syllabus, "NOTEBOOKS", tmp_path)
    (tmp_path / "18_messaging.ipynb").touch()
    lines = syllabus.markdown_table().splitlines()
    assert len(lines) == 32
    assert "| 18 | [Why did my message come twice?](notebooks/18_messaging.ipynb) | SQS, SNS, Amazon MQ" in lines[20]
    assert lines[20].endswith("lab/tree/notebooks/18_messaging.ipynb) |")
    assert "*(to come)*" in lines[19] and "](" not in lines[19]
    assert "inder" not in syllabus.markdown_table(elsewhere=False)


def test_the_table_goes_between_its_markers_and_nowhere_else():
    text = syllabus.with_table("before\n<!-- lessons -->\nold\n<!-- /lessons -->\nafter\n")
    assert text.startswith("before\n<!-- lessons -->\n|  | Lesson") and text.endswith("|\n<!-- /lessons -->\nafter\n")
    assert syllabus.with_table(text) == text
    for wrong in ("no markers", text + text):
        with pytest.raises(ValueError, match="<!-- lessons -->"):
            syllabus.with_table(wrong)
