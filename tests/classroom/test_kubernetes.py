"""A class on a cluster: the chart's values, the image's recipe, what its server does first, how work is collected.

Neither a cluster nor Docker is needed here, nor is either tried. The chart's own schema is not part of this project.
"""

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
from io import BytesIO
from pathlib import Path

import pytest
import yaml
from pins import pins

import kit
from kit.classroom.accounts import ClassAccounts
from kit.classroom.kubernetes import collect
from kit.classroom.start import LAID_OUT, lay_out

ROOT = Path(__file__).parents[2]
HERE = ROOT / "kit" / "classroom" / "kubernetes"
MB = 1 << 20
SERVER_MB, HEAVIEST_MB = 150, 345  # measured: JupyterLab's server, a kernel with the heaviest lesson


@pytest.fixture(scope="module")
def values():
    return yaml.safe_load((HERE / "values.yaml").read_text())


@pytest.fixture(scope="module")
def steps():
    """[(instruction, its text)] of the Dockerfile, comments left out and continued lines joined."""
    lines = [line for line in (HERE / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in "\n".join(lines).replace("\\\n", " ").splitlines()]


# ------------------------------------------------------------------ the chart's values


def bytes_of(text: str) -> int:
    """JupyterHub's way to write bytes, powers of 1024 each (Spawner.mem_limit)."""
    return int(float(text[:-1]) * 1024 ** " KMGT".index(text[-1]))


def walk(value, path=()):
    """Every (path, value) that holds no other."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from walk(one, (*path, key))
    if not inner:
        yield path, value


TYPES = {  # what the schema of the chart demands of what a reader may change
    "hub.activeServerLimit": int, "hub.concurrentSpawnLimit": int, "hub.allowNamedServers": bool,
    "hub.db.pvc.storage": str, "hub.config.Authenticator.admin_users": list, "proxy.https.enabled": bool,
    "proxy.https.hosts": list, "proxy.https.letsencrypt.contactEmail": str, "singleuser.image.name": str,
    "singleuser.image.tag": str, "singleuser.cpu.guarantee": float, "singleuser.cpu.limit": int,
    "singleuser.memory.guarantee": str, "singleuser.memory.limit": str, "singleuser.startTimeout": int,
    "singleuser.storage.capacity": str, "singleuser.uid": int, "singleuser.fsGid": int, "singleuser.defaultUrl": str,
    "singleuser.networkPolicy.egress": list, "singleuser.cloudMetadata.blockWithIptables": bool,
    "singleuser.cloudMetadata.ip": str, "cull.enabled": bool, "cull.timeout": int, "cull.every": int, "cull.users": bool,
    "scheduling.userScheduler.enabled": bool, "scheduling.userPlaceholder.replicas": int,
    "prePuller.hook.enabled": bool, "prePuller.continuous.enabled": bool}


@pytest.mark.parametrize("path", TYPES)
def test_what_a_teacher_may_change_has_the_type_that_the_chart_demands(values, path):
    found = values
    for key in path.split("."):
        found = found[key]
    assert type(found) is TYPES[path]


def test_the_image_is_of_this_version(values):
    assert values["singleuser"]["image"]["tag"] == kit.__version__
    assert f":{kit.__version__} ." in (HERE / "Dockerfile").read_text()


def test_a_learner_has_memory_for_the_heaviest_lesson_and_at_the_limit_for_two(values):
    memory = values["singleuser"]["memory"]
    assert bytes_of(memory["guarantee"]) > (SERVER_MB + HEAVIEST_MB) * MB
    assert bytes_of(memory["limit"]) > (SERVER_MB + 2 * HEAVIEST_MB) * MB


def test_nobody_comes_in_without_an_account(values):
    """The class's accounts, which need a code that isn't in the file: an empty one lets nobody sign up."""
    config = values["hub"]["config"]
    assert config["JupyterHub"]["authenticator_class"] == "accounts.ClassAccounts"
    assert not {"code", "teacher_code"} & config["ClassAccounts"].keys()
    assert not re.search("dummy|tmpauth|nullauth", (HERE / "values.yaml").read_text(), re.I)


def test_the_hub_gets_the_accounts_and_their_page_from_where_they_are(values):
    """What --set-file brings, as the file's first lines say, is there, and nothing is mounted without it."""
    text = (HERE / "values.yaml").read_text()
    brought = dict(re.findall(r"--set-file hub\.extraFiles\.(\w+)\.stringData=(\S+)", text))
    assert brought.keys() == values["hub"]["extraFiles"].keys()
    assert all((ROOT / path).is_file() for path in brought.values())
    for key, path in brought.items():
        assert Path(values["hub"]["extraFiles"][key]["mountPath"]).name == Path(path).name


@pytest.mark.parametrize("name, may", [("ada", True), ("ada.l-2", True), ("ada/../bob", False), ("Ada", False)])
def test_a_name_is_one_that_can_name_a_volume(values, name, may):
    """JupyterHub matches the pattern at the beginning only."""
    assert bool(re.match(values["hub"]["config"]["Authenticator"]["username_pattern"], name)) is may


def test_every_setting_of_the_accounts_is_one_of_theirs(values):
    assert values["hub"]["config"]["ClassAccounts"].keys() <= ClassAccounts.class_traits().keys()


def test_no_secret_is_in_the_file(values):
    secret = re.compile("password$|secret|token$|code$|private_?key|api_?key", re.I)
    assert not [path for path, one in walk(values)
                if any(secret.search(str(key)) for key in path) and not isinstance(one, bool)]


def test_a_learners_pod_reaches_the_hub_and_dns_and_nothing_else(values):
    policy = values["singleuser"]["networkPolicy"]
    assert policy["enabled"] and policy["egress"] == [] and policy["ingress"] == []
    rules = policy["egressAllowRules"]
    assert {rule for rule, on in rules.items() if on} == {"dnsPortsKubeSystemNamespace", "dnsPortsPrivateIPs"}
    assert {"nonPrivateIPs", "dnsPortsCloudMetadataServer"} <= rules.keys()  # left away, they would be on
    assert values["singleuser"]["cloudMetadata"] == {"blockWithIptables": True, "ip": "169.254.169.254"}


def test_a_learners_pod_has_no_rights(values):
    user, container = values["singleuser"], values["hub"]["config"]["KubeSpawner"]["container_security_context"]
    assert user["extraPodConfig"]["automountServiceAccountToken"] is False and "serviceAccountName" not in user
    assert user["allowPrivilegeEscalation"] is False and user["uid"] == 1000
    assert container["capabilities"] == {"drop": ["ALL"]} and container["runAsNonRoot"] is True
    assert "ephemeral-storage" in user["extraResource"]["limits"]


def test_passwords_travel_encrypted_and_work_outlives_a_server(values):
    assert values["proxy"]["https"]["enabled"] and values["hub"]["db"]["type"] == "sqlite-pvc"
    assert values["singleuser"]["storage"]["type"] == "dynamic" and values["cull"]["users"] is False


def test_a_learner_begins_at_a_lesson_that_is_there(values):
    lesson = values["singleuser"]["defaultUrl"].removeprefix("/lab/tree/")
    assert (ROOT / lesson).is_file() and Path(lesson).parts[0] in LAID_OUT


def test_places_are_for_the_same_class_everywhere(values):
    learners = values["hub"]["config"]["ClassAccounts"]["places"]
    assert values["hub"]["activeServerLimit"] == learners + 1 <= values["hub"]["concurrentSpawnLimit"]


# ------------------------------------------------------------------ the image's recipe


def at(steps, instruction, words=""):
    """The numbers of the steps with an instruction and words."""
    return [number for number, (name, text) in enumerate(steps) if name == instruction and words in text]


def test_the_recipe_has_dockers_instructions_in_an_order_that_works(steps):
    known = {"FROM", "ARG", "RUN", "COPY", "USER", "ENV", "WORKDIR", "EXPOSE", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in steps} <= known
    assert at(steps, "FROM") == [0] and re.fullmatch(r"python:3\.12-slim-\w+", steps[0][1])
    (argument,), uses = at(steps, "ARG"), at(steps, "RUN", "${JUPYTERHUB_VERSION}")
    assert argument < min(uses)
    assert [name for name, _ in steps[-2:]] == ["ENTRYPOINT", "CMD"]
    assert all(isinstance(json.loads(text), list) for _, text in steps[-2:])


def test_packages_come_before_the_project_so_that_a_changed_lesson_reuses_them(steps):
    (install,) = at(steps, "RUN", "pip install")
    before = [text.split()[:-1] for name, text in steps[:install] if name == "COPY"]
    assert before == [["constraints.txt", "pyproject.toml"]]
    after = {text.split()[0] for name, text in steps[install:] if name == "COPY"}
    assert after == {"kit/course/jupyter/labconfig/default_setting_overrides.json", *LAID_OUT}


def test_every_package_is_installed_at_its_pin_and_jupyterhub_at_the_charts(steps):
    recipe = "\n".join(text for _, text in steps)
    assert recipe.count("pip install") == 1 and "://" not in recipe
    arguments = re.search(r"pip install ([^&\n]*)", recipe)[1].replace('"', "").split()
    assert ["--constraint", "pins.txt"] == arguments[arguments.index("--constraint"):][:2]
    plain = [one for one in arguments if not one.startswith("--") and not one.endswith(".txt")]
    assert plain == ["jupyterhub==${JUPYTERHUB_VERSION}", "nbgitpuller"] and "nbgitpuller" in pins()
    version = dict(text.split("=") for name, text in steps if name == "ARG")["JUPYTERHUB_VERSION"]
    assert f"JupyterHub {version} " in (HERE / "values.yaml").read_text()


def test_what_the_recipe_makes_of_the_list_of_pins_is_what_the_kit_needs(steps, tmp_path):
    """The lines of the recipe themselves, run up to pip."""
    for name in ("constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    lines = steps[at(steps, "RUN", "pip install")[0]][1].partition("&& pip install")[0]
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    subprocess.run(["sh", "-euc", lines], cwd=tmp_path, check=True, timeout=60, env=os.environ | {"PATH": path})
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert (tmp_path / "needed.txt").read_text().split("\n")[:-1] == wanted
    all_, kept = (set(path.read_text().splitlines()) for path in (ROOT / "constraints.txt", tmp_path / "pins.txt"))
    assert all_ - kept == {f"jupyterhub=={pins()['jupyterhub']}"}


def test_the_server_runs_as_the_user_and_in_the_home_that_the_values_say(steps, values):
    (user,) = (text for name, text in steps if name == "USER")
    assert int(user) == values["singleuser"]["uid"]
    assert f"--uid {user} --gid {values['singleuser']['fsGid']} " in str(steps)
    home = values["singleuser"]["storage"]["homeMountPath"]
    assert [text for name, text in steps if name == "WORKDIR"][-1] == home == collect.HOME
    assert any(f"HOME={home}" in text.split() for name, text in steps if name == "ENV")
    assert f"--env PYTHONPATH {home}" in str(steps)


def test_docker_sees_what_is_copied_and_no_solutions(steps):
    lines = (HERE / "Dockerfile.dockerignore").read_text().splitlines()
    first, *let = [line for line in lines if line and line[0] != "#"]
    seen = {line[1:] for line in let if line[0] == "!"}
    copied = {one.split("/")[0] for name, text in steps if name == "COPY" for one in text.split()[:-1]}
    assert first == "*" and seen == copied and all((ROOT / name).exists() for name in seen)


# ------------------------------------------------------------------ what the server does first


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def project(tmp_path):
    """A small project of the same shape."""
    for name, text in {"notebooks/a.ipynb": "a", "exercises/a.ipynb": "x", "kit/m.py": "m = 1",
                       "solutions/a.ipynb": "s"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_new_home_gets_the_lessons_the_exercises_and_the_kit(project, home):
    assert lay_out(project, home) == ["exercises/a.ipynb", "kit/m.py", "notebooks/a.ipynb"]
    assert (home / "kit" / "m.py").read_text() == "m = 1" and not (home / "solutions").exists()
    assert lay_out(project, home) == []


def test_a_new_image_renews_what_the_learner_left_alone_and_keeps_what_they_changed(project, home):
    lay_out(project, home)
    (home / "exercises" / "a.ipynb").write_text("my answer")
    for name in ("notebooks/a.ipynb", "exercises/a.ipynb", "notebooks/b.ipynb"):
        (project / name).write_text("newer")
    assert lay_out(project, home) == ["notebooks/a.ipynb", "notebooks/b.ipynb"]
    assert (home / "exercises" / "a.ipynb").read_text() == "my answer"
    assert lay_out(project, home) == []


def test_what_a_learner_deleted_comes_anew(project, home):
    lay_out(project, home)
    (home / "exercises" / "a.ipynb").unlink()
    assert lay_out(project, home) == ["exercises/a.ipynb"]


def test_a_home_that_was_laid_out_by_half_is_finished(project, home):
    """The note is written last: files without a note that are as the image has them are not the learner's."""
    lay_out(project, home)
    (home / ".laid_out.json").unlink()
    assert lay_out(project, home) == []
    (project / "kit" / "m.py").write_text("m = 2")
    assert lay_out(project, home) == ["kit/m.py"]


def start(home, *command):
    """The image's own start, as its ENTRYPOINT has it, but that here the kit is found where it is."""
    return subprocess.run([sys.executable, "-m", "kit.classroom.start", *command], cwd=home, capture_output=True, text=True,
                          env={"HOME": os.fspath(home), "PATH": os.environ["PATH"], "PYTHONPATH": os.fspath(ROOT)}, timeout=60)


def test_the_server_follows_in_a_home_that_is_ready(steps, home):
    assert json.loads(steps[at(steps, "ENTRYPOINT")[0]][1])[-2:] == ["-m", "kit.classroom.start"]
    done = start(home, "sh", "-c", "ls; echo $0 $1", "jupyterhub-singleuser", "--ip=0.0.0.0")
    assert done.stdout.split() == ["exercises", "kit", "notebooks", "jupyterhub-singleuser", "--ip=0.0.0.0"]
    code = "import kit.course.syllabus as s; print(s.__file__, len(s.lessons()))"
    learner = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": os.fspath(home)}, cwd=home / "notebooks",
                             check=True, capture_output=True, text=True, timeout=60).stdout.split()
    assert learner == [os.fspath(home / "kit/course/syllabus.py"), "30"]


@pytest.mark.parametrize("name, text", [("exercises", "a file in the folder's place"), (".laid_out.json", "{")])
def test_a_home_that_cannot_be_laid_out_gets_its_server_all_the_same(home, name, text):
    (home / name).write_text(text)
    done = start(home, "echo", "here")
    assert done.stdout == "here\n" and done.returncode == 0 and "could not all be laid out" in done.stderr


# ------------------------------------------------------------------ collecting


KUBECTL = """#!{python}
import json, os, subprocess, sys, time
from pathlib import Path
here = Path({here!r})
asked = [one for one in sys.argv[1:] if not one.startswith("--")]
assert sys.argv[1] == "--namespace=class-b", sys.argv
if asked[0] == "get":
    print((here / asked[1]).read_text())
elif asked[0] == "exec":
    assert sys.argv[-1] == "exercises" and "--directory=/home/jovyan" in sys.argv
    if (here / asked[1]).is_dir():  # a pod with a home: the command itself is run there
        command = [one.replace("=/home/jovyan", f"={{here / asked[1]}}") for one in sys.argv[sys.argv.index("--") + 1:]]
        sys.exit(subprocess.run(command, env={{"PATH": os.defpath}}).returncode)
    while (here / "silent").exists():
        time.sleep(0.1)
    sys.stdout.buffer.write((here / f"{{asked[1]}}.tar").read_bytes())
"""


def write(path, text):
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A stand-in for kubectl; cluster(learners, running) sets who there is, cluster.tar what a pod answers with."""
    program = tmp_path / "bin" / "kubectl"
    write(program, KUBECTL.format(python=sys.executable, here=os.fspath(tmp_path)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.fspath(program.parent))

    def owned(kind, names):
        return json.dumps({"items": [
            {"metadata": {"name": f"{kind}-{number}", "annotations": {"hub.jupyter.org/username": name}}}
            for number, name in enumerate(names)]})

    def people(learners, running):
        (tmp_path / "persistentvolumeclaims").write_text(owned("claim", learners))
        (tmp_path / "pods").write_text(owned("jupyter", running))

    def tar(pod, *members):
        with tarfile.open(tmp_path / f"{pod}.tar", "w") as archive:
            for name, data, kind in members:
                member = tarfile.TarInfo(name)
                member.type, member.size = kind, len(data) if kind == tarfile.REGTYPE else 0
                member.linkname = "" if kind == tarfile.REGTYPE else data.decode()
                archive.addfile(member, BytesIO(data))

    people.tar = tar
    return people


def test_the_exercises_of_all_who_are_there_are_collected_and_the_others_named(cluster, tmp_path, capsys):
    cluster(["ada", "bob"], ["ada"])
    write(tmp_path / "jupyter-0" / "exercises" / "18_messaging.ipynb", "mine")
    assert collect.main([os.fspath(tmp_path / "in"), "--namespace", "class-b"]) == 1
    assert (tmp_path / "in" / "ada" / "18_messaging.ipynb").read_bytes() == b"mine"
    assert capsys.readouterr().out == "ada: collected\nbob: the server doesn't run: start it on the hub's admin page\n"


def test_a_pod_writes_nothing_but_notebooks_in_its_own_place(cluster, tmp_path):
    cluster(["eve"], ["eve"])
    cluster.tar("jupyter-0",
                ("exercises/../../bob/18_messaging.ipynb", b"!", tarfile.REGTYPE),
                ("/etc/cron.d/x.ipynb", b"!", tarfile.REGTYPE),
                ("exercises/02_identity.ipynb", b"/etc/passwd", tarfile.SYMTYPE),
                ("exercises/03_servers.ipynb", b"exercises/18_messaging.ipynb", tarfile.LNKTYPE),
                ("exercises/.hidden.ipynb", b"!", tarfile.REGTYPE),
                ("elsewhere/exercises/09_load_balancing.ipynb", b"!", tarfile.REGTYPE),
                ("exercises/run.sh", b"!", tarfile.REGTYPE),
                ("exercises/18_messaging.ipynb", b"mine", tarfile.REGTYPE))
    assert collect.collect(tmp_path / "in", "class-b") == {"eve": ""}
    assert [path for path in tmp_path.rglob("*.ipynb")] == [tmp_path / "in" / "eve" / "18_messaging.ipynb"]


def test_a_name_that_leads_elsewhere_becomes_no_folder(cluster, tmp_path):
    cluster(["../up", "a/b"], ["../up", "a/b"])
    assert set(collect.collect(tmp_path / "in", "class-b").values()) == {"this name cannot be a folder's: copy by hand"}
    assert not (tmp_path / "in").exists()


def test_a_pod_that_sends_without_end_is_left(cluster, tmp_path, monkeypatch):
    cluster(["eve"], ["eve"])
    cluster.tar("jupyter-0", *((f"exercises/{number}.ipynb", b"!", tarfile.REGTYPE) for number in range(9)),
                ("exercises/big.ipynb", bytes(2000), tarfile.REGTYPE))
    monkeypatch.setattr(collect, "BIGGEST", 1000)
    assert "too large" in collect.collect(tmp_path / "in", "class-b")["eve"]
    monkeypatch.setattr(collect, "MOST", 5)
    assert "one too many" in collect.collect(tmp_path / "two", "class-b")["eve"]
    assert len(list((tmp_path / "two" / "eve").iterdir())) == 5


def test_a_pod_that_says_nothing_is_left_when_its_time_is_up(cluster, tmp_path, monkeypatch):
    cluster(["eve"], ["eve"])
    (tmp_path / "silent").touch()
    monkeypatch.setattr(collect, "SECONDS", 0.5)
    assert collect.collect(tmp_path / "in", "class-b")["eve"].startswith("the copy broke off")


def test_a_pod_that_answers_with_something_else_is_named(cluster, tmp_path):
    cluster(["eve"], ["eve"])
    (tmp_path / "jupyter-0.tar").write_bytes(b"no archive" * 1000)
    assert collect.collect(tmp_path / "in", "class-b")["eve"].startswith("the copy broke off")


def test_a_cluster_that_cannot_be_asked_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    assert collect.main([os.fspath(tmp_path)]) == 2
    assert "kubectl is not installed" in capsys.readouterr().err
