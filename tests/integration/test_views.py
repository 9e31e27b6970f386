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


SICK = [dict(poison=0.02), dict(poison=0.1), dict(poison=0.1, crash=0.2, visibility_timeout=2), dict(crash=0.2),
        dict(poison=0.0), dict(poison=0.1, crash=0.2, max_receive_count=1), dict(poison=0.02, max_receive_count=3),
        dict(poison=0.1, crash=0.2, visibility_timeout=2, max_receive_count=10), dict(poison=0.01, max_receive_count=1)]


@pytest.mark.parametrize("sick", SICK, ids=str)
def test_a_picture_of_many_messages_has_few_marks_and_each_message_that_came_again(sick):
    """A browser draws each mark as a shape of its own: 1,200 took more than half a second after each key."""
    run = messaging.simulate(**{"rate": 4, "consumers": 6, "visibility_timeout": 5, "duration": 300} | sick)
    figure = views.received(run)
    marks = [(sent, n) for trace in figure.data for sent, n in zip(trace.x, trace.y)]
    messages = list(zip(run.messages["sent"], run.messages["received"]))
    assert 20 < len(marks) <= 150 and set(marks) <= set(messages)
    again = [row for row in messages if row[1] > 1]
    assert {n for _, n in again} == {n for _, n in marks if n > 1} or len(again) > 120
    assert len(again) > 120 or "dead" in run.messages["end"] or set(again) <= set(marks)
    for end, name in (("dead", "in the dead-letter queue"), ("deleted", "done and deleted")):
        counted = run.messages["end"].count(end)
        assert (f"{name}: {counted:,}" in [trace.name for trace in figure.data]) == (counted > 0)


def test_a_message_that_came_once_came_one_time():
    says = views.received(messaging.simulate(rate=1, consumers=5)).layout.meta["says"]
    assert says.startswith("The message received most often came 1 time; 0 receives") and "0 messages are in the dead" in says
    assert views.received(messaging.simulate(rate=0)).layout.meta["says"].startswith("The message received most often came 0 times")


def test_one_message_waits():
    run = messaging.simulate(rate=4, consumers=2)
    run.depth["visible"][-1] = run.depth["in_flight"][-1] = 1
    assert "1 message waits and 1 is in flight" in views.backlog(run).layout.meta["says"]


def test_fan_out_says_what_the_filters_spare_and_no_bar_hides_another():
    shown = {filters: views.fan_out(messaging.fan_out(filters=filters)) for filters in (True, False)}
    rows = messaging.fan_out(filters=False)
    bars = {name: height for trace in shown[False].data for name, height in zip(trace.x, trace.y)}
    assert bars == dict.fromkeys(("published", "everything", "gifts", "abroad"), rows["published"][-1])
    assert shown[False].layout.title.text == "Published once, delivered to every queue"
    rows = messaging.fan_out(filters=True)
    spared = 3 * rows["published"][-1] - sum(rows[name][-1] for name in ("everything", "gifts", "abroad"))
    assert shown[True].layout.title.text == f"The filters spare {spared} of {3 * rows['published'][-1]} messages" and spared > 0
    assert views.fan_out(messaging.fan_out(rate=1e-9)).layout.meta["says"].startswith("Of 0 published messages")


def test_fan_out_and_retries_are_drawn():
    assert "Of 0" not in views.fan_out(messaging.fan_out()).layout.meta["says"]
    figure = views.retry_times(retries("email"))
    assert figure.layout.meta["says"].startswith("50 tries again") and len(figure.data[0].x) == 50
