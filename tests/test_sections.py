"""After the imports, each section of a lesson runs on its own: whoever comes back can begin anywhere."""

import re
from pathlib import Path

import nbformat
import pytest

from kit import lab

LESSONS = sorted((Path(__file__).parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def sections():
    """(lesson and heading, code of the imports, code cells of the section), for every heading of the second level."""
    for path in LESSONS:
        imports, heading, code = None, None, []
        for cell in nbformat.read(path, as_version=4).cells:
            titles = re.findall(r"^## (.*)$", cell.source, re.M) if cell.cell_type == "markdown" else []
            if titles:
                if code:
                    yield pytest.param(imports, code, id=f"{path.stem}: {heading}")
                heading, code = titles[-1], []
            elif cell.cell_type == "code" and imports is None:
                imports = cell.source
            elif cell.cell_type == "code":
                code.append(cell.source)
        if code:
            yield pytest.param(imports, code, id=f"{path.stem}: {heading}")


@pytest.mark.parametrize("imports, code", list(sections()))
def test_a_section_runs_on_its_own(imports, code):
    lab.start().reset()
    names = {"__name__": "__main__"}
    exec(imports, names)
    for cell in code:
        exec(cell, names)
