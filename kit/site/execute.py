"""Runs a lesson once and keeps what came of it: its outputs, and what its panels would answer."""

import hashlib
import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[2]
WIDGET = "application/vnd.jupyter.widget-view+json"
LIMIT = 600  # s for one cell, on a machine that is busy with other things


def executed(path: Path, cache: Path) -> tuple[nbformat.NotebookNode, dict[str, dict], bool]:
    """A lesson's notebook with its outputs, its panels by the id in those outputs (see ``kit.site.record``), and whether
    it was run just now: else it is what the last run left in ``cache``, and nothing that it stands on has changed since.

    RuntimeError if a cell fails, with the cell's first line and the error.
    """
    kept = Path(cache) / f"{path.stem}.json"
    result = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else None
    fresh = result is None or result["fingerprint"] != _fingerprint(path, result["files"])
    if fresh:
        result = run(path)
        result["fingerprint"] = _fingerprint(path, result["files"])
        kept.parent.mkdir(parents=True, exist_ok=True)
        whole = kept.with_suffix(f".{os.getpid()}")
        whole.write_text(json.dumps(result, sort_keys=True), encoding="utf-8")
        whole.replace(kept)  # who builds beside us never reads half of it
    return nbformat.from_dict(result["notebook"]), result["panels"], fresh


def run(path: Path) -> dict:
    """Run a notebook in a kernel and a folder of its own: {"notebook", "panels", "files"}, the last those of the kit
    that were imported."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / "notebooks"
        here.mkdir()
        client = NotebookClient(notebook, timeout=LIMIT, kernel_name="python3", store_widget_state=False,
                                extra_arguments=["--log-level=ERROR"],  # not a word of how the kernel is reached
                                resources={"metadata": {"path": str(here)}})
        paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        environment = {**os.environ, "PYTHONPATH": paths, "PATH": programs, "PYTHONHASHSEED": "0",
                       "KIT_PROGRESS": str(Path(folder) / "progress.json")}
        with client.setup_kernel(env=environment):
            panels = _cells(client, path, Path(folder) / "panels.json")
            files = _hidden(client, "imported", str(ROOT / "kit"), Path(folder) / "files.json")
    numbered = {str(number): panel for number, panel in enumerate(panels.values())}
    return {"notebook": _settled(notebook, list(panels)), "panels": numbered, "files": files}


def _cells(client: NotebookClient, path: Path, record: Path) -> dict[str, dict]:
    """Run each cell; its panels are asked at once, while everything is as the cell left it."""
    panels = {}
    for index, cell in enumerate(client.nb.cells):
        try:
            client.execute_cell(cell, index)
            shown = [model for output in cell.get("outputs", []) if (model := _model(output))]
            if shown:
                panels |= _hidden(client, "record", shown, record)
        except CellExecutionError as error:
            first = cell.source.strip().partition("\n")[0]
            raise RuntimeError(f"{path.name}: the cell that begins “{first}” failed with {error.ename}: {error.evalue}. "
                               "Run the lesson in JupyterLab to see it.") from None
    return panels


def _hidden(client: NotebookClient, function: str, argument, answer: Path):
    """What a function of ``kit.site.record`` writes, called in the lesson's kernel but in none of its cells."""
    first = client.nb.cells[0]
    source = f"__import__('kit.site.record', fromlist=['']).{function}({argument!r}, {str(answer)!r})"
    client.execute_cell(nbformat.v4.new_code_cell(source), 0, store_history=False)
    client.nb.cells[0] = first
    return json.loads(answer.read_text(encoding="utf-8"))


def _model(output) -> str | None:
    return output.get("data", {}).get(WIDGET, {}).get("model_id")


def _settled(notebook: nbformat.NotebookNode, models: list[str]) -> nbformat.NotebookNode:
    """Without what differs from run to run: the widgets' ids, times, and how the printed text was cut in pieces."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        cell.metadata.pop("trusted", None)
        joined = []
        for output in cell.get("outputs", []):
            if model := _model(output):
                output.data[WIDGET]["model_id"] = str(models.index(model))
            if joined and output.output_type == joined[-1].output_type == "stream" and output.name == joined[-1].name:
                joined[-1].text += output.text
            else:
                joined.append(output)
        if cell.cell_type == "code":
            cell.outputs = joined
    return notebook


def _fingerprint(path: Path, files: list[str]) -> str:
    """Of what decides the run of a lesson: the notebook, the files of the kit that it imports, the kit's data, the names
    of all lessons (00_start_here lists them), Python and the packages."""
    told = hashlib.sha256(path.read_bytes())
    data = [file.relative_to(ROOT / "kit").as_posix() for file in (ROOT / "kit").rglob("*.yaml")]
    for name in sorted({*files, *data}):
        file = ROOT / "kit" / name
        told.update(f"{name}\n".encode() + (file.read_bytes() if file.exists() else b""))
    lessons = sorted(file.name for folder in ("notebooks", "exercises") for file in (ROOT / folder).glob("*.ipynb"))
    packages = [f"{name} {version(name)}" for name in ("anywidget", "boto3", "ipywidgets", "moto", "plotly")]
    told.update(" ".join([sys.version, *packages, *lessons, Path(__file__).read_text(encoding="utf-8")]).encode())
    return told.hexdigest()
