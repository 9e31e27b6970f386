"""Lifecycle rules against the Amazon S3 User Guide's own examples."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.storage.lifecycle import (DAY, EXPIRE, SMALL, WATERFALL, abort_days, decide, delete_marker_days, due_at,
                                   lifecycle_actions, lifecycle_due, noncurrent_actions)
from kit.storage.lifecycle_check import check_lifecycle

DOWNWARDS = ["STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]
UTC = timezone.utc


def rule(prefix="", expire=None, *moves, **more):
    return ({"Filter": {"Prefix": prefix}, "Status": "Enabled"} | ({"Expiration": {"Days": expire}} if expire else {})
            | ({"Transitions": [{"Days": days, "StorageClass": name} for days, name in moves]} if moves else {}) | more)


# ------------------------------------------------------------------ days

def test_three_days_after_a_morning_is_the_fourth_midnight():
    """"Lifecycle configuration elements": created 1/15/2014 10:30 UTC, 3 days: 1/19/2014 00:00 UTC."""
    assert lifecycle_due(datetime(2014, 1, 15, 10, 30, tzinfo=UTC), 3) == datetime(2014, 1, 19, tzinfo=UTC)


def test_a_noncurrent_version_counts_from_its_successor():
    """The same page: deleted 1/2/2014 11:30, five days to recover it: it goes 1/8/2014 00:00."""
    assert lifecycle_due(datetime(2014, 1, 2, 11, 30, tzinfo=UTC), 5) == datetime(2014, 1, 8, tzinfo=UTC)


def test_zero_days_is_the_midnight_after():
    """"Examples of S3 Lifecycle configuration", example 1: 0 days, eligible at midnight UTC following creation."""
    assert lifecycle_due(datetime(2026, 5, 1, 23, 59, tzinfo=UTC), 0) == datetime(2026, 5, 2, tzinfo=UTC)


def test_days_are_those_of_utc():
    west = timezone(timedelta(hours=-8))
    assert lifecycle_due(datetime(2014, 1, 14, 23, 30, tzinfo=west), 3) == datetime(2014, 1, 19, tzinfo=UTC)
    with pytest.raises(ValueError, match="time zone"):
        lifecycle_due(datetime(2014, 1, 14), 3)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)), st.integers(0, 4000))
def test_seconds_and_dates_agree(created, days):
    due = lifecycle_due(created, days)
    assert due_at(created.timestamp(), days) == due.timestamp() and due.timestamp() % DAY == 0
    assert timedelta(days=days) < due - created <= timedelta(days=days + 1)


# ------------------------------------------------------------------ conflicts

@pytest.mark.parametrize("rules, key, tags, expected", [
    ([rule("", 365), rule("logs/", None, (30, "STANDARD_IA"))], "logs/a", (), [(30, "STANDARD_IA"), (365, EXPIRE)]),
    ([rule("", 365), rule("logs/", None, (30, "STANDARD_IA"))], "other", (), [(365, EXPIRE)]),
    ([rule("logs/", 365), rule("logs/", None, (365, "STANDARD_IA"))], "logs/a", (), [(365, EXPIRE)]),
    ([rule("", None, (10, "STANDARD_IA")), rule("logs/", None, (365, "STANDARD_IA"))], "logs/a", (),
     [(10, "STANDARD_IA")]),
    ([{"Filter": {"Tag": {"Key": "tag1", "Value": "value1"}}, "Transitions": [{"Days": 365, "StorageClass": "GLACIER"}]},
      {"Filter": {"Tag": {"Key": "tag2", "Value": "value2"}}, "Expiration": {"Days": 14}}],
     "", {"tag1": "value1", "tag2": "value2"}, [(14, EXPIRE)]),
], ids=["no conflict", "outside the prefix", "expiration first", "the earlier transition", "tags"])
def test_the_guides_conflicts(rules, key, tags, expected):
    """"Examples of S3 Lifecycle configuration", example 5: its four examples."""
    assert lifecycle_actions(rules, key, tags) == expected == lifecycle_actions(rules[::-1], key, tags)


@pytest.mark.parametrize("other, wins", [("STANDARD_IA", "GLACIER"), ("ONEZONE_IA", "GLACIER"),
                                         ("DEEP_ARCHIVE", "DEEP_ARCHIVE"), ("INTELLIGENT_TIERING", "GLACIER")])
def test_flexible_retrieval_before_infrequent_access_on_one_day(other, wins):
    """"How Amazon S3 handles conflicts": of Glacier and IA, Glacier; of two transitions the lower-cost class."""
    rules = [rule("", None, (60, other)), rule("", None, (60, "GLACIER"))]
    assert lifecycle_actions(rules)[0] == (60, wins)


def test_intelligent_tiering_is_favoured_but_over_the_archives():
    rules = [rule("", None, (60, name)) for name in ("ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "STANDARD_IA")]
    assert lifecycle_actions(rules)[0] == (60, "INTELLIGENT_TIERING")


def test_a_delete_marker_comes_after_the_transition():
    """The same page: permanent deletion before transition, transition before the creation of a delete marker."""
    rules = [rule("", 365), rule("", None, (365, "GLACIER"), (400, "DEEP_ARCHIVE"))]
    assert lifecycle_actions(rules) == [(365, EXPIRE)]
    assert lifecycle_actions(rules, versioned=True) == [(365, "GLACIER"), (365, EXPIRE)]


def test_the_shorter_expiration_is_honoured_and_the_reason_said():
    found = decide([rule("", 30, ID="short"), rule("", 300, (60, "GLACIER"), ID="long")])
    assert [(action.rule, action.taken) for action in found] == [("short", True), ("long", False), ("long", False)]
    assert found[1].because == "the object is gone by then"


def test_tiering_down():
    """Example 3 of the examples page: 30 days IA, 90 days Glacier, gone after a year."""
    assert lifecycle_actions([rule("logs/", 365, (90, "GLACIER"), (30, "STANDARD_IA"))], "logs/x") == [
        (30, "STANDARD_IA"), (90, "GLACIER"), (365, EXPIRE)]


def test_a_disabled_rule_does_nothing():
    """Example 2."""
    assert lifecycle_actions([rule("", 1) | {"Status": "Disabled"}]) == []


actions = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(DOWNWARDS[1:])), max_size=4)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(["", "a", "a/b", "c"]), st.none() | st.integers(1, 400), actions), max_size=5),
       st.sampled_from(["a/b/c", "c", "z"]), st.sampled_from(DOWNWARDS), st.integers(0, 2**20), st.booleans())
def test_a_transition_is_never_to_a_warmer_class(drawn, key, start, size, versioned):
    """"Transitioning objects using Amazon S3 Lifecycle": a waterfall; nothing goes up, and nothing after the end."""
    rules = [rule(prefix, expire, *moves) for prefix, expire, moves in drawn]
    found = lifecycle_actions(rules, key, StorageClass=start, size=size, versioned=versioned)
    classes = [start] + [action for _, action in found if action != EXPIRE]
    levels = [DOWNWARDS.index(name) for name in classes]
    assert levels == sorted(set(levels)) and ("ONEZONE_IA", "GLACIER_IR") not in zip(classes, classes[1:])
    assert [days for days, _ in found] == sorted(days for days, _ in found)
    assert EXPIRE not in [action for _, action in found[:-1]]
    ends = [expire for prefix, expire, _ in drawn if expire and key.startswith(prefix)]
    assert [days for days, action in found if action == EXPIRE] == ([min(ends)] if ends else [])
    assert size >= SMALL or len(classes) == 1


def test_no_way_leads_up():
    """The same page's lists of supported and unsupported transitions."""
    assert all(DOWNWARDS.index(to) > DOWNWARDS.index(start) for start, ways in WATERFALL.items() for to in ways)
    assert "GLACIER_IR" not in WATERFALL["ONEZONE_IA"] and WATERFALL["GLACIER"] == ("DEEP_ARCHIVE",)


# ------------------------------------------------------------------ filters

def test_tags_match_key_and_value_and_all_of_them():
    """"Lifecycle configuration elements", Filter."""
    both = [{"Filter": {"And": {"Prefix": "tax/", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}},
             "Expiration": {"Days": 1}}]
    assert lifecycle_actions(both, "tax/x", {"a": "1", "b": "2", "c": "3"}) == [(1, EXPIRE)]
    for key, tags in (("tax/x", {"a": "1"}), ("tax/x", {"a": "1", "b": "3"}), ("log", {"a": "1", "b": "2"})):
        assert lifecycle_actions(both, key, tags) == []
    assert lifecycle_actions(both, "tax/x", [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]) == [(1, EXPIRE)]


def test_sizes_are_between_not_at():
    """The same page: objects between 500 and 64,000 bytes."""
    between = [{"Filter": {"And": {"ObjectSizeGreaterThan": 500, "ObjectSizeLessThan": 64000}},
                "Expiration": {"Days": 1}}]
    assert [size for size in (499, 500, 501, 63999, 64000) if lifecycle_actions(between, size=size)] == [501, 63999]


def test_small_objects_stay_unless_a_filter_names_a_size():
    """PutBucketLifecycleConfiguration, TransitionDefaultMinimumObjectSize."""
    rules = [rule("", 365, (30, "STANDARD_IA"), (90, "GLACIER"))]
    assert lifecycle_actions(rules, size=SMALL - 1) == [(365, EXPIRE)]
    varies = lifecycle_actions(rules, size=SMALL - 1, minimum_size="varies_by_storage_class")
    assert varies == [(90, "GLACIER"), (365, EXPIRE)]
    asked = [rules[0] | {"Filter": {"ObjectSizeGreaterThan": 1}}]
    assert lifecycle_actions(asked, size=2)[0] == (30, "STANDARD_IA")


def test_a_date_is_a_day_and_a_past_one_is_now():
    """"Lifecycle rules: Based on a specific date": objects that come after it are expired as well."""
    rules = [{"Filter": {}, "Status": "Enabled", "Expiration": {"Date": datetime(2026, 3, 1, tzinfo=UTC)}}]
    assert lifecycle_actions(rules, created=datetime(2026, 2, 1, 10, tzinfo=UTC)) == [(27, EXPIRE)]
    assert lifecycle_due(datetime(2026, 2, 1, 10, tzinfo=UTC), 27) == datetime(2026, 3, 1, tzinfo=UTC)
    assert lifecycle_actions(rules, created=datetime(2026, 4, 1, tzinfo=UTC)) == [(0, EXPIRE)]
    with pytest.raises(ValueError, match="created"):
        lifecycle_actions(rules)


# ------------------------------------------------------------------ versions, markers, uploads

def test_noncurrent_versions_are_moved_then_deleted_but_for_the_newest():
    """Example 6: to Glacier after 30 days, gone after 365, five kept."""
    rules = [rule(NoncurrentVersionTransitions=[{"NoncurrentDays": 30, "StorageClass": "GLACIER"}],
                  NoncurrentVersionExpiration={"NoncurrentDays": 365, "NewerNoncurrentVersions": 5})]
    assert noncurrent_actions(rules, newer=4) == [(30, "GLACIER")]
    assert noncurrent_actions(rules, newer=5) == [(30, "GLACIER"), (365, EXPIRE)]
    assert lifecycle_actions(rules) == []


def test_a_lone_delete_marker_goes():
    """Example 7: a delete marker with zero noncurrent versions; Days removes it when it is old enough."""
    once = [rule(Expiration={"ExpiredObjectDeleteMarker": True})]
    assert delete_marker_days(once) == 0 and delete_marker_days(once, noncurrent_versions=1) is None
    assert delete_marker_days([rule("", 60)]) == 60 and delete_marker_days([rule("a", 60)], "b") is None
    assert delete_marker_days([rule(Expiration={"ExpiredObjectDeleteMarker": False})]) is None


def test_incomplete_uploads_are_aborted_by_prefix():
    """Example 8: seven days after initiation."""
    rules = [rule("SomeKeyPrefix/", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7})]
    assert abort_days(rules, "SomeKeyPrefix/film") == 7 and abort_days(rules, "film") is None


# ------------------------------------------------------------------ what S3 refuses

MARKER, ABORT = {"ExpiredObjectDeleteMarker": True}, {"DaysAfterInitiation": 7}
TAG = {"Tag": {"Key": "a", "Value": "1"}}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("rules, code", [
    ([], "InvalidRequest"),
    ([rule("", 1)] * 1001, "InvalidRequest"),
    ([rule("", 1, ID="a" * 256)], "InvalidArgument"),
    ([rule("", 1, ID="a"), rule("", 2, ID="a")], "InvalidArgument"),
    ([rule("", 1) | {"Status": "On"}], "MalformedXML"),
    ([{"Status": "Enabled", "Expiration": {"Days": 1}}], "MalformedXML"),
    ([rule("", 1) | {"Prefix": ""}], "MalformedXML"),
    ([rule()], "InvalidRequest"),
    ([rule(Expiration={"Days": 0})], "InvalidArgument"),
    ([rule(Expiration={"Days": 1} | MARKER)], "MalformedXML"),
    ([rule(Expiration={"Date": NOON})], "InvalidArgument"),
    ([rule(Expiration=MARKER) | {"Filter": TAG}], "InvalidRequest"),
    ([rule(AbortIncompleteMultipartUpload=ABORT) | {"Filter": TAG}], "InvalidRequest"),
    ([rule(AbortIncompleteMultipartUpload=ABORT) | {"Filter": {"ObjectSizeLessThan": 9}}], "InvalidRequest"),
    ([rule(AbortIncompleteMultipartUpload={})], "InvalidRequest"),
    ([rule("", 1) | {"Filter": {"Prefix": "a"} | TAG}], "MalformedXML"),
    ([rule("", 1) | {"Filter": {"And": {"Prefix": "a"}}}], "MalformedXML"),
    ([rule("", 1) | {"Filter": {"And": {"ObjectSizeGreaterThan": 9, "ObjectSizeLessThan": 9}}}], "InvalidRequest"),
    ([rule("", None, (29, "STANDARD_IA"))], "InvalidArgument"),
    ([rule("", None, (30, "STANDARD"))], "MalformedXML"),
    ([rule("", None, (30, "GLACIER"), (60, "GLACIER"))], "InvalidRequest"),
    ([rule("", None, (30, "STANDARD_IA"), (59, "GLACIER"))], "InvalidArgument"),
    ([rule("", None, (30, "GLACIER"), (119, "DEEP_ARCHIVE"))], "InvalidArgument"),
    ([rule("", None, (0, "GLACIER"), (90, "STANDARD_IA"))], "InvalidArgument"),
    ([rule("", 30, (30, "STANDARD_IA"))], "InvalidArgument"),
    ([rule("", None, (30, "GLACIER"), Expiration={"Date": datetime(2030, 1, 1, tzinfo=UTC)})], "InvalidRequest"),
    ([rule(NoncurrentVersionExpiration={"NewerNoncurrentVersions": 3})], "MalformedXML"),
    ([rule(NoncurrentVersionExpiration={"NoncurrentDays": 0})], "InvalidArgument"),
    ([rule(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 101})], "InvalidArgument"),
    ([{"Prefix": "", "Status": "Enabled",
       "NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 1}}], "InvalidRequest"),
    ([rule(NoncurrentVersionTransitions=[{"NoncurrentDays": 29, "StorageClass": "ONEZONE_IA"}])], "InvalidArgument"),
])
def test_what_s3_refuses_and_with_which_code(rules, code):
    with pytest.raises(ServiceError) as refused:
        check_lifecycle(rules)
    assert refused.value.code == code


@pytest.mark.parametrize("rules", [
    [rule("", 1)] * 1000,
    [rule("logs/", 365, (30, "STANDARD_IA"), (90, "GLACIER"))],
    [rule("", None, (0, "GLACIER"))],
    [rule("", None, (0, "INTELLIGENT_TIERING"), (1, "DEEP_ARCHIVE"))],
    [rule(Expiration=MARKER, NoncurrentVersionExpiration={"NewerNoncurrentVersions": 10, "NoncurrentDays": 30})],
    [{"Status": "Disabled", "Prefix": "documents/", "Transitions": [{"Days": 0, "StorageClass": "GLACIER"}]}],
    [rule(AbortIncompleteMultipartUpload=ABORT)],
    [rule("", 1) | {"Filter": {"And": {"Prefix": "tax/", "ObjectSizeGreaterThan": 500}}}],
    [rule("", 1) | {"Filter": {"And": {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}}}],
])
def test_what_s3_accepts(rules):
    """The examples page's own configurations, and the limits from within."""
    check_lifecycle(rules)
