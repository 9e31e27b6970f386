"""Request rates of S3: the figures of AWS's page, what is conserved, and botocore's own back-off."""

from types import SimpleNamespace

import pytest
from botocore.retries.standard import DEFAULT_MAX_ATTEMPTS, ExponentialBackoff
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.storage.request_rate import ATTEMPTS, LIMITS, Partition, backoff, herd, simulate


def row(run, time):
    return list(run.records)[time]


@pytest.mark.parametrize("kind, limit", [("write", 3500), ("read", 5500)])
def test_one_prefix_is_good_for_so_many(kind, limit):
    """Optimizing Amazon S3 performance: 3,500 PUT/COPY/POST/DELETE or 5,500 GET/HEAD for each partitioned prefix."""
    fits = simulate(rate=limit, prefixes=1, kind=kind)
    assert sum(fits.records["refused"]) == 0 and row(fits, 99)["served"] == limit and len(fits.events) == 0
    more = simulate(rate=limit + 1000, prefixes=1, kind=kind)
    assert row(more, 0)["refused"] == 1000 and max(more.records["served"]) == limit
    assert max(more.records["partitions"]) == 1  # one prefix stays one, here


def test_ten_prefixes_reach_55_000_reads_a_second():
    """The page's own example."""
    run = simulate(rate=54_000, prefixes=10, kind="read", seconds=3000)  # a little less: the retries need room, too
    last = row(run, -1)
    assert (last["partitions"], last["capacity"], last["served"]) == (10, 55_000, pytest.approx(54_000))
    assert last["refused"] == pytest.approx(0, abs=1e-6)
    assert max(simulate(rate=60_000, prefixes=10, kind="read", seconds=3000).records["served"]) == 55_000


def test_scaling_is_gradual_and_the_errors_dissipate():
    """The same page: not instantaneous; 503 while it scales; none when it is complete."""
    run = simulate(rate=12_000, prefixes=4, patience=300)
    assert run.events["time"] == [299, 599, 599] and set(run.events["event"]) == {"split"}
    assert [row(run, time)["partitions"] for time in (0, 299, 300, 599, 600)] == [1, 1, 2, 2, 4]
    assert row(run, 0)["refused"] == 8500 and row(run, 610)["refused"] == pytest.approx(0, abs=1e-6)
    assert "4 prefixes for 300 s" in run.events["because"][0]


def test_a_short_peak_splits_nothing():
    run = simulate(rate=lambda now: 12_000 if now < 200 else 1000, prefixes=4, patience=300)
    assert len(run.events) == 0 and row(run, 199)["refused"] > 0 and row(run, 210)["refused"] == 0


def test_who_grows_slowly_is_never_refused_once_it_has_split():
    """Partitions that are there already take it: the same rate on four."""
    run = simulate(rate=12_000, prefixes=4, partitions=4)
    assert sum(run.records["refused"]) == 0


def test_retries_make_an_overload_worse():
    """Three attempts of each: up to three times as many requests at a partition that can't even serve the first."""
    run, once = simulate(rate=7000, prefixes=1), simulate(rate=7000, prefixes=1, attempts=1)
    assert row(once, 500)["tried"] == 7000 and row(once, 500)["given_up"] == 3500
    assert 7000 < row(run, 500)["tried"] < 3 * 7000 and row(run, 500)["served"] == 3500
    assert row(run, 500)["given_up"] == pytest.approx(3500)  # in the end what is too much is too much
    part = row(run, 500)["refused"] / row(run, 500)["tried"]
    assert row(run, 500)["tried"] == pytest.approx(7000 * (1 + part + part**2))  # the closed form of a steady state


@settings(max_examples=40, deadline=None)
@given(st.floats(100, 40_000), st.integers(1, 12), st.sampled_from(sorted(LIMITS)), st.integers(1, 5), st.data())
def test_no_request_is_lost_or_made_up(rate, prefixes, kind, attempts, data):
    """What was offered is served, given up, or still to come back; and no partition serves more than its limit."""
    partitions = data.draw(st.integers(1, prefixes))
    run = simulate(rate=lambda now: rate if now < 60 else 0.0, prefixes=prefixes, kind=kind, patience=20, seconds=150,
                   attempts=attempts, partitions=partitions)
    assert sum(run.records["offered"]) == pytest.approx(sum(run.records["served"]) + sum(run.records["given_up"]))
    assert all(served <= capacity * (1 + 1e-12) for served, capacity in zip(run.records["served"],
                                                                           run.records["capacity"]))
    for one in run.records:
        assert one["tried"] == pytest.approx(one["served"] + one["refused"])
    assert run.records["partitions"] == sorted(run.records["partitions"]) and run.records["partitions"][-1] <= prefixes


def test_waiting_without_jitter_means_meeting_again():
    """Who was refused together comes back together, at 1, 3, 7 seconds ...; with jitter nobody is in step."""
    none, full, equal = (herd(jitter=jitter) for jitter in ("none", "full", "equal"))
    assert none.records["time"][:4] == pytest.approx([0, 1, 3, 7]) and none.records["served"][:2] == [350, 350]
    assert none.tries > 4 * full.tries and none.given_up > 0 == full.given_up == equal.given_up
    assert full.seconds < 60 < none.seconds and equal.seconds < 60


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 3000), st.sampled_from(["none", "equal", "full"]), st.integers(1, 8), st.integers(0, 99))
def test_every_client_is_served_or_gives_up(clients, jitter, attempts, seed):
    run = herd(clients, jitter, attempts=attempts, seed=seed)
    assert sum(run.records["served"]) + run.given_up == clients
    assert sum(run.records["tried"]) == run.tries == sum(run.records["served"]) + sum(run.records["refused"])
    assert clients <= run.tries <= clients * attempts or clients == 0
    assert max(run.records["served"]) <= 350


def test_the_same_seed_brings_the_same_herd():
    assert herd(2000, seed=3) == herd(2000, seed=3) != herd(2000, seed=4)


@pytest.mark.parametrize("draw", [0.0, 0.3, 0.999])
def test_the_back_off_is_botocores(draw):
    """Its standard retry mode, after a throttling error: three attempts, a random part of min(20 s, 2^i s)."""
    theirs = ExponentialBackoff(random=lambda: draw, throttling_detector=SimpleNamespace(
        is_throttling_error_from_context=lambda context: True))
    for attempt in range(8):
        context = SimpleNamespace(attempt_number=attempt + 1, http_response=None)
        assert backoff(attempt, draw) == pytest.approx(theirs.delay_amount(context))
    assert ATTEMPTS == DEFAULT_MAX_ATTEMPTS
    assert backoff(2, draw, "none") == 4 and backoff(2, draw, "equal") == 2 + 2 * draw


def test_a_partition_says_slow_down():
    """Error code SlowDown, HTTP 503, until the next second."""
    partition = Partition("write")
    for number in range(3500):
        partition.request(now=10 + number / 3500)
    with pytest.raises(ServiceError) as error:
        partition.request(now=10.9999)
    assert error.value.code == "SlowDown"
    partition.request(now=11)


@pytest.mark.parametrize("wrong", [dict(kind="list"), dict(prefixes=0), dict(partitions=5), dict(patience=0),
                                   dict(attempts=0)])
def test_what_is_no_run(wrong):
    with pytest.raises(ValueError):
        simulate(**wrong)
    with pytest.raises(ValueError):
        herd(jitter="some")
