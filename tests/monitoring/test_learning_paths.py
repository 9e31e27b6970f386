"""Learning paths: what needs what comes first; the hours decide the weeks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.monitoring.learning_paths import CORRECTIONS, HISTORY, Module, correction, entry_points, order, plan, way_to

PATH = [Module("Containers", 8, ("Servers", "Networking")), Module("Basics", 4), Module("Servers", 6, ("Basics",)),
        Module("Networking", 5, ("Basics",)), Module("Machine learning", 9, ("Basics",))]


def names(modules):
    return [module.name for module in modules]


def test_what_is_required_comes_first():
    assert names(order(PATH)) == ["Basics", "Servers", "Networking", "Containers", "Machine learning"]


def test_the_weeks_follow_from_the_hours():
    rows = plan(PATH, hours_a_week=5)
    assert rows["week"] == [1, 1, 3, 4, 5] and rows["ends"][-1] == pytest.approx(32 / 5)
    with pytest.raises(ValueError, match="more than 0"):
        plan(PATH, 0)


def test_the_way_to_a_target_leaves_out_what_is_known():
    assert names(way_to("Containers", PATH)) == ["Basics", "Servers", "Networking", "Containers"]
    assert names(way_to("Containers", PATH, known=["Servers", "Basics"])) == ["Networking", "Containers"]
    assert way_to("Basics", PATH, known=["Basics"]) == [] and names(entry_points(PATH)) == ["Basics"]


@pytest.mark.parametrize("modules, words", [
    ([Module("a", 1, ("b",)), Module("b", 1, ("a",))], "a -> b -> a"), ([Module("a", 1, ("a",))], "a -> a"),
    ([Module("a", 1, ("x",))], "requires x"), ([Module("a", 1), Module("a", 2)], "two modules"), ([Module("a", -1)], "0 or more")])
def test_paths_that_cannot_be(modules, words):
    with pytest.raises(ValueError, match=words):
        order(modules)


def test_given_a_target_that_is_no_module_then_the_message_lists_them():
    with pytest.raises(ValueError, match="Basics"):
        way_to("Piano", PATH)


def test_what_a_cloud_guru_was():
    assert [year for year, _ in HISTORY] == sorted(year for year, _ in HISTORY)
    assert "CloudWatch and CloudTrail" in correction("a monitoring service") and not CORRECTIONS["a monitoring service"][0]
    with pytest.raises(ValueError, match="exam preparation"):
        correction("a bakery")


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.data(), st.integers(1, 12), st.floats(0.5, 40))
def test_any_path_without_a_circle_is_planned_whole(data, size, hours):
    numbers = data.draw(st.permutations(range(size)))
    modules = [Module(str(n), data.draw(st.integers(0, 9)), tuple(str(m) for m in range(n) if data.draw(st.booleans()))) for n in numbers]
    line = names(order(modules))
    assert sorted(line) == sorted(names(modules))
    assert all(line.index(name) < line.index(module.name) for module in modules for name in module.requires)
    assert plan(modules, hours)["ends"][-1] == pytest.approx(sum(module.hours for module in modules) / hours)
