"""Programs beside Python that some tests need. Where one is missing, they are not collected; in CI that is a failure."""

import os
import shutil
from pathlib import Path

import pytest

from kit.classroom import apart

ROOT = Path(__file__).parents[2]
PROXY = ROOT / ".venv" / "hub" / "node_modules" / ".bin" / "configurable-http-proxy"
CHROMIUMS = "chromium", "chromium-browser", "google-chrome-stable", "google-chrome"


def missing() -> dict[str, str]:
    """{what is left out: why, and what to do}."""
    reasons = {}
    if not chromium():
        reasons["tests in a browser"] = "no Chromium; on Debian: apt install chromium"
    if not npm():
        reasons["tests of the page without a server"] = "no npm; install Node.js"
    if apart.refusal():
        reasons["tests of grading and of the classroom"] = apart.refusal()
    elif not PROXY.exists():
        reasons["tests of the classroom's hub"] = "no proxy; install Node.js with npm and run make test again"
    return reasons


def chromium() -> str | None:
    return next(filter(None, map(shutil.which, CHROMIUMS)), None)


def npm() -> str | None:
    return shutil.which("npm")


def left_out(*pairs) -> list[str]:
    """From (whether a tool is here, pattern) the patterns of the files to leave out; in CI the run ends instead."""
    patterns = [pattern for here, pattern in pairs if not here]
    if patterns and os.environ.get("CI"):
        pytest.exit(f"in CI every test runs: {missing()}", returncode=1)
    return patterns
