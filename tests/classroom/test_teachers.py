"""The page for teachers says what is so: its options, its figures, and its commands, which are run here."""

import math
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from kit.classroom import hub

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "kit" / "classroom" / "TEACHERS.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = [re.sub(r"^ {2,3}", "", block, flags=re.M)
            for block in re.findall(r"^ *```\n(.*?)^ *```$", TEXT, re.S | re.M)]


def command(words: str) -> str:
    (found,) = (one for one in COMMANDS if words in one)
    return found


def sh(line: str, **environment) -> str:
    """Run a command of the page as a teacher would; what it prints."""
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    done = subprocess.run(["sh", "-euc", line], cwd=ROOT, env=os.environ | {"PATH": path} | environment, check=True,
                          capture_output=True, text=True, timeout=60)
    return done.stdout


def table(head: str) -> list[list[str]]:
    """The rows of the table whose first line begins so."""
    rows = TEXT[TEXT.index(head):].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.mark.parametrize("target", [one for one in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in one])
def test_a_link_leads_to_a_file(target):
    assert (PAGE.parent / target).is_file()


def test_the_options_are_those_of_the_classroom_with_its_defaults():
    said = dict(re.findall(r"--([a-z-]+) ([^\s`]+)", " ".join(row[0] for row in table("| Option |"))))
    settings = {field.name.replace("_", "-"): field.default for field in fields(hub.Classroom)}
    assert said.keys() == settings.keys() - {"code", "teacher-code"}
    for name, value in said.items():
        assert value.isupper() or name == "folder" or value == format(settings[name], "" if name == "ip" else "g"), name


def test_a_machine_is_as_large_as_the_classroom_says():
    for learners, memory, machine in table("| Learners at once | Memory"):
        needs = (hub.HUB_MB + int(learners) * hub.SERVER_MB) / 1000
        assert memory == f"{needs:.0f} GB" and int(machine.split()[0]) > needs
    assert f"About {hub.HUB_MB} MB for the hub and {hub.SERVER_MB} MB for each" in TEXT


def test_a_cluster_is_as_large_as_the_values_make_it():
    """A machine's 16 GB less 2.5, by what each learner is guaranteed."""
    values = yaml.safe_load((PAGE.parent / "kubernetes" / "values.yaml").read_text())["singleuser"]
    fit = int(13.5 * 1024 / int(values["memory"]["guarantee"].removesuffix("M")))
    assert f"about {fit}," in TEXT and fit * values["cpu"]["guarantee"] < 4
    for learners, machines in table("| Learners at once | Machines"):
        assert int(machines) == math.ceil(int(learners) / fit)


def test_the_command_for_the_codes_makes_what_the_chart_takes(tmp_path):
    sh(command("new_code").replace("secrets.yaml", os.fspath(tmp_path / "secrets.yaml")))
    accounts = yaml.safe_load((tmp_path / "secrets.yaml").read_text())["hub"]["config"]["ClassAccounts"]
    assert accounts.keys() == {"code", "teacher_code"} and accounts["code"] != accounts["teacher_code"]
    assert all(re.fullmatch(r"[a-z2-9]{4}-[a-z2-9]{4}", code) for code in accounts.values())


def test_the_command_for_a_link_prints_one():
    assert sh(command("git_pull")).startswith("https://hub.example.org/hub/user-redirect/git-pull?repo=")


def test_the_modules_of_the_commands_are_there():
    for name in re.findall(r"^python -m (\S+(?: grade)?)", "\n".join(COMMANDS), re.M):
        sh(f"python -m {name} --help")
