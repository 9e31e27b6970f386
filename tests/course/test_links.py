"""Links that open a lesson elsewhere."""

from urllib.parse import parse_qs, urlsplit

import pytest

from kit.course import links


def test_binder_opens_the_notebook_in_jupyterlab():
    assert links.binder("notebooks/18_messaging.ipynb").endswith("/HEAD?urlpath=lab/tree/notebooks/18_messaging.ipynb")


def test_a_hub_pulls_the_project_and_opens_the_notebook_in_the_learners_copy():
    link = links.git_pull("https://hub.example.org/", "notebooks/18_messaging.ipynb", "https://git.example.org/a/kit.git", "spring")
    assert urlsplit(link).path == "/hub/user-redirect/git-pull"
    assert parse_qs(urlsplit(link).query) == {
        "repo": ["https://git.example.org/a/kit.git"], "branch": ["spring"], "urlpath": ["lab/tree/kit/notebooks/18_messaging.ipynb"]}


def test_a_hub_is_an_address():
    with pytest.raises(ValueError, match="https://hub.example.org"):
        links.git_pull("hub.example.org", "notebooks/18_messaging.ipynb")
