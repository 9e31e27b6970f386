"""What all tests share."""

import os
import pathlib

import pytest
from hypothesis import settings

ROOT = pathlib.Path(__file__).parents[1]

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")

os.environ["KIT_STRICT"] = "1"  # a behaviour of the sandbox that fails fails its test; kernels of notebooks inherit it


def pytest_terminal_summary(terminalreporter):
    """What this machine cannot test is said."""
    import tools
    for tests, reason in tools.missing().items():
        terminalreporter.write_line(f"Left out: {tests} ({reason}).")


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    """No test writes into the learner's own progress."""
    monkeypatch.setenv("KIT_PROGRESS", os.fspath(tmp_path / "progress.json"))


@pytest.fixture
def sandbox():
    """An empty sandbox of seed 1, and empty again afterwards."""
    from kit import lab  # seals the process: only tests that want a sandbox
    sandbox = lab.start()
    sandbox.reset(seed=1)
    yield sandbox
    sandbox.reset(seed=1)


@pytest.fixture
def happened(sandbox, monkeypatch):
    """All that the behaviours let happen from now on: a count, where seconds would depend on the machine."""
    from kit.lab.life import GuardedClock
    names, run = [], GuardedClock._run

    def counted(clock, function, *arguments):
        names.append(getattr(function, "__qualname__", str(function)))
        run(clock, function, *arguments)

    monkeypatch.setattr(GuardedClock, "_run", counted)
    return names


@pytest.fixture(scope="session")
def root() -> pathlib.Path:
    return ROOT
