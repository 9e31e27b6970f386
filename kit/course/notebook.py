"""The cells of a notebook file, without loading nbformat."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cell:
    """A cell. kind: code, markdown or raw; run: whether it holds outputs or a count of a run."""

    id: str
    kind: str
    source: str
    metadata: dict
    run: bool

    @property
    def grader(self) -> dict:
        """nbgrader's metadata, {} if there are none."""
        return self.metadata.get("nbgrader", {})

    @property
    def exercise(self) -> str | None:
        """The id of the exercise that this cell checks, None if it checks none."""
        return self.grader.get("grade_id") if self.grader.get("grade") else None


def read(path: Path) -> list[Cell]:
    """The cells of a notebook; ValueError in words if the file is none."""
    data = Path(path).read_bytes()
    try:
        notebook = json.loads(data)
        if notebook["nbformat"] == 4:
            return [_cell(cell, number) for number, cell in enumerate(notebook["cells"])]
        reason = "its format is an old one; open it in JupyterLab and save it"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"missing {error}" if isinstance(error, KeyError) else str(error)[:120]
    raise ValueError(f"{path} is no notebook, or a damaged one: {reason}")


def _cell(cell: dict, number: int) -> Cell:
    source, metadata = "".join(cell["source"]), dict(cell["metadata"])
    dict(metadata.get("nbgrader", {}))  # a TypeError if it is something else
    return Cell(str(cell.get("id", number)), cell["cell_type"], source, metadata,
                bool(cell.get("outputs") or cell.get("execution_count")))
