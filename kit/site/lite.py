"""JupyterLite: JupyterLab, Python and the whole kit as files, which a browser tab runs without a server.

    build(Path(".site/live"), Path(".venv/site-cache"))

Python itself is Pyodide's, from its npm package, the one thing that is fetched, and once. The packages are those of
``packages``; all are there when a kernel starts (``start.mjs``), so that a notebook finds them as it finds them
anywhere. The learner's copies of notebooks/ and exercises/ are on the tab's drive, in the browser's own storage.

The pages forbid themselves every address but their own (a Content-Security-Policy).
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from kit.site.packages import KERNEL, ROOT, write

PYODIDE = "314.0.6"
PARTS = "pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"  # of its npm package
START = Path(__file__).with_name("start.mjs")
THERE = "comm", "ipykernel", "ipython", "jedi", "micropip", "piplite", "pyodide-kernel"  # the kernel need not fetch these
EXTENSIONS = ("@jupyterlite/pyodide-kernel-extension", "@jupyter-widgets/jupyterlab-manager", "anywidget",
              "jupyterlab_pygments")
NEVER = ("@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension")
POLICY = ("default-src 'self' data: blob:; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval'; "
          "style-src 'self' blob: 'unsafe-inline'")


def build(out: Path, cache: Path) -> None:
    """Put a complete JupyterLite into the folder ``out``; what was fetched or made is kept in ``cache``.

    RuntimeError in words if a package is missing or a tool fails; FileNotFoundError without npm or node.
    """
    shutil.rmtree(out, ignore_errors=True)
    pyodide = _pyodide(cache)
    with tempfile.TemporaryDirectory() as scratch:
        _jupyterlite(out, Path(scratch))
    python = out / "static" / "pyodide"
    python.mkdir(parents=True)
    for part in PARTS:
        shutil.copyfile(pyodide / part, python / part)
    shutil.copy(START, python)
    write(python, cache, pyodide)
    lock = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
    lock["packages"] = {}  # nothing is left to load
    (python / "pyodide-lock.json").write_text(json.dumps(lock, indent=1), encoding="utf-8")
    _configure(out / "jupyter-lite.json")
    for page in out.rglob("index.html"):
        _close(page)


def address(notebook: str) -> str:
    """Where a notebook is opened, seen from the folder of the built JupyterLite.

    In a workspace of its own: else JupyterLab would open again whatever was open before, each with a Python of its own.
    """
    return f"lab/index.html?workspace={notebook.removesuffix('.ipynb').replace('/', '-')}&path={notebook}"


def _pyodide(cache: Path) -> Path:
    """Pyodide's npm package, unpacked: fetched by npm, from where npm is set up to fetch, unless it is there."""
    folder = cache / f"pyodide-{PYODIDE}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as draft:
            subprocess.run(["npm", "pack", "--silent", f"pyodide@{PYODIDE}"], cwd=draft, check=True, stdout=subprocess.DEVNULL)
            with tarfile.open(next(Path(draft).glob("*.tgz"))) as packed:
                packed.extractall(draft, filter="data")
            os.rename(Path(draft, "package"), folder)
    return folder


def _jupyterlite(out: Path, scratch: Path) -> None:
    """JupyterLab's own files, the lessons and the exercises."""
    for folder in ("notebooks", "exercises"):
        shutil.copytree(ROOT / folder, scratch / "drive" / folder, ignore=shutil.ignore_patterns(".*"))
    extensions = Path(sys.prefix) / KERNEL.parents[1]
    settings = {"LiteBuildConfig": {
        "apps": ["lab"], "contents": [str(scratch / "drive")], "output_dir": str(out.absolute()), "ignore_sys_prefix": True,
        "federated_extensions": [str(extensions / one) for one in EXTENSIONS], "no_sourcemaps": True,
        "no_unused_shared_packages": True, "cache_dir": str(scratch / "cache")}}
    (scratch / "jupyter_lite_config.json").write_text(json.dumps(settings), encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(scratch)], cwd=scratch,
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"JupyterLite could not be built: {done.stdout[-1500:]}{done.stderr[-1500:]}")


def _configure(path: Path) -> None:
    """Tell JupyterLite where Python is, what is there already, and to leave the network alone."""
    config = json.loads(path.read_text(encoding="utf-8"))
    data = config["jupyter-config-data"]
    data["exposeAppInBrowser"] = True  # as window.jupyterapp: for tests, and for who wants to drive a lesson
    data["disabledExtensions"] = sorted({*data.get("disabledExtensions", []), *NEVER})
    data.setdefault("litePluginSettings", {})["@jupyterlite/pyodide-kernel-extension:kernel"] = {
        "pyodideUrl": f"./static/pyodide/{START.name}", "disablePyPIFallback": True, "pipliteUrls": [],
        "loadPyodideOptions": {"packages": THERE, "lockFileURL": "./static/pyodide/pyodide-lock.json"}}
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")


def _close(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    meta = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    page.write_text(text.replace("<head>", f"<head>\n    {meta}", 1), encoding="utf-8")
