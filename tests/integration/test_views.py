"""Views: each says this run's numbers in one sentence and names its units; a title never claims what isn't so."""

import pytest

from kit.integration import messaging, views
from kit.integration.sns import retries

RUNS = [messaging.simulate(), messaging.simulate(rate=4, consumers=2), messaging.simulate(consumers=0), messaging.simulate(rate=0),
        messaging.simulate(poison=0.05, max_receive_count=2, visibility_timeout=3),
        messaging.simulate(crash=0.5, visibility_timeout=2), messaging.simulate(work_time=5, visibility_timeout=1, consumers=20)]


@pytest.mark.parametrize("view", [views.backlog, views.work_done, views.received])
@pytest.mark.parametrize("run", RUNS)
def test_every_run_can_be_drawn(view, run):
    figure = view(run)
    assert figure.layout.meta["says"].endswith(".") and figure.layout.title.text
    assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
    assert len(figure.data) <= 5 and all(len(trace.x) <= 600 for trace in figure.data)


def test_the_title_of_the_backlog_is_what_happens():
    assert "grows" in views.backlog(messaging.simulate(rate=4, consumers=2)).layout.title.text
    assert "keep up" in views.backlog(messaging.simulate(rate=4, consumers=12)).layout.title.text


def test_the_sentence_of_the_backlog_has_the_runs_numbers():
    run = messaging.simulate(rate=4, consumers=2)
    assert f"{run.depth['visible'][-1]} messages wait" in views.backlog(run).layout.meta["says"]


def test_work_done_counts_every_message_once():
    run = messaging.simulate(work_time=5, visibility_timeout=1, consumers=20)
    counts = views.work_done(run).data[0].y
    done = [n for n, end in zip(run.messages["done"], run.messages["end"]) if n or end != "queued"]
    assert sum(counts) == len(done) and counts[1] == done.count(1)
    assert f"{run.duplicates} times" in views.work_done(run).layout.title.text


def test_fan_out_and_retries_are_drawn():
    assert "Of 0" not in views.fan_out(messaging.fan_out()).layout.meta["says"]
    figure = views.retry_times(retries("email"))
    assert figure.layout.meta["says"].startswith("50 tries again") and len(figure.data[0].x) == 50
