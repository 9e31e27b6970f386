"""What a lesson prints: the same wherever it runs."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient


def printed(path: Path) -> dict[int, str]:
    """{cell's number: what it prints} of a notebook, run by a kernel on this machine."""
    notebook = NotebookClient(nbformat.read(path, 4), resources={"metadata": {"path": path.parent}}).execute()
    return {number: text_of(cell.outputs) for number, cell in enumerate(notebook.cells) if cell.cell_type == "code"}


def text_of(outputs: list[dict]) -> str:
    """What stands in a cell's outputs as plain text that it printed."""
    texts = (output["text"] for output in outputs if output["output_type"] == "stream")
    return "".join(text if isinstance(text, str) else "".join(text) for text in texts)
