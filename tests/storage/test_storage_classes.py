"""The table of classes against "Using Amazon S3 storage classes" and "Amazon S3 Service Level Agreement"."""

import pytest

from kit.storage.storage_classes import (CLASSES, GB, KB, MONITORED, MONITORING, MONTH, RETRIEVALS, TIERS, class_of,
                                         object_rate, read_price, retrieval, table, tier_at)

GUIDE = {  # "Comparing the Amazon S3 storage classes": availability, zones, days, bytes; the SLA's first credit
    "STANDARD": (99.99, 3, 0, 0, 99.9), "STANDARD_IA": (99.9, 3, 30, 128, 99.0),
    "INTELLIGENT_TIERING": (99.9, 3, 0, 0, 99.0),
    "ONEZONE_IA": (99.5, 1, 30, 128, 99.0), "GLACIER_IR": (99.9, 3, 90, 128, 99.0), "GLACIER": (99.99, 3, 90, 40, 99.9),
    "DEEP_ARCHIVE": (99.99, 3, 180, 40, 99.9)}


@pytest.mark.parametrize("name", GUIDE)
def test_the_guides_table(name):
    availability, zones, days, kilobytes, sla = GUIDE[name]
    kind = CLASSES[name]
    assert (kind.availability, kind.zones, kind.minimum_days, kind.sla) == (availability, zones, days, sla)
    assert kind.minimum_bytes + kind.overhead + kind.overhead_standard == kilobytes * KB
    assert kind.archived == (name in ("GLACIER", "DEEP_ARCHIVE"))


def test_all_classes_are_there_and_the_table_says_so():
    assert set(GUIDE) == set(CLASSES) == set(table()["name"]) and len(table().columns) == 15


def test_colder_is_cheaper_to_keep_and_no_cheaper_to_touch():
    """"S3 Glacier Deep Archive is the lowest cost storage option"; Instant Retrieval "has higher data access costs"."""
    online = [CLASSES[name] for name in ("STANDARD", "STANDARD_IA", "GLACIER_IR")]
    assert [kind.storage for kind in online] == sorted((kind.storage for kind in online), reverse=True)
    for price in ("retrieval", "get", "put"):
        assert [getattr(kind, price) for kind in online] == sorted(getattr(kind, price) for kind in online)
    assert min(CLASSES.values(), key=lambda kind: kind.storage).name == "DEEP_ARCHIVE"


def test_a_small_object_is_billed_as_128_kb_and_an_archived_one_with_40_kb_more():
    """"If an object is less than 128 KB, Amazon S3 charges you for 128 KB"; 32 KB at Glacier rates, 8 KB at Standard's."""
    assert object_rate("STANDARD_IA", 1) == object_rate("STANDARD_IA", 128 * KB) == pytest.approx(128 * KB / GB * 0.0125)
    assert object_rate("STANDARD", KB) == pytest.approx(KB / GB * 0.023)
    assert object_rate("GLACIER", 0) == pytest.approx((32 * 0.0036 + 8 * 0.023) * KB / GB)
    assert object_rate("DEEP_ARCHIVE", GB) - object_rate("DEEP_ARCHIVE", 0) == pytest.approx(0.00099)


def test_intelligent_tiering_steps_down_and_leaves_small_objects_alone():
    """"How S3 Intelligent-Tiering works": 30 days, 90 days; below 128 KB not monitored, always Frequent Access."""
    assert [tier_at(days)[0] for days in (0, 29, 30, 89, 90, 1000)] == [
        "Frequent Access"] * 2 + ["Infrequent Access"] * 2 + ["Archive Instant Access"] * 2
    assert object_rate("INTELLIGENT_TIERING", GB, 30) == pytest.approx(0.0125 + MONITORING)
    small = MONITORED - 1
    assert object_rate("INTELLIGENT_TIERING", small, 365) == object_rate("STANDARD", small)
    assert [tier[1] for tier in TIERS if not tier[3]] == [90, 180]


def test_restores_of_the_knowledge_centers_archive():
    """re:Post, manage data retrieval: 15,000,000 objects, 100 TB from Flexible Retrieval: $750 and $1,024; $150,000."""
    request, a_gb = retrieval("GLACIER", "Standard")
    assert (15e6 * request, 102_400 * a_gb) == (pytest.approx(750), pytest.approx(1024))
    assert 15e6 * retrieval("GLACIER", "Expedited")[0] == pytest.approx(150_000)
    assert retrieval("GLACIER", "Bulk") == (0, 0)  # "Bulk retrievals free for objects stored in ... Flexible Retrieval"


def test_what_a_read_costs():
    assert read_price("STANDARD", GB) == pytest.approx(4e-7) and read_price("GLACIER_IR", GB) == pytest.approx(0.03 + 1e-5)
    copy = 0.023 / MONTH
    assert read_price("DEEP_ARCHIVE", GB, "Bulk") == pytest.approx(2.5e-5 + 0.0025 + copy + 4e-7)
    with pytest.raises(ValueError, match="no Expedited"):
        read_price("DEEP_ARCHIVE", GB, "Expedited")
    assert ("DEEP_ARCHIVE", "Expedited") not in RETRIEVALS
    with pytest.raises(ValueError, match="there are STANDARD"):
        class_of("GLACIAL")
