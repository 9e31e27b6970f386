"""Make a notebook ready to commit: no outputs but the text of cells that are checked, no figures, no widget state.

Run the notebook in JupyterLab first; what its cells tagged ``nbval-check-output`` print is kept as what every reader
sees and every test run compares.
"""

from pathlib import Path

import nbformat

CHECKED = "nbval-check-output"
METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"}}


def tidy(path: Path) -> bool:
    """Rewrite the notebook if that changes it; says whether it did. ValueError if a checked cell has not been run."""
    before = Path(path).read_text(encoding="utf-8")
    try:
        notebook = nbformat.reads(before, as_version=4)
    except Exception as error:  # nbformat raises many kinds for one reason
        raise ValueError(f"{path} is damaged or no notebook ({type(error).__name__})") from None
    notebook.metadata = METADATA
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        cell.metadata = {name: value for name, value in cell.metadata.items()
                         if name in ("tags", "claims", "corrects", "nbgrader", "deletable", "editable")}
        checked = CHECKED in cell.metadata.get("tags", [])
        cell.outputs = _joined(kept for output in cell.outputs if checked and (kept := _text(output, number)))
        cell.execution_count = number if checked else None  # nbval compares only what has a number
        if checked and not cell.outputs:
            raise ValueError(f"{path}: the cell {cell.id} is to be checked, but has no text; run the notebook first")
    after = nbformat.writes(notebook) + "\n"
    if after != before:
        Path(path).write_text(after, encoding="utf-8", newline="\n")
    return after != before


def _joined(outputs) -> list:
    """What is printed comes in pieces that differ from run to run."""
    kept = []
    for output in outputs:
        if kept and output.output_type == kept[-1].output_type == "stream":
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def _text(output, number: int):
    """An output without everything but its text, or None."""
    if output.output_type == "stream" and output.name == "stdout":
        return output
    if output.output_type == "execute_result" and "text/plain" in output.data:
        return nbformat.v4.new_output("execute_result", {"text/plain": output.data["text/plain"]}, execution_count=number)
    return None
