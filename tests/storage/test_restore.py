"""Restores against "Archive retrieval options", "Restoring an archived object" and the API's "RestoreObject"."""

from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.storage.restore import HOUR, MINUTE, TIERS, TYPICAL, ArchivedObject, ExpeditedCapacity, restore_cost, ways
from kit.storage.storage_classes import GB

UTC = timezone.utc


def at(*when):
    return datetime(*when, tzinfo=UTC).timestamp()


def refused(code, call, *args, **named):
    with pytest.raises(ServiceError) as error:
        call(*args, **named)
    assert error.value.code == code


def ready(tape, now=0.0, **asked):
    """Restore and wait until the copy is there: the seconds it took."""
    assert tape.restore_object(now, **({"Days": 1} | asked)) == 202
    seconds = now
    while tape.head_object(seconds).get("Restore") == 'ongoing-request="true"':
        seconds += MINUTE / 4
    return seconds - now


@pytest.mark.parametrize("storage_class, tier, low, high", [
    ("GLACIER", "Expedited", 1 * MINUTE, 5 * MINUTE), ("GLACIER", "Standard", 3 * HOUR, 5 * HOUR),
    ("GLACIER", "Bulk", 5 * HOUR, 12 * HOUR), ("DEEP_ARCHIVE", "Standard", 0, 12 * HOUR),
    ("DEEP_ARCHIVE", "Bulk", 0, 48 * HOUR)])
def test_the_guides_hours(storage_class, tier, low, high):
    """"Archive retrieval options", its table."""
    for seed in range(3):
        tape = ArchivedObject("film", 10**6, storage_class, seed=seed)
        assert low <= ready(tape, Tier=tier) <= high + MINUTE


def test_no_expedited_restore_from_deep_archive():
    """The same table: "Not available"."""
    refused("InvalidArgument", ArchivedObject("film", GB, "DEEP_ARCHIVE").restore_object, 0, Days=1, Tier="Expedited")
    assert ("DEEP_ARCHIVE", "Expedited") not in ways() and len(ways()) == len(TYPICAL) == 5


def test_a_large_object_takes_longer_even_expedited():
    """"Objects 250 megabytes or larger ... with up to 300 megabytes per second"."""
    assert ready(ArchivedObject("film", 300 * 10**9), Tier="Expedited") > 1000


def test_an_archive_cannot_be_read_before_its_copy_is_there():
    """GetObject: "Otherwise, this operation returns an InvalidObjectState error"; also while the restore is under way."""
    tape = ArchivedObject("film", GB)
    refused("InvalidObjectState", tape.get_object, 0)
    assert "Restore" not in tape.head_object(0)
    tape.restore_object(0, Days=1)
    refused("InvalidObjectState", tape.get_object, 2.9 * HOUR)
    assert tape.get_object(5 * HOUR) == GB and tape.head_object(5 * HOUR)["StorageClass"] == "GLACIER"


def test_the_copy_goes_at_a_midnight_and_days_are_changed_from_now():
    """"Restoring an archived object": Oct 15, 2012 10:30, 3 days: Oct 19 00:00; on Oct 16 11:00 changed to 1: Oct 18."""
    tape = ArchivedObject("film", GB)
    tape.restore_object(at(2012, 10, 15, 10, 30), Days=3)
    assert tape.head_object(at(2012, 10, 16))["Restore"] == (
        'ongoing-request="false", expiry-date="Fri, 19 Oct 2012 00:00:00 GMT"')
    assert tape.restore_object(at(2012, 10, 16, 11), Days=1) == 200
    assert tape.head_object(at(2012, 10, 17))["Restore"].endswith('"Thu, 18 Oct 2012 00:00:00 GMT"')
    assert tape.get_object(at(2012, 10, 17, 23, 59)) == GB
    refused("InvalidObjectState", tape.get_object, at(2012, 10, 18))
    assert tape.restore_object(at(2012, 10, 18), Days=1) == 202  # again from the archive


def test_the_header_is_the_one_of_the_api():
    """HeadObject: ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"; "true" while it is under way."""
    tape = ArchivedObject("film", GB)
    tape.restore_object(at(2012, 12, 19, 1), Days=1)
    assert tape.head_object(at(2012, 12, 19, 2))["Restore"] == 'ongoing-request="true"'
    assert tape.head_object(at(2012, 12, 20))["Restore"] == (
        'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"')


def test_a_restore_under_way_can_only_be_made_faster():
    """"Upgrading the speed of an in-progress restore": a faster tier, no other change; RestoreObject: 409 otherwise."""
    tape = ArchivedObject("film", GB)
    tape.restore_object(0, Days=2, Tier="Bulk")
    for days, tier in ((2, "Bulk"), (3, "Standard")):
        refused("RestoreAlreadyInProgress", tape.restore_object, 60, Days=days, Tier=tier)
    assert tape.restore_object(60, Days=2, Tier="Expedited") == 202
    refused("RestoreAlreadyInProgress", tape.restore_object, 61, Days=2, Tier="Standard")
    assert tape.get_object(60 + 5 * MINUTE + 4) == GB
    assert [(what, dollars) for _, what, dollars in tape.charges if what != "copy"] == [
        ("request", 0.01), ("retrieval", pytest.approx(0.03))]


def test_expedited_needs_room_or_provisioned_capacity():
    """RestoreObject: GlacierExpeditedRetrievalNotAvailable; a unit: three expedited retrievals every five minutes."""
    busy = ExpeditedCapacity(busy=True)
    tapes = [ArchivedObject(f"film {number}", 1000, capacity=busy) for number in range(5)]
    refused("GlacierExpeditedRetrievalNotAvailable", tapes[0].restore_object, 0, Days=1, Tier="Expedited")
    assert tapes[4].restore_object(0, Days=1, Tier="Standard") == 202  # "applies only to Expedited"
    ends = busy.purchase_provisioned_capacity(0)
    assert [tape.restore_object(1, Days=1, Tier="Expedited") for tape in tapes[:3]] == [202] * 3
    refused("GlacierExpeditedRetrievalNotAvailable", tapes[3].restore_object, 5 * MINUTE, Days=1, Tier="Expedited")
    assert tapes[3].restore_object(5 * MINUTE + 1, Days=1, Tier="Expedited") == 202
    late = ArchivedObject("late", 1, capacity=busy)
    refused("GlacierExpeditedRetrievalNotAvailable", late.restore_object, ends, 1, "Expedited")


@pytest.mark.parametrize("storage_class", ["STANDARD", "STANDARD_IA", "ONEZONE_IA", "GLACIER_IR"])
def test_what_is_not_archived_is_read_at_once_and_not_restored(storage_class):
    """"objects are available for anytime access"; S3's answer as moto's pull request 4670 quotes it."""
    thing = ArchivedObject("film", GB, storage_class)
    assert thing.get_object(0) == GB
    refused("InvalidObjectState", thing.restore_object, 0, Days=1)


def test_intelligent_tierings_archives_come_back_for_good():
    """"How S3 Intelligent-Tiering works"; no Days (s3cmd issue 1377); Standard and Bulk restores are free."""
    thing = ArchivedObject("film", GB, "INTELLIGENT_TIERING", AccessTier="DEEP_ARCHIVE_ACCESS")
    refused("InvalidObjectState", thing.get_object, 0)
    refused("InvalidArgument", thing.restore_object, 0, Days=1)
    assert thing.head_object(0)["ArchiveStatus"] == "DEEP_ARCHIVE_ACCESS"
    assert thing.restore_object(0) == 202 and thing.get_object(12 * HOUR) == thing.get_object(1e9) == GB
    assert sum(dollars for _, _, dollars in thing.charges) == 0 and "Restore" not in thing.head_object(1e9)
    refused("ObjectAlreadyInActiveTierError", thing.restore_object, 1e9)
    with pytest.raises(ValueError, match="access tier"):
        ArchivedObject("film", 1, "GLACIER", AccessTier="ARCHIVE_ACCESS")


@pytest.mark.parametrize("asked, code", [({"Days": 0}, "InvalidArgument"), ({}, "MalformedXML"),
                                         ({"Days": 1, "Tier": "Fast"}, "MalformedXML")])
def test_a_wrong_request(asked, code):
    refused(code, ArchivedObject("film", 1).restore_object, 0, **asked)


def test_a_lifecycle_expiration_overrides_the_days():
    """RestoreObject: restored for 10 days, but scheduled to expire in 3: deleted in 3."""
    tape = ArchivedObject("film", 1, expires_at=3 * 86400)
    tape.restore_object(0, Days=10)
    assert tape.get_object(2 * 86400) == 1
    refused("NoSuchKey", tape.get_object, 3 * 86400)


def test_what_a_restore_costs():
    """The request, the bytes, and the copy beside the archive at Standard's price; longer only costs the request."""
    assert restore_cost("GLACIER", "Standard", GB, Days=365 / 12, objects=1000) == pytest.approx(
        {"request": 0.05, "retrieval": 10.0, "copy": 23.0})
    tape = ArchivedObject("film", GB)
    tape.restore_object(0, Days=1)
    tape.get_object(6 * HOUR)
    tape.restore_object(6 * HOUR, Days=11)
    assert [what for _, what, _ in tape.charges] == ["request", "retrieval", "copy", "request", "copy"]
    gone = sum(dollars for _, what, dollars in tape.charges if what == "copy") / (0.023 / (365 / 12))
    assert 12 - 5 / 24 <= gone <= 12 - 3 / 24
    assert [name.rsplit(":")[-1] for _, name in tape.events] == ["Post", "Completed"]


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.sampled_from(["GLACIER", "DEEP_ARCHIVE"]), st.lists(max_size=25, elements=st.tuples(
    st.floats(0, 2 * 86400), st.sampled_from(["restore", "get", "head"]), st.integers(1, 3), st.sampled_from(TIERS))))
def test_a_read_succeeds_exactly_while_the_header_says_so(storage_class, calls):
    tape, now = ArchivedObject("film", 7, storage_class), 0.0
    for wait, call, days, tier in calls:
        now += wait
        there = "expiry-date" in tape.head_object(now).get("Restore", "")
        if call == "restore":
            try:
                assert tape.restore_object(now, days, tier) == (200 if there else 202)
            except ServiceError as error:
                assert error.code in ("RestoreAlreadyInProgress", "InvalidArgument")
        elif call == "get":
            if there:
                assert tape.get_object(now) == 7
            else:
                refused("InvalidObjectState", tape.get_object, now)
    assert [when for when, _ in tape.events] == sorted(when for when, _ in tape.events)


def test_the_same_seed_takes_the_same_time():
    times = [ready(ArchivedObject("film", 1, seed=seed)) for seed in (1, 1, 2)]
    assert times[0] == times[1] != times[2]
