"""The browser of these tests cannot leave the machine, and what tries to is noticed."""

from lab import Notebook

WAYS = {"https://example.com/": "fetch(url)",
        "http://192.0.2.1/": "new Promise((_, fails) => { Object.assign(new Image(), { onerror: fails, src: url }); })",
        "wss://example.com/": "new Promise((_, fails) => { new WebSocket(url).onerror = fails; })"}


def test_what_a_page_asks_of_elsewhere_fails_and_is_noticed(browser, server):
    with Notebook(browser, server, "notebooks/00_start_here.ipynb") as notebook:
        assert notebook.outside == [] and notebook.errors == []
        for url, way in WAYS.items():
            assert notebook.page.evaluate(f"(url) => {way}.then(() => 'reached', () => 'refused')", url) == "refused"
        assert notebook.outside == list(WAYS) and len(notebook.errors) >= len(WAYS)
