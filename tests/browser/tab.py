"""Drives a lesson in a browser tab without a server: a plain file server, and the JupyterLite that it hands out."""

import os
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from kit.site import lite
from lab import LOOPBACK, PATIENCE, ROOT, Notebook

BUILDER = ROOT / ".venv" / "site" / "bin" / "python"  # make site makes it


def build(folder: Path) -> None:
    """What ``make site`` puts into .site/live/, in a folder of its own."""
    program = "import sys; from pathlib import Path; from kit.site.lite import build; build(*map(Path, sys.argv[1:]))"
    subprocess.run([BUILDER, "-c", program, folder, ROOT / ".venv" / "site-cache"], cwd=ROOT, check=True)


class Files(SimpleHTTPRequestHandler):
    """What any static host does: files, with the types that browsers insist on."""

    protocol_version = "HTTP/1.1"
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm", ".whl": "application/zip"}

    def log_message(self, *_):
        pass


@contextmanager
def files(folder: Path):
    """A static host for a folder, on loopback: gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=os.fspath(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Tab(Notebook):
    """A notebook in JupyterLite. ``asked``: the addresses it asked for; those outside this machine are aborted, and stand in
    ``outside`` too."""

    def __init__(self, context, address: str, path: str):
        self.path, self.errors, self.outside, self.asked = path, [], [], []
        self.address = address + lite.address(path)
        self.context, self.page = context, context.new_page()
        self.page.set_default_timeout(5000 * PATIENCE)  # all of Python is fetched, unpacked and started first
        context.route(lambda url: not LOOPBACK.match(url), lambda route: route.abort())
        context.on("request", self._note)  # the page's, and those of its workers
        self.page.on("pageerror", lambda error: self.errors.append(f"page: {error}"))
        self.open()

    def open(self) -> None:
        """Load the page, or load it again; wait until Python is ready in it."""
        self.page.goto(self.address)
        self.page.wait_for_function("""() => {
            const open = window.jupyterapp?.shell.currentWidget;
            return open?.content?.widgets?.length && open.sessionContext?.session?.kernel?.status === "idle"; }""")

    def say(self, source: str) -> str:
        """Run a line of code in the first code cell, in place of what stands there: the text of its outputs."""
        index = next(cell["index"] for cell in self.cells() if cell["kind"] == "code")
        self.page.evaluate("""([index, source]) =>
            jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.setSource(source)""", [index, source])
        self.run(index)
        return "".join(text for output in self.cells()[index]["outputs"] for text in (
            output["traceback"] if output["output_type"] == "error" else
            output.get("text") or output.get("data", {}).get("text/plain", "")))

    def close(self) -> None:
        self.context.remove_listener("request", self._note)
        self.page.close()

    def _note(self, request):
        self.asked.append(request.url)
        if not LOOPBACK.match(request.url):
            self.outside.append(request.url)
