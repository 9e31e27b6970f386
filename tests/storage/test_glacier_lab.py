"""S3 Glacier's vaults in the sandbox: jobs take hours, locks hold, inventories come once a day."""

import json

import pytest
from botocore.exceptions import ClientError

from kit.storage.vault_lock import retention

ACCOUNT = "123456789012"
ARN = f"arn:aws:glacier:us-east-1:{ACCOUNT}:vaults/records"
GB = 2**30


@pytest.fixture
def vaults(sandbox):
    vaults = sandbox.client("glacier")
    vaults.create_vault(vaultName="records")
    return vaults


@pytest.fixture
def archive(vaults):
    return vaults.upload_archive(vaultName="records", archiveDescription="tax", body=b"x" * 1000)["archiveId"]


def job(vaults, **parameters):
    return vaults.initiate_job(vaultName="records", jobParameters=parameters)["jobId"]


def refused(function, **given):
    with pytest.raises(ClientError) as error:
        function(vaultName="records", **given)
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_given_a_job_then_it_takes_its_hours_and_its_output_stays_a_day(sandbox, vaults, archive):
    """Amazon Glacier Developer Guide, "Retrieving Amazon Glacier Archives": Standard, 3 to 5 hours; 24 hours."""
    name = job(vaults, Type="archive-retrieval", ArchiveId=archive)
    sandbox.clock.advance(hours=3)
    assert vaults.describe_job(vaultName="records", jobId=name)["StatusCode"] == "InProgress"
    assert refused(vaults.get_job_output, jobId=name)[0] == "InvalidParameterValueException"
    sandbox.clock.advance(hours=2)
    found = vaults.describe_job(vaultName="records", jobId=name)
    assert (found["StatusCode"], found["Completed"], found["CompletionDate"][:10]) == ("Succeeded", True, "2026-01-05")
    assert vaults.get_job_output(vaultName="records", jobId=name)["body"].read() == b"x" * 1000
    sandbox.clock.advance(hours=24)
    assert refused(vaults.get_job_output, jobId=name) == ("ResourceNotFoundException", 404)


def test_given_a_topic_then_it_hears_when_the_job_is_done_not_before(sandbox, vaults, archive):
    """Amazon Glacier Developer Guide, "Configuring Vault Notifications"."""
    sns, sqs = sandbox.client("sns"), sandbox.client("sqs")
    topic, url = sns.create_topic(Name="done")["TopicArn"], sqs.create_queue(QueueName="done")["QueueUrl"]
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:done"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue}]})})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    vaults.set_vault_notifications(vaultName="records", vaultNotificationConfig={
        "SNSTopic": topic, "Events": ["ArchiveRetrievalCompleted"]})
    job(vaults, Type="archive-retrieval", ArchiveId=archive, Tier="Expedited")
    sandbox.clock.advance(minutes=6)
    assert "AuthorizationError" in str(sandbox.history().about("notification not sent"))
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "glacier.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic}]}))
    name = job(vaults, Type="archive-retrieval", ArchiveId=archive, Tier="Expedited")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sandbox.clock.advance(minutes=6)
    message = json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    assert (message["JobId"], message["StatusCode"], message["Action"]) == (name, "Succeeded", "ArchiveRetrieval")


def test_given_a_new_archive_then_the_inventory_knows_it_a_day_later(sandbox, vaults, archive):
    """Amazon Glacier Developer Guide, "Downloading a Vault Inventory"."""
    assert "NumberOfArchives" not in vaults.describe_vault(vaultName="records")
    assert refused(vaults.initiate_job, jobParameters={"Type": "inventory-retrieval"}) == ("ResourceNotFoundException", 404)
    sandbox.clock.advance(days=1)
    assert vaults.describe_vault(vaultName="records")["NumberOfArchives"] == 1
    name = job(vaults, Type="inventory-retrieval")
    sandbox.clock.advance(hours=5)
    inventory = json.loads(vaults.get_job_output(vaultName="records", jobId=name)["body"].read())
    assert [one["ArchiveId"] for one in inventory["ArchiveList"]] == [archive]


def test_given_a_vault_with_something_in_it_then_it_is_not_deleted(sandbox, vaults, archive):
    """Amazon Glacier Developer Guide, "Deleting a Vault"."""
    sandbox.clock.advance(days=2)
    assert refused(vaults.delete_vault)[0] == "InvalidParameterValueException"
    vaults.delete_archive(vaultName="records", archiveId=archive)
    assert refused(vaults.delete_vault)[0] == "InvalidParameterValueException"  # written to since its inventory
    sandbox.clock.advance(days=1)
    vaults.delete_vault(vaultName="records")
    assert vaults.list_vaults()["VaultList"] == []


def test_given_a_lock_then_it_is_tried_for_a_day_and_then_for_good(sandbox, vaults, archive):
    """Amazon Glacier Developer Guide, "Amazon Glacier Vault Lock", "Complete Vault Lock"."""
    policy = {"Policy": json.dumps(retention(ARN, days=365))}
    first = vaults.initiate_vault_lock(vaultName="records", policy=policy)["lockId"]
    assert vaults.get_vault_lock(vaultName="records")["State"] == "InProgress"
    sandbox.clock.advance(hours=24)
    assert refused(vaults.complete_vault_lock, lockId=first) == ("ResourceNotFoundException", 404)
    second = vaults.initiate_vault_lock(vaultName="records", policy=policy)["lockId"]
    vaults.complete_vault_lock(vaultName="records", lockId=second)
    assert vaults.get_vault_lock(vaultName="records")["State"] == "Locked"
    assert refused(vaults.abort_vault_lock) == ("AccessDeniedException", 403)
    assert refused(vaults.delete_archive, archiveId=archive) == ("AccessDeniedException", 403)
    sandbox.clock.advance(days=365)
    vaults.delete_archive(vaultName="records", archiveId=archive)


def test_given_users_then_their_policies_and_the_vaults_count(sandbox, vaults, archive):
    """Amazon Glacier Developer Guide, "Amazon Glacier Access Control with Vault Access Policies"."""
    sandbox.client("iam").create_user(UserName="ada")
    ada = sandbox.as_user("ada").client("glacier")
    assert refused(ada.describe_vault)[0] == "AccessDeniedException"
    assert f"glacier:DescribeVault on resource: {ARN}" in str(pytest.raises(
        ClientError, ada.describe_vault, vaultName="records").value)
    vaults.set_vault_access_policy(vaultName="records", policy={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ada"}, "Action": "glacier:DescribeVault",
         "Resource": ARN}]})})
    assert ada.describe_vault(vaultName="records")["VaultName"] == "records"
    assert "glacier:DescribeVault" in vaults.get_vault_access_policy(vaultName="records")["policy"]["Policy"]
    vaults.delete_vault_access_policy(vaultName="records")
    assert refused(vaults.get_vault_access_policy) == ("ResourceNotFoundException", 404)


def test_given_parts_and_tags_then_they_are_there(sandbox, vaults):
    """Amazon Glacier Developer Guide, "Uploading Large Archives in Parts"."""
    from botocore.utils import calculate_tree_hash
    from io import BytesIO
    body = b"y" * (2**20 + 5)
    upload = vaults.initiate_multipart_upload(vaultName="records", partSize=str(2**20))["uploadId"]
    for first, part in ((0, body[:2**20]), (2**20, body[2**20:])):
        vaults.upload_multipart_part(vaultName="records", uploadId=upload, range=f"bytes {first}-{first + len(part) - 1}/*", body=part)
    made = vaults.complete_multipart_upload(vaultName="records", uploadId=upload, archiveSize=str(len(body)),
                                            checksum=calculate_tree_hash(BytesIO(body)))
    assert made["archiveId"] and vaults.list_multipart_uploads(vaultName="records")["UploadsList"] == []
    vaults.add_tags_to_vault(vaultName="records", Tags={"a": "b"})
    assert vaults.list_tags_for_vault(vaultName="records")["Tags"] == {"a": "b"}
    vaults.purchase_provisioned_capacity()
    assert len(vaults.list_provisioned_capacity()["ProvisionedCapacityList"]) == 1


def test_given_archives_then_the_bill_has_storage_jobs_and_early_deletion(sandbox, vaults, archive):
    """Amazon Glacier Developer Guide: 32 KB more for each archive; 90 days at least."""
    size = (1000 + 32 * 1024) / GB
    assert sandbox.life.meter.running["vault records", "glacier:archive"] == size
    job(vaults, Type="archive-retrieval", ArchiveId=archive, Tier="Bulk")
    sandbox.clock.advance(days=30)
    vaults.delete_archive(vaultName="records", archiveId=archive)
    used = {line.item: line.quantity for line in sandbox.bill().lines}
    assert sandbox.life.meter.running == {}
    assert used["glacier:job-Bulk"] == used["glacier:request"] == 1 and used["glacier:retrieval-Bulk"] == 1000 / GB
    assert used["glacier:early"] == pytest.approx(size * 60 * 24 / 672, rel=0.2)  # 60 days, in months of February
    assert "a Bulk retrieval from a vault" in str(sandbox.quote("glacier", "initiate_job", vaultName="records", jobParameters={
        "Type": "archive-retrieval", "Tier": "Bulk"}))


def test_given_the_same_seed_then_the_same_ids_and_times(sandbox):
    def story():
        sandbox.reset(seed=5)
        vaults = sandbox.client("glacier")
        vaults.create_vault(vaultName="records")
        made = vaults.upload_archive(vaultName="records", body=b"1")["archiveId"]
        name = job(vaults, Type="archive-retrieval", ArchiveId=made)
        sandbox.clock.advance(hours=6)
        return made, name, vaults.describe_job(vaultName="records", jobId=name)["CompletionDate"]
    assert story() == story()
