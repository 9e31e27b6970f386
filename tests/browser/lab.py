"""Drives the real JupyterLab in a real Chromium: a server, a browser that sees loopback alone, a notebook open in it."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import tools
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
EYES = Path(__file__).with_name("eyes.js")
AXE = Axe().axe_script
SCREEN = {"width": 1366, "height": 768}
PATIENCE = 120  # s for whatever a page is waited for; a busy machine takes its time
LOOPBACK = re.compile(r"(https?|wss?)://(127\.0\.0\.1|localhost|\[::1\])[:/]|(data|blob|about|chrome-error):")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")


@contextmanager
def server(folder: Path):
    """JupyterLab on a copy of the lessons in ``folder``, with settings and progress of its own: gives a Server."""
    for name in ("notebooks", "exercises"):
        shutil.copytree(ROOT / name, folder / name)
    home, token = folder / "home", secrets.token_hex()
    (home / "config" / "labconfig").mkdir(parents=True)
    shutil.copy(ROOT / "kit" / "course" / "jupyter" / "labconfig" / "default_setting_overrides.json", home / "config" / "labconfig")
    settings = {"IdentityProvider.token": token, "ServerApp.root_dir": folder, "ServerApp.ip": "127.0.0.1", "ServerApp.port": 0,
                "LabApp.expose_app_in_browser": True, "LabApp.news_url": None,
                "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate"}
    own = {"HOME": home, "KIT_PROGRESS": folder / "progress.json", "JUPYTER_CONFIG_DIR": home / "config",
           "JUPYTER_DATA_DIR": home / "data", "JUPYTER_RUNTIME_DIR": home / "run", "IPYTHONDIR": home / "ipython"}
    command = [Path(sys.executable).with_name("jupyter-lab"), "--no-browser", *(f"--{key}={value}" for key, value in settings.items())]
    if os.geteuid() == 0:
        command.append("--allow-root")
    with open(folder / "server.log", "wb") as log:
        process = subprocess.Popen(command, env=os.environ | {name: str(value) for name, value in own.items()},
                                   cwd=folder, stdout=log, stderr=log, start_new_session=True)
        try:
            yield Server(_address(process, home / "run", folder / "server.log"), token, folder)
        finally:
            process.terminate()  # it ends its kernels
            process.wait(timeout=PATIENCE)


def _address(process, runtime: Path, log: Path) -> str:
    """Where the server answers, as it writes once it does."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        for written in runtime.glob(f"jpserver-{process.pid}.json"):
            return json.loads(written.read_text())["url"]
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


class Server:
    """A running JupyterLab. folder: its files; the learner's copies of notebooks/ and exercises/ are in there."""

    def __init__(self, url: str, token: str, folder: Path):
        self.url, self.token, self.folder = url, token, folder

    def end_kernels(self) -> None:
        for kernel in json.loads(self._ask("api/kernels")):
            self._ask(f"api/kernels/{kernel['id']}", "DELETE")

    def _ask(self, path: str, method: str = "GET") -> bytes:
        with urlopen(Request(self.url + path, method=method, headers={"Authorization": f"token {self.token}"})) as answer:
            return answer.read()


@contextmanager
def browser():
    """Chromium, with nothing but loopback to be reached. Within, no asyncio loop can be started in this thread."""
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=tools.chromium(), args=FLAGS)
        try:
            yield running.new_context(viewport=SCREEN)  # one for all notebooks: JupyterLab is fetched and compiled once
        finally:
            running.close()


class Notebook:
    """A fresh copy of a notebook, open in JupyterLab. ``errors``: what the console and the page complained of; ``outside``: addresses asked for
    that are not of this machine; ``received``: bytes that came over its websockets."""

    def __init__(self, context, server: Server, path: str):
        self.server, self.path = server, path
        self.errors, self.outside, self.received = [], [], 0
        self.page = context.new_page()
        self.page.set_default_timeout(1000 * PATIENCE)
        self.page.add_init_script(path=EYES)
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("websocket", self._connected)
        self.page.on("console", lambda said: said.type == "error" and self.errors.append(f"console: {said.text}"))
        self.page.on("pageerror", lambda error: self.errors.append(f"page: {error}"))
        shutil.copy(ROOT / path, server.folder / path)  # a test before may have saved it with its outputs
        self.open()

    def open(self, again: bool = False) -> None:
        """Load the page, in an empty workspace or again; wait until its kernel is ready."""
        if again:
            self.page.reload()
        else:
            self.page.goto(f"{self.server.url}lab/tree/{self.path}?token={self.server.token}&reset")
        self._wait_for_kernel()

    def restart_kernel(self) -> None:
        """As the menu does, without its question."""
        self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        self._wait_for_kernel()

    def _wait_for_kernel(self):
        self.page.wait_for_function("""() => {
            const open = window.jupyterapp?.shell.currentWidget;
            return open?.content?.widgets?.length && open.sessionContext?.session?.kernel?.status === "idle"; }""")

    def close(self) -> None:
        self.page.close()
        self.server.end_kernels()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # cells

    def run_all(self) -> None:
        self.command("notebook:run-all-cells")

    @contextmanager
    def slowly(self):
        """As on a cheap laptop of some years ago: the page has a sixth of this machine's speed."""
        chromium = self.page.context.new_cdp_session(self.page)
        chromium.send("Emulation.setCPUThrottlingRate", {"rate": 6})
        try:
            yield
        finally:
            chromium.detach()  # and with it what it asked for

    def run(self, index: int) -> None:
        """One cell, as Ctrl+Enter does."""
        self.page.evaluate("(index) => { jupyterapp.shell.currentWidget.content.activeCellIndex = index; }", index)
        self.command("notebook:run-cell")

    def command(self, name: str, **arguments):
        return self.page.evaluate("([name, given]) => jupyterapp.commands.execute(name, given).then(() => null)", [name, arguments])

    def cells(self) -> list[dict]:
        """For each cell: index, id, kind, source, count (None: not run) and outputs as the file would have them."""
        return self.page.evaluate("""() => jupyterapp.shell.currentWidget.content.widgets.map(({ model }, index) => ({
            index, id: model.id, kind: model.type, source: model.sharedModel.source, count: model.executionCount ?? null,
            outputs: model.type === "code" ? model.outputs.toJSON() : [] }))""")

    # what the page shows

    def wait_until_drawn(self) -> None:
        """Until every widget that was sent is there, every figure has its picture, and the page is at rest."""
        self.page.wait_for_function("""() => {
            const sent = jupyterapp.shell.currentWidget.content.widgets.filter(({ model }) => model.type === "code")
                .flatMap(({ model }) => model.outputs.toJSON()).filter(({ data }) => data?.["application/vnd.jupyter.widget-view+json"]);
            return document.querySelectorAll(".kit-panel, .kit-console").length === sent.length
                && [...document.querySelectorAll(".kit-figure")].every((one) => one.getAttribute("aria-busy") === "false"); }""")
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def over_outputs(self, function: str) -> dict[str, list]:
        """What a function of eyes.js finds in the outputs: {cell's id: findings}, without those where it finds nothing."""
        return self.page.evaluate("""(look) => Object.fromEntries(jupyterapp.shell.currentWidget.content.widgets
            .filter(({ model, node }) => model.type === "code" && node.querySelector(".jp-OutputArea-output"))
            .map(({ model, node }) => [model.id, look(node.querySelector(".jp-Cell-outputArea"))])
            .filter(([, found]) => found.length))""".replace("look(", f"{function}(").replace("(look)", "()"))

    def panels(self, selector: str) -> list["Panel"]:
        """The kit's panels that hold an element of this kind, in the order of the page: ".kit-controls", ".kit-steps", …"""
        found = self.page.query_selector_all(f".kit-panel:has({selector}), .kit-console:has({selector})")
        return [Panel(self.page, element) for element in found]

    def switch_theme(self, theme: str) -> None:
        """To "JupyterLab Light" or "JupyterLab Dark"."""
        self.command("apputils:change-theme", theme=theme)
        self.page.wait_for_function("(theme) => document.body.dataset.jpThemeName === theme", arg=theme)
        self.wait_until_drawn()

    def axe(self, inside: tuple[str, ...]) -> list[str]:
        """What axe-core finds of serious or critical impact in what the selectors name, each with its place.

        It takes what is scrolled away for hidden, and all within boxes without a height that hide their overflow, of which
        JupyterLab has several: meanwhile the screen is as high as the notebook, and those boxes hide nothing."""
        if not self.page.evaluate("() => Boolean(window.axe)"):
            self.page.evaluate(AXE)
        open_boxes = self.page.add_style_tag(content="body, .jp-Notebook, [class*=jp-WindowedPanel] { overflow: visible !important }")
        high = self.page.evaluate("() => jupyterapp.shell.currentWidget.node.querySelector('.jp-WindowedPanel-inner').scrollHeight")
        self.page.set_viewport_size(SCREEN | {"height": high + 300})
        self.page.wait_for_function("(high) => jupyterapp.shell.currentWidget.node.clientHeight > high", arg=high)
        for _ in range(40):  # JupyterLab lays the notebook out anew in its own time
            found = self.page.evaluate("(inside) => axe.run({ include: inside })", list(inside))
            seen = [node for one in found["passes"] + found["violations"] if one["id"] == "color-contrast" for node in one["nodes"]]
            if seen:
                break
            self.page.wait_for_timeout(250)
        open_boxes.evaluate("(style) => style.remove()")
        self.page.set_viewport_size(SCREEN)
        assert seen, "axe has looked at no colours"
        return [f"{one['id']} ({one['impact']}): {node['html']}" for one in found["violations"] if one["impact"] in ("serious", "critical")
                for node in one["nodes"]]

    # requests

    def _asked(self, url: str):
        if not LOOPBACK.match(url):
            self.outside.append(url)

    def _connected(self, socket):
        self._asked(socket.url)
        socket.on("framereceived", lambda data: self._came(data))

    def _came(self, data):
        self.received += len(data)


class Panel:
    """An explorer, a stepper, a prediction or a console of an open notebook, and a keyboard to use it with."""

    def __init__(self, page, element):
        self.page, self.element = page, element

    @property
    def cell(self) -> str:
        """The id of the cell that shows it."""
        return self.element.evaluate("""(panel) => jupyterapp.shell.currentWidget.content.widgets
            .find(({ node }) => node.contains(panel)).model.id""")

    def text(self, selector: str) -> str:
        return self.element.eval_on_selector(selector, "(node) => node.textContent")

    def fields(self, selector: str) -> list:
        """Elements of the panel, in order."""
        return self.element.query_selector_all(selector)

    def enter(self) -> None:
        """From the cell, as if one had come there by arrow keys, to the first control, by Tab."""
        self.element.evaluate("""(panel) => {
            const notebook = jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = notebook.widgets.findIndex(({ node }) => node.contains(panel));
            notebook.mode = "command";
            notebook.activeCell.node.focus(); }""")
        self._tab("Tab", self.fields("input, select, button")[0])

    def tab_to(self, field, most: int = 12) -> None:
        """From one control of the panel to another by Tab or Shift+Tab; into the panel first, if the focus is elsewhere.
        AssertionError if they don't reach it: neither does a learner without a mouse."""
        if not self.element.evaluate("(panel) => panel.contains(document.activeElement)"):
            self.enter()
        lies_before = field.evaluate("(field) => Boolean(document.activeElement.compareDocumentPosition(field) & Node.DOCUMENT_POSITION_PRECEDING)")
        self._tab("Shift+Tab" if lies_before else "Tab", field, most)

    def _tab(self, key, field, most=12):
        for pressed in range(most + 1):
            if field.evaluate("(field) => document.activeElement === field"):
                return
            if pressed < most:
                self.page.keyboard.press(key)
        raise AssertionError(f"{self.cell}: {most} times {key} does not reach {field.evaluate('(field) => field.outerHTML')[:200]}")

    def press(self, *keys: str, until: str = "true") -> None:
        """Press keys one by one, each when the page has taken in the one before: JavaScript that is true of ``panel`` then."""
        for key in keys:
            self.page.keyboard.press(key)
            self.wait(until)

    def wait(self, until: str) -> None:
        """Until JavaScript is true of ``panel``."""
        self.page.wait_for_function(f"(panel) => {until}", arg=self.element)

    def type(self, text: str) -> None:
        """Into the field that has the focus, in place of what stands there."""
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.type(text)
