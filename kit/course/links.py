"""Links that open a lesson in JupyterLab elsewhere: on Binder, or on a JupyterHub that has nbgitpuller."""

from urllib.parse import urlencode, urlsplit

OWNER, NAME = "cloud-learning-kit", "cloud-learning-kit"
REPOSITORY = f"https://github.com/{OWNER}/{NAME}"


def binder(notebook: str) -> str:
    """Opens a notebook ("notebooks/18_messaging.ipynb") on mybinder.org, in a copy that is gone afterwards."""
    return f"https://mybinder.org/v2/gh/{OWNER}/{NAME}/HEAD?urlpath=lab/tree/{notebook}"


def git_pull(hub: str, notebook: str, repository: str = REPOSITORY, branch: str = "main") -> str:
    """Opens a notebook on a JupyterHub ("https://hub.example.org") in the learner's own, lasting copy.

    nbgitpuller fetches the copy at the first click and renews it at later ones; what the learner changed stays.
    """
    if urlsplit(hub).scheme not in ("http", "https"):
        raise ValueError(f"hub is the address of a JupyterHub, as in https://hub.example.org, not {hub!r}")
    folder = repository.rstrip("/").rpartition("/")[2].removesuffix(".git")
    asked = {"repo": repository, "branch": branch, "urlpath": f"lab/tree/{folder}/{notebook}"}
    return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{urlencode(asked)}"
