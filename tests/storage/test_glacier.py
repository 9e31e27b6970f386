"""Amazon Glacier with vaults, held to the Developer Guide and to AWS's own tree hash (botocore's)."""

import csv
import io
import json
from hashlib import sha256

import pytest
from botocore.utils import calculate_tree_hash
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kit.errors import ServiceError
from kit.storage import glacier
from kit.storage.glacier import DAY, GB, HOUR, KB, MB, Account, tree_hash, tree_hash_aligned
from kit.storage.vault_lock import retention

TOPIC, OTHER_TOPIC = "arn:aws:sns:us-east-1:123456789012:mytopic", "arn:aws:sns:us-east-1:123456789012:other"


def refused(code, act, *arguments, **named):
    with pytest.raises(ServiceError) as error:
        act(*arguments, **named)
    assert error.value.code == code
    return error.value.message


def stored(body=b"hello", seed=1, **more):
    account = Account(seed=seed, **more)
    account.create_vault("v", now=0)
    return account, account.upload_archive("v", body, now=0, archiveDescription="first")["archiveId"]


def wants(archive_id, **more):
    return {"Type": "archive-retrieval", "ArchiveId": archive_id} | more


def blocks(count, extra=0):
    """Bytes whose megabytes all differ."""
    return b"".join(bytes([number]) * MB for number in range(count)) + b"x" * extra


# ---------------------------------------------------------------------- the tree hash


def by_halves(leaves):
    """Another way to the same tree: the left part is the largest power of two below the whole."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(by_halves(leaves[:split]) + by_halves(leaves[split:])).digest()


@pytest.mark.parametrize("count, extra", [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (3, 209_715), (6, 524_288), (7, 0),
                                          (8, 0), (9, 5), (12, 0), (13, 1)])
def test_the_tree_hash_is_that_of_aws(count, extra):
    """Computing Checksums; 3.2 MB and 6.5 MB are its examples."""
    body = blocks(count, extra)
    assert tree_hash(body) == calculate_tree_hash(io.BytesIO(body))
    leaves = [sha256(body[first:first + MB]).digest() for first in range(0, len(body), MB)]
    assert not leaves or tree_hash(body) == by_halves(leaves).hex()


@pytest.mark.parametrize("chunks", range(1, 18))
def test_a_range_is_aligned_if_and_only_if_it_is_a_node_of_the_tree(chunks):
    """Receiving Checksums When Downloading Data: the exact specification, against the tree written out."""
    nodes, level = set(), [(number, number + 1) for number in range(chunks)]
    while len(level) > 1:
        nodes |= set(level)
        level = [(level[first][0], level[min(first + 1, len(level) - 1)][1]) for first in range(0, len(level), 2)]
    nodes |= set(level)
    for start in range(chunks):
        for end in range(start + 1, chunks + 1):
            assert tree_hash_aligned(start * MB, end * MB - 1, chunks * MB) == ((start, end) in nodes)


def test_of_two_ranges_of_2_mb_only_one_has_a_checksum():
    """The same page: a 6.5 MB archive, both ranges megabyte aligned."""
    size = 6 * MB + MB // 2
    assert tree_hash_aligned(2 * MB, 4 * MB - 1, size) and not tree_hash_aligned(3 * MB, 5 * MB - 1, size)
    assert tree_hash_aligned(4 * MB, size - 1, size) and not tree_hash_aligned(0, 1000, size)


# ---------------------------------------------------------------------- in and out


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=1, max_size=2000), st.integers(0, 3), st.sampled_from(["Expedited", "Standard", "Bulk"]),
       st.integers(0, 10**6))
def test_what_is_restored_equals_what_went_in(tail, megabytes, tier, seed):
    """Byte for byte, at the time the tier promises, with the checksum that went in."""
    body = blocks(megabytes) + tail
    account, archive_id = stored(body, seed)
    job_id = account.initiate_job("v", wants(archive_id, Tier=tier), now=100)["jobId"]
    done = account.next_done(now=100)
    low, high = {"Expedited": (60, 300), "Standard": (3 * HOUR, 5 * HOUR), "Bulk": (5 * HOUR, 12 * HOUR)}[tier]
    assert low <= done - 100 <= high
    refused("InvalidParameterValueException", account.get_job_output, "v", job_id, now=done - 1)
    output = account.get_job_output("v", job_id, now=done)
    assert output["body"] == body and output["checksum"] == tree_hash(body) and output["status"] == 200
    assert output["archiveDescription"] == "first" and output["contentType"] == "application/octet-stream"


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_restored_range_equals_that_range(data):
    """Ranged retrieval, and within it a ranged download, whatever the ranges."""
    body = blocks(5, 123_456)
    account, archive_id = stored(body)
    start = data.draw(st.integers(0, 5))
    end = data.draw(st.integers(start + 1, 6))
    first, last = start * MB, min(end * MB, len(body)) - 1
    job_id = account.initiate_job("v", wants(archive_id, RetrievalByteRange=f"{first}-{last}"), now=0)["jobId"]
    a = data.draw(st.integers(0, last - first))
    b = data.draw(st.integers(a, last - first))
    output = account.get_job_output("v", job_id, now=6 * HOUR, range=f"bytes={a}-{b}")
    assert output["body"] == body[first:last + 1][a:b + 1] and output["status"] == 206
    assert output["contentRange"] == f"bytes {a}-{b}/{last - first + 1}"
    if "checksum" in output:
        assert output["checksum"] == tree_hash(output["body"])
    whole = account.get_job_output("v", job_id, now=6 * HOUR)
    assert ("checksum" in whole) == tree_hash_aligned(first, last, len(body))


def test_a_range_that_is_no_node_has_no_checksum_nor_have_its_parts():
    """Receiving Checksums: both the range to retrieve and the range to download must be tree-hash aligned."""
    account, archive_id = stored(blocks(6, MB // 2))
    for first, whole, one in ((2 * MB, True, True), (3 * MB, False, False)):
        wanted = wants(archive_id, RetrievalByteRange=f"{first}-{first + 2 * MB - 1}")
        job_id = account.initiate_job("v", wanted, now=0)["jobId"]
        assert ("checksum" in account.get_job_output("v", job_id, now=6 * HOUR)) == whole
        part = account.get_job_output("v", job_id, now=6 * HOUR, range=f"bytes=0-{MB - 1}")
        assert ("checksum" in part) == one
        assert (account.describe_job("v", job_id, now=6 * HOUR)["SHA256TreeHash"] is not None) == whole


def test_given_a_checksum_of_other_bytes_then_nothing_is_stored():
    """Upload Archive: a different checksum is rejected."""
    account = Account()
    account.create_vault("v", now=0)
    refused("InvalidParameterValueException", account.upload_archive, "v", b"hello", now=0, checksum=tree_hash(b"helo"))
    assert account.vaults["v"].archives == {}
    assert account.upload_archive("v", b"hello", now=0, checksum=tree_hash(b"hello"))["checksum"] == tree_hash(b"hello")


def test_an_upload_is_answered_at_once_and_every_archive_has_an_id_of_its_own():
    """UploadArchive is synchronous; the same bytes twice are two archives."""
    account, first = stored()
    assert account.upload_archive("v", b"hello", now=0)["archiveId"] != first
    assert stored(seed=1)[1] == first != stored(seed=2)[1]
    assert account.list_jobs("v", now=0)["JobList"] == []


@pytest.mark.parametrize("size, parts, fits", [
    (0, False, False), (1, False, True), (4 * GB, False, True), (4 * GB + 1, False, False),
    (4 * GB + 1, True, True), (40_000 * GB, True, True), (40_000 * GB + 1, True, False)])
def test_how_large_an_archive_may_be(size, parts, fits):
    """Uploading an Archive in Amazon Glacier: 1 byte to 4 GB at once, 10,000 parts of 4 GB."""
    if fits:
        glacier.check_size(size, parts)
    else:
        refused("InvalidParameterValueException", glacier.check_size, size, parts)


def test_given_a_done_job_when_24_hours_pass_then_job_and_output_are_gone():
    """Get Job Output: the job ID does not expire for at least 24 hours."""
    account, archive_id = stored()
    job_id = account.initiate_job("v", wants(archive_id), now=0)["jobId"]
    done = account.next_done(now=0)
    assert account.get_job_output("v", job_id, now=done + DAY - 1)["body"] == b"hello"
    refused("ResourceNotFoundException", account.get_job_output, "v", job_id, now=done + DAY)
    refused("ResourceNotFoundException", account.describe_job, "v", job_id, now=done + DAY)
    assert account.list_jobs("v", now=done + DAY)["JobList"] == []


def test_a_job_tells_what_it_does():
    """GlacierJobDescription; Initiate Job: Standard is the default tier."""
    account, archive_id = stored()
    job_id = account.initiate_job("v", wants(archive_id, Description="mine"), now=7)["jobId"]
    told = account.describe_job("v", job_id, now=8)
    assert (told["Action"], told["Tier"], told["StatusCode"]) == ("ArchiveRetrieval", "Standard", "InProgress")
    assert (told["Completed"], told["CompletionDate"], told["SHA256TreeHash"]) == (False, None, None)
    assert (told["ArchiveSizeInBytes"], told["RetrievalByteRange"], told["JobDescription"]) == (5, "0-4", "mine")
    told = account.describe_job("v", job_id, now=6 * HOUR)
    assert told["StatusCode"] == "Succeeded" and told["SHA256TreeHash"] == tree_hash(b"hello")
    listed = [len(account.list_jobs("v", now=6 * HOUR, **only)["JobList"]) for only in (
        {}, {"completed": "true"}, {"completed": "false"}, {"statuscode": "Succeeded"}, {"statuscode": "InProgress"})]
    assert listed == [1, 1, 0, 1, 0]
    assert "finished" in refused("InvalidParameterValueException", account.list_jobs, "v", now=0, statuscode="finished")


@pytest.mark.parametrize("wanted", [{"Type": "select"}, {}, {"Tier": "Fast"}, {"RetrievalByteRange": "1-4"},
                                    {"RetrievalByteRange": f"0-{MB}"}, {"RetrievalByteRange": f"{MB}-0"},
                                    {"RetrievalByteRange": f"{8 * MB}-{9 * MB - 1}"}, {"Description": "é"}])
def test_what_initiate_job_refuses(wanted):
    """Initiate Job: types, tiers, megabyte aligned ranges, printable descriptions."""
    account, archive_id = stored(blocks(2, 10))
    wanted = wants(archive_id, **wanted) if wanted else {"ArchiveId": archive_id}
    refused("InvalidParameterValueException", account.initiate_job, "v", wanted, now=0)


def test_what_is_not_there_is_not_found():
    """Error Responses, example 1."""
    account, archive_id = stored()
    assert "nojob" in refused("ResourceNotFoundException", account.describe_job, "v", "nojob", now=0)
    assert "vaults/w" in refused("ResourceNotFoundException", account.describe_vault, "w", now=0)
    refused("ResourceNotFoundException", account.initiate_job, "v", wants("none"), now=0)
    account.delete_archive("v", archive_id, now=1)
    account.delete_archive("v", archive_id, now=2)  # idempotent
    refused("ResourceNotFoundException", account.initiate_job, "v", wants(archive_id), now=3)


def test_a_delete_before_the_job_is_done_fails_it_and_a_later_one_does_not():
    """DeleteArchive: a job that is preparing the data might fail, prepared data can be downloaded."""
    account, archive_id = stored()
    early = account.initiate_job("v", wants(archive_id, Tier="Bulk"), now=0)["jobId"]
    late = account.initiate_job("v", wants(archive_id, Tier="Expedited"), now=0)["jobId"]
    account.delete_archive("v", archive_id, now=HOUR)
    assert account.describe_job("v", early, now=13 * HOUR)["StatusCode"] == "Failed"
    refused("InvalidParameterValueException", account.get_job_output, "v", early, now=13 * HOUR)
    assert account.get_job_output("v", late, now=13 * HOUR)["body"] == b"hello"


def test_a_new_customer_is_sent_to_s3():
    """The notice on every page of the guide; NoLongerSupportedException in botocore."""
    new = Account(customer=False)
    assert "S3 Glacier storage classes" in refused("NoLongerSupportedException", new.create_vault, "v", now=0)
    assert glacier.CLOSED_TO_NEW_CUSTOMERS == "2025-12-15"


# ---------------------------------------------------------------------- inventories, and deleting a vault


def listed(account, now, **more):
    job_id = account.initiate_job("v", {"Type": "inventory-retrieval"} | more, now=now)["jobId"]
    return account.get_job_output("v", job_id, now=now + 5 * HOUR)


def test_the_inventory_is_a_day_behind():
    """Downloading a Vault Inventory: the first after half a day to a day, then about once a day."""
    account, first = stored(b"x" * 3 * MB)
    refused("ResourceNotFoundException", account.initiate_job, "v", {"Type": "inventory-retrieval"}, now=12 * HOUR - 1)
    assert account.describe_vault("v", now=12 * HOUR - 1)["NumberOfArchives"] is None
    made = account.describe_vault("v", now=DAY)["LastInventoryDate"]
    assert 12 * HOUR <= made <= DAY
    second = account.upload_archive("v", b"y", now=made + 1)["archiveId"]
    for now, there in ((made + 2, [first]), (made + DAY - 1, [first]), (made + DAY, [first, second])):
        output = json.loads(listed(account, now)["body"])
        assert [archive["ArchiveId"] for archive in output["ArchiveList"]] == there
        assert account.describe_vault("v", now)["NumberOfArchives"] == len(there)
    account.delete_archive("v", first, now=made + DAY + 1)
    assert len(json.loads(listed(account, made + DAY + 2)["body"])["ArchiveList"]) == 2
    assert len(json.loads(listed(account, made + 2 * DAY)["body"])["ArchiveList"]) == 1


def test_the_inventory_date_stays_if_nothing_changed():
    """The same page: "the inventory date is not updated"."""
    account, _ = stored()
    made = account.describe_vault("v", now=DAY)["LastInventoryDate"]
    assert account.describe_vault("v", now=10 * DAY)["LastInventoryDate"] == made
    account.upload_archive("v", b"y", now=10 * DAY)
    last = account.describe_vault("v", now=12 * DAY)["LastInventoryDate"]
    assert 10 * DAY <= last <= 11 * DAY and (last - made) % DAY == pytest.approx(0, abs=1e-6)


def test_an_archive_weighs_32_kb_more_in_its_vault():
    """AWS CLI User Guide, "Using Amazon S3 Glacier with the AWS CLI": 3,145,728 bytes are shown as 3,178,496."""
    account, _ = stored(b"x" * 3_145_728)
    assert account.describe_vault("v", now=DAY)["SizeInBytes"] == 3_178_496 == 3_145_728 + 32 * KB


def test_an_inventory_as_json_and_as_csv():
    """Get Job Output, response body: the fields, and quotes escaped by a backslash."""
    account, archive_id = stored()
    account.upload_archive("v", b"ab", now=60.5, archiveDescription='my archive description,1"2')
    output = listed(account, DAY)
    body = json.loads(output["body"])
    assert output["contentType"] == "application/json" and "checksum" not in output
    assert body["VaultARN"] == "arn:aws:glacier:us-east-1:123456789012:vaults/v" and body["InventoryDate"].endswith("Z")
    assert body["ArchiveList"][0] == {"ArchiveId": archive_id, "ArchiveDescription": "first", "Size": 5,
                                      "CreationDate": "1970-01-01T00:00:00.000Z", "SHA256TreeHash": tree_hash(b"hello")}
    output = listed(account, DAY, Format="CSV")
    text = output["body"].decode()
    assert output["contentType"] == "text/csv" and r'"my archive description,1\"2"' in text
    rows = list(csv.DictReader(io.StringIO(text), escapechar="\\", doublequote=False))
    assert [{**row, "Size": int(row["Size"])} for row in rows] == body["ArchiveList"]


def test_inventory_jobs_take_no_archive():
    account, archive_id = stored()
    for more in ({"ArchiveId": archive_id}, {"RetrievalByteRange": "0-4"}, {"Format": "XML"}):
        refused("InvalidParameterValueException", account.initiate_job, "v", {"Type": "inventory-retrieval"} | more,
                now=DAY)


def test_a_vault_goes_only_when_its_inventory_says_that_it_is_empty():
    """Deleting a Vault: empty as of the last inventory, and no writes since."""
    account, archive_id = stored()
    refused("InvalidParameterValueException", account.delete_vault, "v", now=1)
    account.delete_archive("v", archive_id, now=2)
    refused("InvalidParameterValueException", account.delete_vault, "v", now=3)  # empty, but written to
    made = account.describe_vault("v", now=DAY)["LastInventoryDate"]
    refused("InvalidParameterValueException", account.delete_vault, "v", now=made - 1)
    account.delete_vault("v", now=made)
    assert account.list_vaults(now=made)["VaultList"] == []
    account.delete_vault("v", now=made)  # idempotent


def test_an_archive_deleted_after_the_inventory_keeps_the_vault_another_day():
    account, archive_id = stored()
    made = account.describe_vault("v", now=DAY)["LastInventoryDate"]
    account.delete_archive("v", archive_id, now=made + 1)
    refused("InvalidParameterValueException", account.delete_vault, "v", now=made + DAY - 1)
    account.delete_vault("v", now=made + DAY)


def test_a_vault_that_was_never_used_goes_at_once():
    account = Account()
    account.create_vault("v", now=0)
    account.delete_vault("v", now=0)
    assert account.vaults == {}


def test_names_and_number_of_vaults():
    """CreateVault: idempotent, 1 to 255 characters, 1,000 in an account."""
    account = Account()
    for name in ("", "a b", "ü", "x" * 256):
        refused("InvalidParameterValueException", account.create_vault, name, now=0)
    for number in range(1000):
        account.create_vault(f"v.{number}_-", now=0)
    refused("LimitExceededException", account.create_vault, "more", now=0)
    assert account.create_vault("v.0_-", now=5) == {"location": "/123456789012/vaults/v.0_-"}
    assert account.describe_vault("v.0_-", now=5)["CreationDate"] == 0


# ---------------------------------------------------------------------- notifications, policies


def test_a_done_job_is_told_to_both_topics_once():
    """Configuring Vault Notifications: the topic of the vault and that of the job, with what Describe Job says."""
    account, archive_id = stored()
    account.set_vault_notifications("v", {"SNSTopic": TOPIC, "Events": ["ArchiveRetrievalCompleted"]}, now=0)
    job_id = account.initiate_job("v", wants(archive_id, SNSTopic=OTHER_TOPIC), now=0)["jobId"]
    done = account.next_done(now=0)
    assert account.take_notifications(now=done - 1) == []
    told = account.take_notifications(now=done + 5)
    assert [(one["time"], one["topic"]) for one in told] == [(done, OTHER_TOPIC), (done, TOPIC)]
    assert told[0]["message"] == account.describe_job("v", job_id, now=done + 5) and told[0]["message"]["Completed"]
    assert account.take_notifications(now=done + 6) == []


def test_only_the_events_that_were_asked_for_and_while_they_were():
    account, archive_id = stored()
    refused("ResourceNotFoundException", account.get_vault_notifications, "v", now=0)
    for config in ({"SNSTopic": TOPIC, "Events": ["Deleted"]}, {"SNSTopic": TOPIC, "Events": []},
                   {"SNSTopic": "mytopic", "Events": ["ArchiveRetrievalCompleted"]}):
        refused("InvalidParameterValueException", account.set_vault_notifications, "v", config, now=0)
    config = {"SNSTopic": TOPIC, "Events": ["InventoryRetrievalCompleted"]}
    account.set_vault_notifications("v", config, now=0)
    assert account.get_vault_notifications("v", now=0) == {"vaultNotificationConfig": config}
    account.initiate_job("v", wants(archive_id), now=DAY)
    account.initiate_job("v", {"Type": "inventory-retrieval"}, now=DAY)
    account.delete_vault_notifications("v", now=DAY + 6 * HOUR)  # both were done before
    account.initiate_job("v", {"Type": "inventory-retrieval"}, now=DAY + 7 * HOUR)
    told = account.take_notifications(now=3 * DAY)
    assert [one["message"]["Action"] for one in told] == ["InventoryRetrieval"]


def test_a_retrieval_beyond_the_bytes_an_hour_is_refused_and_other_tiers_are_not():
    """Data Retrieval Policies: Standard retrievals only; jobs in progress go on; nothing is counted for a refusal."""
    account, archive_id = stored(blocks(4))
    account.set_data_retrieval_policy({"Rules": [{"Strategy": "BytesPerHour", "BytesPerHour": MB}]}, now=0)
    account.initiate_job("v", wants(archive_id), now=0)  # 4 MB over four hours
    refused("PolicyEnforcedException", account.initiate_job, "v", wants(archive_id, RetrievalByteRange=f"0-{MB - 1}"),
            now=HOUR)
    for tier in ("Expedited", "Bulk"):
        account.initiate_job("v", wants(archive_id, Tier=tier), now=HOUR)
    account.initiate_job("v", wants(archive_id), now=4 * HOUR)
    account.set_data_retrieval_policy({"Rules": [{"Strategy": "None"}]}, now=4 * HOUR)
    account.initiate_job("v", wants(archive_id), now=4 * HOUR)
    assert len(account.list_jobs("v", now=4 * HOUR)["JobList"]) == 5


def test_within_the_free_tier_only(monkeypatch):
    monkeypatch.setattr(glacier, "FREE_A_DAY", 10)
    account, archive_id = stored(b"12345")
    account.set_data_retrieval_policy({"Rules": [{"Strategy": "FreeTier"}]}, now=0)
    for _ in range(2):
        account.initiate_job("v", wants(archive_id), now=10)
    refused("PolicyEnforcedException", account.initiate_job, "v", wants(archive_id), now=DAY - 1)
    account.initiate_job("v", wants(archive_id), now=DAY)


def test_what_is_no_data_retrieval_policy():
    """DataRetrievalRule: one rule; BytesPerHour only with its strategy."""
    account = Account()
    assert account.get_data_retrieval_policy(now=0) == {"Policy": {"Rules": [{"Strategy": "None"}]}}
    for rules in ([], [{"Strategy": "Few"}], [{"Strategy": "BytesPerHour"}], [{"Strategy": "None", "BytesPerHour": 1}],
                  [{"Strategy": "None"}] * 2):
        refused("InvalidParameterValueException", account.set_data_retrieval_policy, {"Rules": rules}, now=0)


def test_when_the_service_is_busy_expedited_needs_capacity():
    """Retrieving Archives, provisioned capacity: three Expedited retrievals in five minutes for each unit."""
    account, archive_id = stored(busy=True)
    expedited = wants(archive_id, Tier="Expedited")
    refused("InsufficientCapacityException", account.initiate_job, "v", expedited, now=0)
    account.initiate_job("v", wants(archive_id), now=0)
    account.purchase_provisioned_capacity(now=0)
    for _ in range(3):
        account.initiate_job("v", expedited, now=1)
    refused("InsufficientCapacityException", account.initiate_job, "v", expedited, now=2)
    account.initiate_job("v", expedited, now=301)
    refused("InsufficientCapacityException", account.initiate_job, "v", expedited, now=30 * DAY)


def test_a_locked_vault_keeps_its_archives_for_their_time():
    """Amazon Glacier Vault Lock: the lock denies, whatever the access policy says."""
    account, archive_id = stored()
    arn = account.describe_vault("v", now=0)["VaultARN"]
    lock_id = account.initiate_vault_lock("v", {"Policy": json.dumps(retention(arn, 365))}, now=0)["lockId"]
    assert "archive-age" in refused("AccessDeniedException", account.delete_archive, "v", archive_id, now=HOUR)
    account.complete_vault_lock("v", lock_id, now=HOUR)
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Resource": arn,
                                                     "Action": "glacier:*"}]}
    account.set_vault_access_policy("v", {"Policy": json.dumps(allow)}, now=HOUR)
    refused("AccessDeniedException", account.abort_vault_lock, "v", now=HOUR)
    refused("AccessDeniedException", account.delete_archive, "v", archive_id, now=364 * DAY)
    assert account.get_vault_lock("v", now=364 * DAY)["State"] == "Locked"
    account.delete_archive("v", archive_id, now=365 * DAY)


def test_a_tag_can_hold_archives_and_a_vault_has_ten():
    """AddTagsToVault; Vault Lock Policies, example 2."""
    account, archive_id = stored()
    hold = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "glacier:DeleteArchive", "Resource": "*",
         "Condition": {"StringLike": {"glacier:ResourceTag/LegalHold": "true"}}}]}
    account.set_vault_access_policy("v", {"Policy": json.dumps(hold)}, now=0)
    account.add_tags_to_vault("v", {"LegalHold": "true"}, now=0)
    refused("AccessDeniedException", account.delete_archive, "v", archive_id, now=1)
    refused("LimitExceededException", account.add_tags_to_vault, "v", {str(n): "" for n in range(10)}, now=1)
    account.remove_tags_from_vault("v", ["LegalHold"], now=1)
    account.delete_archive("v", archive_id, now=2)


# ---------------------------------------------------------------------- in parts


def parts_of(body, size):
    return [(f"bytes {first}-{min(first + size, len(body)) - 1}/*", body[first:first + size])
            for first in range(0, len(body), size)]


def in_parts(size=MB):
    account = Account()
    account.create_vault("v", now=0)
    return account, account.initiate_multipart_upload("v", str(size), now=0, archiveDescription="large")["uploadId"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 5), st.integers(1, MB), st.sampled_from([MB, 2 * MB, 4 * MB]), st.randoms(use_true_random=False))
def test_parts_in_any_order_make_the_archive(megabytes, extra, size, random):
    """Uploading Large Archives in Parts: by their ranges, in any order."""
    body = blocks(megabytes, extra)
    account, upload_id = in_parts(size)
    parts = parts_of(body, size)
    random.shuffle(parts)
    for place, part in parts:
        assert account.upload_multipart_part("v", upload_id, place, part, now=1)["checksum"] == tree_hash(part)
    done = account.complete_multipart_upload("v", upload_id, str(len(body)), tree_hash(body), now=2)
    assert account.complete_multipart_upload("v", upload_id, len(body), tree_hash(body), now=3) == done  # idempotent
    assert [archive.body for archive in account.vaults["v"].archives.values()] == [body]
    assert account.vaults["v"].archives[done["archiveId"]].description == "large"
    assert account.list_multipart_uploads("v", now=4)["UploadsList"] == []
    refused("ResourceNotFoundException", account.list_parts, "v", upload_id, now=4)
    refused("ResourceNotFoundException", account.abort_multipart_upload, "v", upload_id, now=4)


@pytest.mark.parametrize("size, fits", [(MB, True), (2 * MB, True), (4 * GB, True), (3 * MB, False), (MB // 2, False),
                                        (8 * GB, False), (MB + 1, False), (0, False)])
def test_sizes_of_parts(size, fits):
    """InitiateMultipartUpload: 1 MB times a power of two, up to 4 GB."""
    account = Account()
    account.create_vault("v", now=0)
    if fits:
        account.initiate_multipart_upload("v", size, now=0)
    else:
        refused("InvalidParameterValueException", account.initiate_multipart_upload, "v", size, now=0)


@pytest.mark.parametrize("place, length", [
    (f"bytes {MB // 2}-{MB}/*", MB // 2 + 1), (f"bytes 0-{2 * MB - 1}/*", 2 * MB), (f"bytes 0-{MB - 1}/*", 5),
    ("0-4", 5), (f"bytes {10_000 * MB}-{10_000 * MB + 4}/*", 5)])
def test_parts_that_do_not_fit(place, length):
    """UploadMultipartPart: aligned with the part size, no larger, at most 10,000."""
    account, upload_id = in_parts()
    refused("InvalidParameterValueException", account.upload_multipart_part, "v", upload_id, place, b"x" * length,
            now=0)


def test_a_lost_or_short_part_shows_when_the_upload_is_completed():
    """CompleteMultipartUpload checks for missing ranges; UploadMultipartPart: a short part in the middle succeeds."""
    body = blocks(3)
    account, upload_id = in_parts()
    (first, one), (second, two), (third, three) = parts_of(body, MB)
    account.upload_multipart_part("v", upload_id, first, one, now=0)
    account.upload_multipart_part("v", upload_id, third, three, now=0)
    complete = (account.complete_multipart_upload, "v", upload_id, len(body), tree_hash(body))
    assert f"{MB}-{2 * MB - 1}" in refused("InvalidParameterValueException", *complete, now=1)
    account.upload_multipart_part("v", upload_id, f"bytes {MB}-{MB + 9}/*", b"y" * 10, now=1)
    refused("InvalidParameterValueException", *complete, now=1)
    refused("InvalidParameterValueException", account.upload_multipart_part, "v", upload_id, second, two, now=1,
            checksum=tree_hash(one))
    account.upload_multipart_part("v", upload_id, second, two, now=1)  # takes the place of the short one
    assert [part["RangeInBytes"] for part in account.list_parts("v", upload_id, now=1)["Parts"]] == [
        f"0-{MB - 1}", f"{MB}-{2 * MB - 1}", f"{2 * MB}-{3 * MB - 1}"]
    refused("InvalidParameterValueException", account.complete_multipart_upload, "v", upload_id, len(body) + 1,
            tree_hash(body), now=2)
    refused("InvalidParameterValueException", account.complete_multipart_upload, "v", upload_id, len(body),
            tree_hash(one), now=2)
    account.complete_multipart_upload("v", upload_id, len(body), tree_hash(body), now=2)


def test_an_upload_without_activity_is_forgotten_after_a_day():
    """InitiateMultipartUpload: it may be removed after 24 hours without activity."""
    account, upload_id = in_parts()
    account.upload_multipart_part("v", upload_id, "bytes 0-4/*", b"hello", now=20 * HOUR)
    assert len(account.list_multipart_uploads("v", now=44 * HOUR - 1)["UploadsList"]) == 1
    assert account.list_multipart_uploads("v", now=44 * HOUR)["UploadsList"] == []
    refused("ResourceNotFoundException", account.upload_multipart_part, "v", upload_id, "bytes 0-4/*", b"hello",
            now=44 * HOUR)
    account, upload_id = in_parts()
    for _ in range(2):  # idempotent
        account.abort_multipart_upload("v", upload_id, now=1)
    refused("ResourceNotFoundException", account.list_parts, "v", upload_id, now=1)


# ---------------------------------------------------------------------- any story


class AnyStory(RuleBasedStateMachine):
    """Uploads, deletes and inventories at any time, against a list of who was there when."""

    @initialize()
    def begin(self):
        self.account, self.now, self.log = Account(seed=3), 0.0, {}  # archive ID -> [created, deleted]
        self.account.create_vault("v", now=0)

    @rule(hours=st.sampled_from([1, 5, 11, 24, 49]))
    def wait(self, hours):
        self.now += hours * HOUR

    @rule(body=st.binary(min_size=1, max_size=20))
    def upload(self, body):
        self.log[self.account.upload_archive("v", body, now=self.now)["archiveId"]] = [self.now, None]

    @rule(choice=st.integers(0, 99))
    def delete(self, choice):
        if self.log:
            archive_id = list(self.log)[choice % len(self.log)]
            self.account.delete_archive("v", archive_id, now=self.now)
            self.log[archive_id][1] = self.log[archive_id][1] if self.log[archive_id][1] is not None else self.now

    @invariant()
    def the_inventory_is_what_was_there_when_it_was_made(self):
        made = self.account.describe_vault("v", now=self.now)["LastInventoryDate"]
        if made is not None:
            there = {key for key, (since, until) in self.log.items()
                     if since <= made and (until is None or until > made)}
            assert {archive.id for archive in self.account.vaults["v"].inventory(self.now)} == there
            assert made <= self.now
            changes = [time for times in self.log.values() for time in times if time is not None and made < time]
            assert all(self.now - time < DAY for time in changes)  # nothing is missing for longer than a day


TestAnyStory = AnyStory.TestCase
