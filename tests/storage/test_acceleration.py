"""Transfer Acceleration: geography and TCP against known figures, the rules against AWS's pages."""

from math import pi, sqrt

import pytest
from boto3.s3.transfer import TransferConfig
from hypothesis import given
from hypothesis import strategies as st

from kit.storage.acceleration import (BACKBONE_LOSS, CHEAPER, CITIES, EARTH, EDGES, GB, MSS, REGIONS, STREAMS, by_city,
                                      by_region, by_size, by_streams, compare, distance, internet, nearest_edge,
                                      throughput)

places = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
transfers = st.fixed_dictionaries({"city": st.sampled_from(sorted(CITIES)), "region": st.sampled_from(sorted(REGIONS)),
                                   "size": st.floats(1, 1e13), "bandwidth": st.floats(1e5, 1e11),
                                   "streams": st.integers(1, 64), "upload": st.booleans()})


@pytest.mark.parametrize("one, other, km", [("London", "New York", 5570), ("Tokyo", "Sydney", 7820),
                                            ("Frankfurt", "Singapore", 10_270), ("São Paulo", "Johannesburg", 7440)])
def test_distances_of_cities_on_any_globe(one, other, km):
    assert distance(CITIES[one], CITIES[other]) == pytest.approx(km, rel=0.01)


@given(places, places, places)
def test_a_distance_is_one(a, b, c):
    """Symmetric, at most half around the earth, no shortcut by a third place; around the equator by degrees."""
    assert 0 <= distance(a, b) == pytest.approx(distance(b, a), abs=1e-6) and distance(a, b) <= pi * EARTH * (1 + 1e-9)
    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-3
    assert distance(a, a) == 0 and distance((0, 0), (0, 90)) == pytest.approx(pi * EARTH / 2)


def test_a_stream_as_in_the_formula_of_mathis():
    """MSS / RTT x sqrt(3/2) / sqrt(p): 1460 bytes, 100 ms and a loss of 0.01 % make 14.3 Mb/s."""
    assert throughput(0.1, 1e-4) * 8 / 1e6 == pytest.approx(14.3, rel=0.01)
    assert throughput(0.1, 1e-4) == pytest.approx(MSS / 0.1 * sqrt(1.5) / 0.01)
    assert throughput(0.2, 1e-4) == throughput(0.1, 1e-4) / 2 and throughput(0.1, 4e-4) == throughput(0.1, 1e-4) / 2


def test_without_loss_a_window_a_round_trip():
    """RFC 7323's example of a long fat pipe: 64 KB in 100 ms is 5.2 Mb/s however broad the line."""
    assert throughput(0.1, 0, window=65_536) * 8 / 1e6 == pytest.approx(5.24, rel=0.01)
    assert throughput(0.1, BACKBONE_LOSS, window=65_536) == 655_360


def test_far_away_it_helps_and_nearby_it_does_not():
    """Performance Design Patterns: "the farther away you are from an Amazon S3 Region, the higher"."""
    far, near = compare("Sydney", "us-east-1"), compare("Sydney", "ap-southeast-2")
    assert 1.5 < far.speedup < 6 and far.taken == "accelerated" and far.billed
    assert near.speedup < 1 and near.taken == "direct" and not near.billed and near.price == 0


@pytest.mark.parametrize("city", sorted(CITIES))
def test_the_farther_the_region_the_more_it_helps(city):
    """The same sentence, for every city, up to where the second leg runs close to the first."""
    rows = list(by_region(city, size=10 * GB, bandwidth=1e9))
    assert [row["km"] for row in rows] == sorted(row["km"] for row in rows) and len(rows) == len(REGIONS)
    fast_enough = [row["speedup"] for row in rows if row["km"] > 3000]
    assert fast_enough[-1] >= 0.9 * max(fast_enough) and min(fast_enough) > rows[0]["speedup"] * 0.99


@given(transfers)
def test_nobody_pays_for_an_upload_that_it_does_not_speed_up(transfer):
    """Amazon S3 pricing, Transfer Acceleration: no charge if it is not likely to be faster."""
    one = compare(**transfer)
    assert one.direct > 0 and one.accelerated > 0
    if transfer["upload"]:
        assert one.billed == (one.accelerated < one.direct) == (one.speedup > 1) == (one.taken == "accelerated")
    rate = 0.04 if one.edge in CHEAPER or not transfer["upload"] else 0.08
    assert one.price == pytest.approx(rate * transfer["size"] / GB if one.billed else 0)


def test_the_price_is_that_of_the_edge():
    """Amazon S3 pricing: in by edges in the United States, Europe and Japan $0.04 a GB, by others $0.08, out $0.04."""
    assert compare("London", "ap-southeast-2", size=10 * GB).price == pytest.approx(0.4)
    assert compare("Sydney", "us-east-1", size=10 * GB).price == pytest.approx(0.8)
    assert compare("Sydney", "us-east-1", size=10 * GB, upload=False).price == pytest.approx(0.4)
    assert all(edge in CITIES for edge in EDGES)


def test_a_download_is_charged_wherever_it_is_taken():
    """The same page speaks of uploads only where it says that nothing is charged."""
    near = compare("Ashburn", "us-east-1", upload=False)
    assert near.speedup < 1 and near.billed and near.taken == "accelerated" and near.price == pytest.approx(0.04)


def test_everybody_goes_to_the_nearest_edge():
    assert [nearest_edge(city) for city in ("New York", "Auckland", "Warsaw", "Sydney")] == [
        "Ashburn", "Sydney", "Frankfurt", "Sydney"]
    one = compare("Auckland", "us-east-1")
    assert one.legs[1].km < 2200 < one.legs[0].km


def test_parallel_streams_fill_the_line_and_then_nothing_is_left_to_gain():
    """Performance Guidelines: parallel connections; where the line is full, the edge can't add to it."""
    rows = list(by_streams("Sydney", "us-east-1", size=GB, bandwidth=100e6))
    assert [row["direct"] for row in rows] == sorted((row["direct"] for row in rows), reverse=True)
    assert rows[0]["speedup"] > 5 and rows[-1]["speedup"] < 1.1
    assert rows[0]["direct"] == pytest.approx(2 * rows[1]["direct"], rel=0.05)
    assert all(row["direct"] >= GB / (100e6 / 8) for row in rows)


def test_on_a_slow_line_it_does_not_matter():
    assert compare("Sydney", "us-east-1", bandwidth=10e6).speedup < 1.05
    assert compare("Sydney", "us-east-1", bandwidth=1e9).speedup > 10


def test_boto3_sends_ten_parts_at_once():
    assert STREAMS == TransferConfig().max_concurrency


def test_a_small_object_is_a_few_round_trips():
    """Less than the first window: three round trips and the time on the line, however far."""
    one = compare("Tokyo", "eu-central-1", size=1000, bandwidth=1e9)
    assert one.direct == pytest.approx(3 * internet(one.legs[0].km).rtt, rel=0.01)
    rows = list(by_size("Tokyo", "eu-central-1", streams=1))
    assert [row["direct"] for row in rows] == sorted(row["direct"] for row in rows)
    assert rows[-1]["speedup"] > rows[0]["speedup"] > 1


@given(transfers)
def test_a_better_line_is_never_slower(transfer):
    better = compare(**transfer | {"bandwidth": transfer["bandwidth"] * 2})
    one = compare(**transfer)
    assert better.direct <= one.direct * (1 + 1e-9) and better.accelerated <= one.accelerated * (1 + 1e-9)


def test_all_cities_to_one_bucket():
    rows = list(by_city("us-east-1"))
    assert rows[0]["city"] == "Ashburn" and not rows[0]["billed"] and len(rows) == len(CITIES)
    assert {row["city"] for row in rows if row["billed"]} >= {"Sydney", "Tokyo", "Mumbai", "Singapore"}


@pytest.mark.parametrize("wrong", [{"city": "Atlantis"}, {"region": "moon-1"}, {"size": 0}, {"bandwidth": 0},
                                   {"streams": 0}])
def test_what_can_not_be_compared(wrong):
    with pytest.raises(ValueError):
        compare(**{"city": "London", "region": "us-east-1"} | wrong)
