"""JupyterHub's settings for a classroom; ``python -m kit classroom`` starts the hub with it and says where its folder is."""

import os
import sys
from pathlib import Path

from kit.classroom import hub
from kit.classroom.accounts import ClassAccounts
from kit.classroom.seat import Seat

room = hub.load(Path(os.environ["KIT_CLASSROOM"]))
c = get_config()  # noqa: F821, JupyterHub gives it

# ------------------------------------------------------------------ where it is
c.JupyterHub.bind_url = f"{'https' if room.certificate else 'http'}://{room.ip}:{room.port}"
if room.certificate:
    c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = os.fspath(room.certificate), os.fspath(room.key)
c.JupyterHub.hub_ip = "127.0.0.1"  # the room reaches the hub through the proxy only
c.JupyterHub.hub_port = hub.free_port()
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{hub.free_port()}"
c.JupyterHub.db_url = f"sqlite:///{room.folder / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = os.fspath(room.folder / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = os.fspath(room.folder / "proxy.pid")
c.JupyterHub.template_paths = [os.fspath(hub.HERE / "templates")]

# ------------------------------------------------------------------ who comes in
if room.authenticator == "native":
    c.JupyterHub.authenticator_class = ClassAccounts
    c.ClassAccounts.code, c.ClassAccounts.teacher_code, c.ClassAccounts.places = room.code, room.teacher_code, room.students
    c.ClassAccounts.open_signup = True  # the class code stands for the teacher's approval
    c.ClassAccounts.check_common_password = True
    c.ClassAccounts.minimum_password_length = 8
    c.ClassAccounts.allowed_failed_logins, c.ClassAccounts.seconds_before_next_try = 10, 60
else:
    c.JupyterHub.authenticator_class = room.authenticator
c.Authenticator.allow_all = True  # whoever has an account; for another authenticator, --config says who
c.Authenticator.admin_users = {room.teacher}
c.Authenticator.username_pattern = r"[a-z][a-z0-9_.\-]{1,31}\Z"  # it names the learner's folder

# ------------------------------------------------------------------ what each one gets
c.JupyterHub.spawner_class = Seat
c.Seat.room = os.fspath(room.folder)
c.Seat.memory_mb = room.memory_mb
c.Seat.cmd = [os.path.join(os.path.dirname(sys.executable), "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.Spawner.start_timeout = 600  # seconds; of a class that begins at once, the last wait for the first
c.Spawner.http_timeout = 120
c.Spawner.poll_interval = 15  # seconds from one look at a server's memory to the next
c.JupyterHub.active_server_limit = room.students + 1
c.JupyterHub.concurrent_spawn_limit = 0  # nobody is turned away: Seat lets a few start at a time
c.JupyterHub.allow_named_servers = False

# ------------------------------------------------------------------ who has gone home
c.JupyterHub.services = [{
    "name": "culler",
    "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={60 * room.idle_minutes:.0f}",
                f"--cull-every={max(10, min(300, 20 * room.idle_minutes)):.0f}"],
}]
c.JupyterHub.load_roles = [{"name": "culler", "services": ["culler"],
                            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"]}]

if room.config:  # the teacher's own settings have the last word
    load_subconfig(os.fspath(room.config))  # noqa: F821
