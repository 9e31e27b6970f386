"""A classroom at work: a real hub on loopback, with learners who speak to it as their browsers would."""

import json
import re
import time

import pytest
from classroom import Hub
from learner import Learner

from kit.classroom.hub import Classroom, new_code, prepare, words


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with Hub(tmp_path_factory.mktemp("room"), 2) as hub:
        yield hub


@pytest.fixture(scope="module")
def ada(hub):
    """A learner with a kernel in the lesson's folder."""
    one = Learner(hub.address, "ada")
    assert one.sign_up(hub.code.upper().replace("-", " "))[0] == 200  # as somebody may read it off the board
    assert one.sign_in()
    one.start()
    one.open("notebooks/00_start_here.ipynb")
    yield one
    one.close()


# ------------------------------------------------------------------ who comes in


def test_nobody_signs_up_without_the_code_of_the_class(hub):
    status, said = Learner(hub.address, "eve").sign_up("abcd-efgh")
    assert status == 403 and "code of this class" in said


def test_the_teachers_name_needs_the_teachers_code(hub):
    status, said = Learner(hub.address, "teacher").sign_up(hub.code)
    assert status == 403 and "belongs to the teacher" in said
    assert Learner(hub.address, "teacher").sign_up(hub.teacher_code)[0] == 200


@pytest.mark.parametrize("name", ["../ada", "Ada Lovelace", "a", "7up", "x" * 33, "ada\n", "ada"])
def test_a_name_is_one_that_a_folder_can_have_and_nobody_has(hub, ada, name):
    status, said = Learner(hub.address, name).sign_up(hub.code)
    assert status == 403 and "A name has 2 to 32" in said


def test_a_password_is_long_and_not_everybodys(hub):
    for password in ("short", "password1"):
        status, said = Learner(hub.address, "bob").sign_up(hub.code, password)
        assert status == 403 and "password" in said


def test_a_wrong_password_stays_outside(hub, ada):
    assert not Learner(hub.address, "ada").sign_in("seven red buses")


def test_a_full_class_takes_nobody_more(hub, ada):
    assert Learner(hub.address, "bob").sign_up(hub.code)[0] == 200
    status, said = Learner(hub.address, "carol").sign_up(hub.code)
    assert status == 403 and "full" in said


# ------------------------------------------------------------------ what each one has


def test_a_lesson_runs_there_with_its_sandbox(ada):
    assert ada.execute("from kit import lab\nassert lab.start().client('sqs').create_queue(QueueName='orders')['QueueUrl']") == []


def test_nobody_is_asked_about_news(hub, ada):
    asked = ada.http.get(f"{hub.address}/user/ada/lab/api/settings/@jupyterlab/apputils-extension:notification").json()
    assert asked["schema"]["properties"]["fetchNews"]["default"] == "false"


def test_nobody_can_listen_to_what_a_kernel_prints(ada):
    assert ada.execute("import ipykernel\nassert ipykernel.get_connection_info(unpack=True)['transport'] == 'ipc'") == []


def test_the_models_are_the_learners_own_to_change(hub, ada):
    assert ada.execute("import kit, pathlib\npathlib.Path(kit.__file__).with_name('mine.py').write_text('here = 1')\n"
                       "from kit import mine\nassert mine.here == 1") == []
    assert (hub.folder / "learners" / "ada" / "kit" / "mine.py").exists()


def test_the_teachers_grading_tools_are_in_nobodys_menu(hub, ada):
    page = ada.http.get(f"{hub.address}/user/ada/lab").text
    config = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.S)[1])
    assert "@jupyter/nbgrader" in {one["name"] for one in config["federated_extensions"]}  # they are on the machine
    assert config["disabledExtensions"] == ["@jupyter/nbgrader"]
    assert ada.http.get(f"{hub.address}/user/ada/formgrader").status_code == 404


@pytest.mark.parametrize("path", ["{room}", "{room}/classroom.json", "{room}/hub.sqlite", "{room}/learners/bob", "/var/log", "/etc/shadow"])
def test_nothing_of_the_classroom_or_its_machine_is_in_sight(hub, ada, path):
    path = path.format(room=hub.folder)
    (said,) = ada.execute(f"import os\nos.stat({path!r}) and os.listdir({path!r})") or [""]
    assert said.startswith(("FileNotFoundError", "PermissionError"))


def test_what_is_shared_cannot_be_written(ada):
    (said,) = ada.execute("import boto3\nopen(boto3.__file__, 'a')")
    assert "Read-only" in said or "Permission" in said


def test_other_processes_are_out_of_sight(ada):
    assert ada.execute("import os\nassert 0 < sum(name.isdigit() for name in os.listdir('/proc')) < 20") == []


def test_more_memory_than_the_room_gives_is_a_memory_error(ada):
    (said,) = ada.execute("bytearray(10 << 30)")
    assert said.startswith("MemoryError")
    assert ada.execute("1 + 1") == []  # and the kernel goes on


def test_exercises_and_lessons_lie_in_the_learners_folder_but_not_the_solutions(hub, ada):
    folder = hub.folder / "learners" / "ada"
    assert (folder / "exercises" / "18_messaging.ipynb").exists() and (folder / "notebooks" / "img").is_dir()
    assert not (folder / "solutions").exists()


# ------------------------------------------------------------------ another day


def test_another_day_all_is_as_it_was_and_who_goes_home_leaves_no_server(tmp_path):
    with Hub(tmp_path, 2) as hub:
        one = Learner(hub.address, "ada")
        one.sign_up(hub.code)
        one.sign_in()
        one.start()
        notebook = one.read("exercises/18_messaging.ipynb")["content"]
        notebook["cells"][0]["source"] = "# Mine"
        one.save("exercises/18_messaging.ipynb", notebook)
        one.close()
    with Hub(tmp_path, 2, "--idle-minutes", "0.1") as again:
        assert again.code == hub.code
        one = Learner(again.address, "ada")
        assert one.sign_in()
        one.start()
        assert one.read("exercises/18_messaging.ipynb")["content"]["cells"][0]["source"] == "# Mine"
        until = time.monotonic() + 120
        while "Culling server ada" not in (log := (tmp_path / "hub.log").read_text()):
            assert time.monotonic() < until, log[-2000:]
            time.sleep(0.5)
        one.close()


# ------------------------------------------------------------------ what a teacher may ask for


@pytest.mark.parametrize("wrong, said", [
    ({"authenticator": "dummy"}, "lets anybody in"),
    ({"authenticator": "dummy", "ip": "192.168.1.7"}, "lets anybody in"),
    ({"students": 0}, "--students"),
    ({"memory_mb": 64}, "--memory-mb"),
    ({"idle_minutes": 0.0}, "--idle-minutes"),
    ({"key": __file__}, "belong together"),
])
def test_what_cannot_be_is_refused_in_words_and_leaves_nothing(tmp_path, wrong, said):
    with pytest.raises(ValueError, match=said):
        prepare(Classroom(tmp_path / "room", **wrong))
    assert not (tmp_path / "room").exists()


def test_the_dummy_authenticator_may_be_tried_alone(tmp_path):
    assert prepare(Classroom(tmp_path, authenticator="dummy", ip="127.0.0.1")).authenticator == "dummy"


def test_codes_are_kept_and_for_the_teachers_eyes(tmp_path):
    room = prepare(Classroom(tmp_path))
    assert prepare(Classroom(tmp_path)).code == room.code != room.teacher_code
    assert (tmp_path / "classroom.json").stat().st_mode & 0o077 == 0
    assert json.loads((tmp_path / "classroom.json").read_text())["code"] == room.code
    assert room.code not in repr(room) and room.code in words(room)


def test_codes_have_no_letters_that_look_alike():
    assert not set("".join(new_code() for _ in range(200))) & set("il1o0O")


def test_a_class_too_large_for_the_machine_is_told_before_it_begins(tmp_path):
    assert "fit" in words(prepare(Classroom(tmp_path, students=10_000)))
    assert "fit" not in words(prepare(Classroom(tmp_path, students=1)))
