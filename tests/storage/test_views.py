"""Views: each says this run's numbers in one sentence and names its units; a title never claims what isn't so."""

import pytest

from kit.sim import Records
from kit.storage import acceleration, lifecycle_year, request_rate, storage_cost, views
from kit.storage.lifecycle_year import Kind
from kit.storage.storage_classes import CLASSES, GB

MB, KB = 2**20, 2**10


def moved(size, days=730):
    rules = [{"Filter": {}, "Expiration": {"Days": 400}, "Transitions": [
        {"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER"}]}]
    return lifecycle_year.simulate(100_000, rules, days, [Kind("", 1.0, size)])


def shards(*rows):
    table = Records("parity", "nines", "importance", "low", "high", "honest")
    for row in rows:
        table.append(*row)
    return table


def ways(*rows):
    table = Records("way", "after", "until", "dollars")
    for row in rows:
        table.append(*row)
    return table


ELEVEN = shards((0, 0.6, 0.6, 0.5, 0.7, 0.6), (1, 3.8, 3.8, 3.7, 3.9, None), (2, 10.9, 10.9, 10.8, 11.1, None),
                (3, 14.9, 14.9, 14.5, 15.1, None))
FEW = shards((0, 0.1, 0.1, 0.1, 0.1, 0.1), (1, 1.4, 1.4, 1.3, 1.5, 1.4))
RESTORES = ways(("Flexible Retrieval, Expedited", 1 / 60, 5 / 60, 90.0), ("Deep Archive, Bulk", 24, 48, 3.0))
FIGURES = {
    "access": lambda: views.cost_by_access(storage_cost.by_access()),
    "access to small objects": lambda: views.cost_by_access(storage_cost.by_access(size=16 * KB)),
    "access to large objects": lambda: views.cost_by_access(storage_cost.by_access(size=GB, years=0.25, most=5.0)),
    "access to a single one": lambda: views.cost_by_access(
        storage_cost.by_access(size=KB, objects=1, years=0.25, most=0.2)),
    "years": lambda: views.cost_over_years(storage_cost.compare()),
    "a quarter": lambda: views.cost_over_years(storage_cost.compare(years=0.25, reads=5)),
    "lifecycle": lambda: views.bytes_by_class(lifecycle_year.simulate(days=400)),
    "lifecycle of small objects": lambda: views.bytes_by_class(moved(32 * KB)),
    "no rules": lambda: views.bytes_by_class(lifecycle_year.simulate(objects=10, rules=[], days=30)),
    "all expired": lambda: views.bytes_by_class(lifecycle_year.simulate(
        objects=1, rules=[{"Filter": {}, "Expiration": {"Days": 1}}], days=900, seed=4)),
    "nines": lambda: views.nines(ELEVEN),
    "few nines": lambda: views.nines(FEW),
    "no loss seen": lambda: views.nines(shards((0, 4.0, 4.0, 3.9, 4.1, None))),
    "upload": lambda: views.upload_times(acceleration.by_region("Sydney")),
    "upload on a slow line": lambda: views.upload_times(acceleration.by_region("Warsaw", bandwidth=1e6)),
    "requests": lambda: views.requests(request_rate.simulate(rate=12_000, prefixes=4, kind="read")),
    "few requests": lambda: views.requests(request_rate.simulate(rate=10, prefixes=1, seconds=60)),
    "restores": lambda: views.restores(RESTORES)}


@pytest.mark.parametrize("name", FIGURES)
def test_every_run_can_be_drawn(name):
    figure = FIGURES[name]()
    assert figure.layout.meta["says"].endswith(".") and figure.layout.title.text
    assert "nan" not in figure.layout.meta["says"] and "inf" not in figure.layout.meta["says"]
    assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
    assert 1 <= len(figure.data) <= 5 and all(len(trace.x) <= 400 for trace in figure.data)


def test_the_turn_of_the_choice_is_the_models_crossing_point():
    rows = storage_cost.by_access(size=MB, years=10, most=2.0)
    says = views.cost_by_access(rows).layout.meta["says"]
    assert f"from {storage_cost.crossing('STANDARD_IA', size=MB, months=120):.2g} reads a month on Standard;" in says


def test_small_objects_are_best_left_in_standard():
    figure = views.cost_by_access(storage_cost.by_access(size=16 * KB))
    assert figure.layout.title.text == "Standard is cheapest, however often it is read"
    assert "Glacier Deep Archive" in views.cost_by_access(storage_cost.by_access(size=MB)).layout.title.text


def test_what_is_cheapest_after_years_is_named():
    rows = storage_cost.compare(years=2, reads=0)
    title = views.cost_over_years(rows).layout.title.text
    assert "Glacier Deep Archive" in title and f"{rows['STANDARD'][-1] / rows['DEEP_ARCHIVE'][-1]:.1f} times" in title


def test_rules_that_do_not_pay_are_not_praised():
    """130 KB move twice, and save less in two years than the two requests cost: 0.00004 dollars an object."""
    worse, better = views.bytes_by_class(moved(130 * KB)), views.bytes_by_class(moved(4 * MB))
    assert worse.layout.title.text == "The rules cost more than they save"
    assert better.layout.title.text.startswith("The rules save ")
    assert f"the bill is ${moved(4 * MB)['total'][-1]:,.2f}" in better.layout.meta["says"]


def test_bytes_below_128_kb_stay_in_standard():
    figure = views.bytes_by_class(moved(32 * KB))
    assert [trace.name for trace in figure.data] == ["Standard"]
    assert figure.layout.title.text == "Nothing moves to a colder class"


def test_a_class_looks_the_same_in_every_figure():
    def looks(figure):
        return {trace.name: (trace.line.color, trace.line.dash) for trace in figure.data}
    one, other = looks(FIGURES["access"]()), looks(FIGURES["lifecycle"]())
    shared = one.keys() & other.keys()
    assert len(shared) >= 3 and all(one[name] == other[name] for name in shared)
    assert len(set(other.values())) == len(other)


def test_nines_say_how_many_shards_it_takes_and_how_far_the_simulation_sees():
    assert views.nines(ELEVEN).layout.title.text == "3 parity shards give 11 nines"
    assert views.nines(FEW).layout.title.text == "1 parity shard is not enough for 11 nines"
    assert "losses with up to 1 parity shard," in views.nines(FEW).layout.meta["says"]
    assert "no loss at all" in FIGURES["no loss seen"]().layout.meta["says"]


def test_acceleration_is_only_said_to_help_where_it_does():
    rows = acceleration.by_region("Sydney")
    figure = views.upload_times(rows)
    assert f"{max(rows['speedup']):.1f} times as fast" in figure.layout.title.text
    assert "edge in Sydney" in figure.layout.meta["says"]
    assert "hardly" in FIGURES["upload on a slow line"]().layout.title.text


def test_a_bucket_that_splits_stops_refusing_and_one_busy_prefix_does_not():
    """5,500 reads a second for each partition ("Best practices design patterns: optimizing Amazon S3 performance")."""
    split = FIGURES["requests"]()
    assert "until" in split.layout.title.text and "from 5,500 to" in split.layout.meta["says"]
    busy = views.requests(request_rate.simulate(rate=12_000, prefixes=1, kind="read"))
    assert "goes on refusing" in busy.layout.title.text
    assert FIGURES["few requests"]().layout.title.text == "Nothing is refused"


def test_restores_compare_the_fastest_way_with_the_cheapest():
    figure = views.restores(RESTORES)
    assert "30 times" in figure.layout.title.text
    assert "Expedited takes 5 minutes at most and costs $90.00" in figure.layout.meta["says"]
    alike = views.restores(ways(("one", 1, 2, 3.0), ("other", 3, 4, 3.1)))
    assert alike.layout.title.text == "All ways cost about the same"


def test_only_known_classes_are_drawn():
    assert set(views.SHOWN) | set(views.MOVED) <= set(CLASSES)
