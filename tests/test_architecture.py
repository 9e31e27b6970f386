"""The house rules that code can break without a test of its own noticing: who may import whom."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

KIT = Path(__file__).parents[1] / "kit"
ROOMS = {"sim", "explore", "lab", "course", "site", "classroom"}
TOPICS = sorted(path.name for path in KIT.iterdir() if (path / "__init__.py").exists() and path.name not in ROOMS)
NOT_MODELS = ("views.py", "checks.py", "lab.py")  # nor is <service>_lab.py
HEAVY = {"plotly", "ipywidgets", "anywidget", "IPython", "boto3", "botocore", "moto", "yaml", "nbformat", "nbclient"}


def models():
    return [path for topic in TOPICS for path in sorted((KIT / topic).glob("*.py")) if not path.name.endswith(NOT_MODELS)]


def imported(path: Path) -> set[str]:
    """Every module that a file imports, as dotted names."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: say kit.… in full"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def topics_of(names) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("kit.") and name.split(".")[1] in TOPICS}


def name(path):
    return path.relative_to(KIT).as_posix()


def test_the_topics_are_those_of_the_house():
    assert set(TOPICS) <= {"cloud", "identity", "compute", "storage", "balancing", "databases", "dns", "delivery",
                           "integration", "monitoring", "networking", "security", "containers", "edge", "ml",
                           "immersive"}
    assert {"identity", "balancing", "integration"} <= set(TOPICS)


@pytest.mark.parametrize("path", models(), ids=name)
def test_models_import_the_standard_library_and_models_only(path):
    """kit.ml may use numpy and scikit-learn, nothing else may."""
    allowed = set(sys.stdlib_module_names) | {"kit"} | ({"numpy", "sklearn"} if path.parent.name == "ml" else set())
    names = imported(path)
    assert {n.split(".")[0] for n in names} <= allowed
    assert not [n for n in names if n.startswith(("kit.explore", "kit.lab", "kit.course"))]
    assert not [n for n in names if n.split(".")[-1].endswith(("views", "checks", "lab"))]


@pytest.mark.parametrize("path", sorted(KIT.glob("*/checks.py")), ids=name)
def test_checks_know_models_and_the_course_only(path):
    names = {n.split(".")[0] for n in imported(path)}
    assert names <= set(sys.stdlib_module_names) | {"kit"}
    assert not [n for n in imported(path) if n.startswith(("kit.explore", "kit.lab"))]


@pytest.mark.parametrize("path", sorted(KIT.glob("*/views.py")), ids=name)
def test_views_draw_and_know_no_lab(path):
    names = imported(path)
    assert {n.split(".")[0] for n in names} <= set(sys.stdlib_module_names) | {"kit", "plotly"}
    assert not [n for n in names if n.startswith(("kit.lab", "kit.course"))]


@pytest.mark.parametrize("path", [p for room in sorted(ROOMS) for p in sorted((KIT / room).rglob("*.py"))], ids=name)
def test_the_shared_rooms_know_no_topic(path):
    assert not topics_of(imported(path))


def test_topics_never_need_one_another_in_a_circle():
    needs = {topic: set() for topic in TOPICS}
    for path in models():
        needs[path.parent.name] |= topics_of(imported(path)) - {path.parent.name}
    left = dict(needs)
    while free := [topic for topic, wanted in left.items() if not wanted & set(left)]:
        for topic in free:
            del left[topic]
    assert not left, f"these need one another: {left}"


@pytest.mark.parametrize("path", models(), ids=name)
def test_models_hold_no_hidden_state(path):
    """No wall clock, no global random, no uuid: the same seed gives the same run."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not imported(path) & {"time", "uuid", "secrets", "numpy.random"}
    calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    hidden = [call for call in calls if call.startswith("random.") and call != "random.Random"
              or call.endswith((".now", ".utcnow", ".today")) and call.split(".")[0] in ("datetime", "date")
              or call in ("hash", "id", "os.urandom")]
    assert not hidden


def loaded_by(statement: str) -> set[str]:
    """The top-level modules in a fresh interpreter after a statement."""
    code = f"import sys, json\n{statement}\nprint(json.dumps([n.split('.')[0] for n in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_kit_and_every_model_load_nothing_heavy():
    modules = ["kit", *(".".join(("kit", *p.relative_to(KIT).with_suffix("").parts)).removesuffix(".__init__")
                        for p in models())]
    assert not loaded_by(f"import {', '.join(modules)}") & HEAVY


def test_the_lab_loads_boto3_and_moto_only_when_it_starts():
    assert not loaded_by("from kit import lab") & {"moto", "boto3", "botocore"}
    assert loaded_by("from kit import lab; lab.start()") >= {"moto", "boto3"}
