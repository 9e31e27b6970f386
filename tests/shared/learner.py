"""A learner at a classroom's hub, as a browser would be one: signs up, opens a lesson, runs it, moves sliders, saves.

Over HTTP and the kernel's websocket; ``wait`` is the longest that any answer may take, in seconds.
"""

import json
import re
import time
import uuid
from dataclasses import dataclass, field

import requests
from websocket import WebSocketTimeoutException, create_connection

PASSWORD = "seven red bicycles"


@dataclass
class Run:
    """What running a notebook gave. errors: (cell's number, what it said); printed: {cell's number: what it printed};
    panels: {comm id: state} of the kit's widgets."""

    seconds: float = 0.0
    cells: int = 0
    errors: list = field(default_factory=list)
    printed: dict = field(default_factory=dict)
    panels: dict = field(default_factory=dict)


class Learner:
    def __init__(self, hub: str, name: str, wait: float = 300):
        self.hub, self.name, self.wait = hub, name, wait
        self.http = requests.Session()
        self.socket = self.session = None

    # ------------------------------------------------------------------ the hub

    def sign_up(self, code: str, password: str = PASSWORD) -> tuple[int, str]:
        """The status, and what the page says."""
        form = {"code": code, "username": self.name, "signup_password": password, "signup_password_confirmation": password}
        answer = self._form("/hub/signup", form)
        return answer.status_code, "".join(re.findall(r'role="(?:alert|status)">(.*?)<', answer.text))

    def sign_in(self, password: str = PASSWORD) -> bool:
        return self._form("/hub/login", {"username": self.name, "password": password}).status_code == 302

    def start(self) -> float:
        """Start the server, as the hub's page does; the seconds until JupyterLab answers."""
        began = time.monotonic()
        self.http.get(f"{self.hub}/hub/spawn", timeout=self.wait)
        while True:
            answer = self.http.get(f"{self.hub}/user/{self.name}/lab", timeout=self.wait)
            if answer.ok and "/hub/" not in answer.url:
                return time.monotonic() - began
            if time.monotonic() - began > self.wait:
                raise TimeoutError(f"{self.name}'s server does not answer after {self.wait:g} s: {answer.status_code} {answer.url}")
            time.sleep(0.5)

    # ------------------------------------------------------------------ their server

    def read(self, path: str) -> dict:
        return self._server("GET", f"contents/{path}").json()

    def save(self, path: str, notebook: dict) -> None:
        self._server("PUT", f"contents/{path}", {"type": "notebook", "format": "json", "content": notebook})

    def open(self, path: str) -> dict:
        """Open a lesson with a kernel of its own; the notebook."""
        notebook = self.read(path)["content"]
        asked = {"path": path, "type": "notebook", "name": path, "kernel": {"name": "python3"}}
        self.session = session = self._server("POST", "sessions", asked).json()
        cookies = "; ".join(f"{one.name}={one.value}" for one in self.http.cookies)
        self.socket = create_connection(f"{self.hub.replace('http', 'ws', 1)}/user/{self.name}/api/kernels/{session['kernel']['id']}/channels",
                                        cookie=cookies, timeout=self.wait)
        return notebook

    def run(self, notebook: dict) -> Run:
        """Every code cell, top to bottom, as far as the first that fails."""
        began, run = time.monotonic(), Run()
        for number, cell in enumerate(notebook["cells"]):
            if cell["cell_type"] == "code" and not run.errors:
                run.cells += 1
                printed = []
                run.errors += [(number, words) for words in self.execute("".join(cell["source"]), run.panels, printed)]
                run.printed[number] = "".join(printed)
        run.seconds = time.monotonic() - began
        return run

    def execute(self, code: str, panels: dict | None = None, printed: list | None = None) -> list[str]:
        """What went wrong, "" and more; [] if nothing."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
                   "stop_on_error": True}
        asked, errors = self._send("shell", "execute_request", content), []
        for message in self._about(asked):
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "error":
                errors.append(f"{content['ename']}: {content['evalue']}")
            elif kind == "stream" and printed is not None:
                printed.append(content["text"])
            elif kind == "comm_open" and panels is not None and "kind" in content["data"].get("state", {}):
                panels[content["comm_id"]] = content["data"]["state"]
        return errors

    def move(self, comm: str, panel: dict, serial: int) -> float:
        """Move an explorer's first slider by a step; the seconds until the new picture is here."""
        control = next(one for one in panel["spec"]["controls"] if one["type"] == "range")
        value = min(control["high"], control["low"] + serial * control["step"])
        began = time.monotonic()
        asked = self._send("shell", "comm_msg", {"comm_id": comm, "data": {"method": "update", "buffer_paths": [], "state": {
            "request": {"serial": serial, "values": {control["name"]: value}}}}})
        for message in self._about(asked):
            if message["header"]["msg_type"] == "comm_msg" and "reply" in message["content"]["data"].get("state", {}):
                reply = message["content"]["data"]["state"]["reply"]
                if "error" in reply:
                    raise RuntimeError(reply["error"])
                took = time.monotonic() - began
        return took

    def rest(self, seconds: float) -> None:
        """Take in what comes, and answer the server's pings, as a page does that nobody touches."""
        self.socket.settimeout(seconds)
        try:
            self.socket.recv()
        except WebSocketTimeoutException:
            pass  # nothing came
        finally:
            self.socket.settimeout(self.wait)

    def shut_down(self) -> None:
        """End the lesson's kernel."""
        self._server("DELETE", f"sessions/{self.session['id']}")

    def close(self) -> None:
        if self.socket:
            self.socket.close()
        self.http.close()

    # ------------------------------------------------------------------ messages

    def _form(self, path, fields):
        self.http.get(self.hub + path, timeout=self.wait)
        fields = fields | {"_xsrf": self.http.cookies.get("_xsrf", path="/hub/")}
        return self.http.post(self.hub + path, data=fields, timeout=self.wait, allow_redirects=False)

    def _server(self, method, path, body=None):
        answer = self.http.request(method, f"{self.hub}/user/{self.name}/api/{path}", json=body, timeout=self.wait,
                                   headers={"X-XSRFToken": self.http.cookies.get("_xsrf", path=f"/user/{self.name}/")})
        answer.raise_for_status()
        return answer

    def _send(self, channel, kind, content) -> str:
        number = uuid.uuid4().hex
        self.socket.send(json.dumps({"channel": channel, "content": content, "metadata": {}, "parent_header": {}, "buffers": [],
                                     "header": {"msg_id": number, "msg_type": kind, "session": number, "username": "",
                                                "date": "", "version": "5.3"}}))
        return number

    def _about(self, asked):
        """The messages that answer this request, until the kernel is idle again."""
        while True:
            data = self.socket.recv()
            if isinstance(data, bytes):  # a message with buffers: its JSON is the first part
                count = int.from_bytes(data[:4], "big")
                offsets = [int.from_bytes(data[4 + 4 * n:8 + 4 * n], "big") for n in range(count)]
                data = data[offsets[0]:offsets[1] if count > 1 else None]
            message = json.loads(data)
            if message["parent_header"].get("msg_id") == asked:
                yield message
                if message["header"]["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                    return
