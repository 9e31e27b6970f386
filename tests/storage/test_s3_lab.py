"""S3 in the sandbox: who gets in, what is refused, what URLs and websites answer."""

import json
import re

import pytest
import requests
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
OFF = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)
SITE = "http://photos.s3-website-us-east-1.amazonaws.com"


def policy(actions="s3:GetObject", principal="*", effect="Allow", resource="arn:aws:s3:::photos/*", **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Principal": principal, "Action": actions, "Resource": resource, **more}]})


def refused(function, **given):
    """(code, status) of a call that must fail."""
    with pytest.raises(ClientError) as error:
        function(**given)
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def s3(sandbox):
    """A client of the owner, and the bucket photos with a cat."""
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="photos")
    s3.put_object(Bucket="photos", Key="cat", Body=b"miau")
    return s3


@pytest.fixture
def opened(s3):
    """The same, with Block Public Access off and everybody reading."""
    s3.put_public_access_block(Bucket="photos", PublicAccessBlockConfiguration=OFF)
    s3.put_bucket_policy(Bucket="photos", Policy=policy())
    return s3


@pytest.fixture
def ada(sandbox, s3):
    sandbox.client("iam").create_user(UserName="ada")
    return sandbox.as_user("ada").client("s3")


def test_given_a_new_bucket_then_acls_are_off_and_public_access_is_blocked(s3):
    """S3 API Reference, "CreateBucket"; User Guide, "Blocking public access to your Amazon S3 storage"."""
    assert all(s3.get_public_access_block(Bucket="photos")["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_ownership_controls(Bucket="photos")["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}]
    assert refused(s3.put_object, Bucket="photos", Key="dog", Body=b"", ACL="public-read") == (
        "AccessControlListNotSupported", 400)
    assert refused(s3.put_bucket_acl, Bucket="photos", ACL="public-read")[0] == "AccessControlListNotSupported"
    s3.put_object(Bucket="photos", Key="dog", Body=b"", ACL="bucket-owner-full-control")


def test_given_an_acl_for_a_new_bucket_then_it_wants_another_ownership(sandbox):
    """User Guide, "Controlling ownership of objects and disabling ACLs for your bucket"."""
    s3 = sandbox.client("s3")
    assert refused(s3.create_bucket, Bucket="logs", ACL="public-read")[0] == "InvalidBucketAclWithObjectOwnership"
    assert refused(s3.create_bucket, Bucket="logs", ACL="public-read", ObjectOwnership="ObjectWriter") == ("AccessDenied", 403)
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == []


def test_given_block_public_policy_then_a_public_policy_is_refused(s3):
    """User Guide, "Blocking public access to your Amazon S3 storage"."""
    assert refused(s3.put_bucket_policy, Bucket="photos", Policy=policy()) == ("AccessDenied", 403)
    s3.put_bucket_policy(Bucket="photos", Policy=policy(principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
    assert s3.get_bucket_policy_status(Bucket="photos")["PolicyStatus"]["IsPublic"] is False


def test_given_a_public_bucket_when_restricted_then_only_its_account_gets_in(opened):
    """The same page, RestrictPublicBuckets."""
    assert requests.get("https://photos.s3.amazonaws.com/cat").text == "miau"
    opened.put_public_access_block(Bucket="photos", PublicAccessBlockConfiguration=OFF | {"RestrictPublicBuckets": True})
    answer = requests.get("https://photos.s3.amazonaws.com/cat")
    assert (answer.status_code, "AccessDenied" in answer.text) == (403, True)
    assert opened.get_object(Bucket="photos", Key="cat")["Body"].read() == b"miau"


def test_given_a_refusal_by_the_block_then_why_says_so(sandbox, opened):
    opened.put_public_access_block(Bucket="photos", PublicAccessBlockConfiguration=OFF | {"RestrictPublicBuckets": True})
    nobody = sandbox.client("s3", config=Config(signature_version=UNSIGNED))
    assert refused(nobody.get_object, Bucket="photos", Key="cat") == ("AccessDenied", 403)
    assert "RestrictPublicBuckets is on" in sandbox.why()


def test_given_object_acls_then_they_count_until_public_ones_are_ignored(s3):
    """User Guide, "Access control list (ACL) overview"; "Blocking public access", IgnorePublicAcls."""
    s3.put_bucket_ownership_controls(Bucket="photos", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    assert refused(s3.put_object_acl, Bucket="photos", Key="cat", ACL="public-read")[0] == "AccessDenied"
    s3.put_public_access_block(Bucket="photos", PublicAccessBlockConfiguration=OFF)
    s3.put_object_acl(Bucket="photos", Key="cat", ACL="public-read")
    s3.put_object(Bucket="photos", Key="dog", Body=b"wuff")
    assert requests.get("https://photos.s3.amazonaws.com/cat").text == "miau"
    assert requests.get("https://photos.s3.amazonaws.com/dog").status_code == 403
    s3.put_public_access_block(Bucket="photos", PublicAccessBlockConfiguration=OFF | {"IgnorePublicAcls": True})
    assert requests.get("https://photos.s3.amazonaws.com/cat").status_code == 403


def test_given_a_condition_then_it_decides(s3, ada):
    """User Guide, "Amazon S3 condition key examples": aws:SourceIp, s3:ExistingObjectTag."""
    s3.put_object(Bucket="photos", Key="dog", Body=b"wuff", Tagging="team=ada")
    s3.put_bucket_policy(Bucket="photos", Policy=policy(principal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/ada"}, Condition={
        "StringEquals": {"s3:ExistingObjectTag/team": "ada"}}))
    assert ada.get_object(Bucket="photos", Key="dog")["Body"].read() == b"wuff"
    assert refused(ada.get_object, Bucket="photos", Key="cat") == ("AccessDenied", 403)


def test_given_a_deny_of_plain_http_then_only_https_works(opened):
    """User Guide, "Security best practices for Amazon S3": aws:SecureTransport."""
    opened.put_bucket_policy(Bucket="photos", Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/*"},
        {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::photos/*",
         "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}))
    assert requests.get("https://photos.s3.amazonaws.com/cat").status_code == 200
    assert requests.get("http://photos.s3.amazonaws.com/cat").status_code == 403
    assert opened.get_object(Bucket="photos", Key="cat")["Body"].read() == b"miau"


def test_given_a_deny_for_all_then_root_is_out_too_but_mends_the_policy(sandbox, s3):
    """S3 API Reference, "DeleteBucketPolicy"."""
    s3.put_bucket_policy(Bucket="photos", Policy=policy("s3:*", effect="Deny", resource=["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"]))
    assert refused(s3.get_object, Bucket="photos", Key="cat") == ("AccessDenied", 403)
    assert "explicitDeny" in sandbox.why()
    s3.delete_bucket_policy(Bucket="photos")
    assert s3.get_object(Bucket="photos", Key="cat")["Body"].read() == b"miau"


def test_given_no_object_then_only_who_may_list_is_told(sandbox, s3, ada):
    """S3 API Reference, "GetObject", "HeadObject"."""
    iam = sandbox.client("iam")
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=json.dumps(allow))
    assert refused(ada.get_object, Bucket="photos", Key="dog") == ("AccessDenied", 403)
    assert refused(ada.head_object, Bucket="photos", Key="dog") == ("403", 403)
    allow["Statement"][0]["Action"] = ["s3:GetObject", "s3:ListBucket"]
    iam.put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=json.dumps(allow))
    assert refused(ada.get_object, Bucket="photos", Key="dog") == ("NoSuchKey", 404)
    assert refused(ada.head_object, Bucket="photos", Key="dog") == ("404", 404)
    assert refused(ada.get_object, Bucket="nowhere-at-all", Key="dog") == ("NoSuchBucket", 404)


@pytest.mark.parametrize("given, expected", [
    ({"ContentMD5": "abc"}, ("InvalidDigest", 400)),
    ({"ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, ("BadDigest", 400)),
    ({"Key": "k" * 1025}, ("KeyTooLongError", 400)),
    ({"StorageClass": "FROZEN"}, ("InvalidStorageClass", 400)),
    ({"Metadata": {"m": "x" * 2048}}, ("MetadataTooLarge", 400)),
    ({"IfNoneMatch": "*", "Key": "cat"}, ("PreconditionFailed", 412)),
])
def test_given_what_moto_lets_through_then_put_object_refuses(s3, given, expected):
    """S3 API Reference, "Error responses"; User Guide, "Naming Amazon S3 objects", "Working with object metadata"."""
    assert refused(s3.put_object, **{"Bucket": "photos", "Key": "dog", "Body": b"wuff", **given}) == expected
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="photos")["Contents"]] == ["cat"]


def test_given_a_policy_that_is_none_then_it_is_malformed(s3):
    """S3 API Reference, "Error responses": MalformedPolicy."""
    user = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    for bad in ("{}", policy("sqs:SendMessage", user), policy(principal=user, resource="arn:aws:s3:::other/*")):
        assert refused(s3.put_bucket_policy, Bucket="photos", Policy=bad) == ("MalformedPolicy", 400)


def test_given_names_and_configurations_that_aws_refuses_then_they_are_refused(s3):
    """User Guide, "General purpose bucket naming rules"; API Reference, the Put operations of each configuration."""
    assert refused(s3.create_bucket, Bucket="My_Photos")[0] == "InvalidBucketName"
    rule = {"Status": "Enabled", "Filter": {}, "Transitions": [{"Days": 3, "StorageClass": "STANDARD_IA"}]}
    assert refused(s3.put_bucket_lifecycle_configuration, Bucket="photos", LifecycleConfiguration={"Rules": [rule]})[0] == (
        "InvalidArgument")
    assert refused(s3.put_bucket_website, Bucket="photos", WebsiteConfiguration={"IndexDocument": {"Suffix": "a/b"}})[0] == (
        "InvalidArgument")
    assert refused(s3.put_bucket_replication, Bucket="photos", ReplicationConfiguration={
        "Role": f"arn:aws:iam::{ACCOUNT}:role/r", "Rules": [{"Status": "Enabled", "Prefix": "", "Destination": {
            "Bucket": "arn:aws:s3:::photos"}}]})[0] == "InvalidRequest"


def test_given_small_parts_then_the_upload_is_not_completed_and_lies_about(s3):
    """S3 API Reference, "CompleteMultipartUpload" (EntityTooSmall, InvalidPartOrder, NoSuchUpload)."""
    upload = s3.create_multipart_upload(Bucket="photos", Key="film")["UploadId"]
    tags = [s3.upload_part(Bucket="photos", Key="film", UploadId=upload, PartNumber=n, Body=b"x" * n)["ETag"] for n in (1, 2)]
    parts = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]
    given = {"Bucket": "photos", "Key": "film", "UploadId": upload}
    assert refused(s3.complete_multipart_upload, **given, MultipartUpload={"Parts": parts})[0] == "EntityTooSmall"
    assert refused(s3.complete_multipart_upload, **given, MultipartUpload={"Parts": parts[::-1]})[0] == "InvalidPartOrder"
    assert refused(s3.upload_part, Bucket="photos", Key="other", UploadId=upload, PartNumber=1, Body=b"") == ("NoSuchUpload", 404)
    assert [one["UploadId"] for one in s3.list_multipart_uploads(Bucket="photos")["Uploads"]] == [upload]


def test_given_versions_then_none_is_lost_and_the_newest_is_the_latest(s3):
    """User Guide, "Working with delete markers", "Deleting objects from versioning-suspended buckets"."""
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    second = s3.put_object(Bucket="photos", Key="cat", Body=b"two")["VersionId"]
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket="photos", Key="cat", Body=b"three")
    shown = s3.list_object_versions(Bucket="photos")["Versions"]
    assert [(one["VersionId"], one["IsLatest"]) for one in shown] == [("null", True), (second, False)]
    marker = s3.delete_object(Bucket="photos", Key="cat")
    assert (marker["DeleteMarker"], marker["VersionId"]) == (True, "null")
    shown = s3.list_object_versions(Bucket="photos")
    assert [one["VersionId"] for one in shown["Versions"]] == [second] and shown["DeleteMarkers"][0]["IsLatest"]
    assert s3.get_object(Bucket="photos", Key="cat", VersionId=second)["Body"].read() == b"two"
    assert s3.delete_object(Bucket="photos", Key="cat", VersionId="null")["DeleteMarker"]
    assert s3.get_object(Bucket="photos", Key="cat")["Body"].read() == b"two"


def test_given_a_lock_then_the_version_stays_until_its_date(sandbox):
    """User Guide, "Locking objects with Object Lock"."""
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="records", ObjectLockEnabledForBucket=True)
    version = s3.put_object(Bucket="records", Key="tax", Body=b"1", ObjectLockMode="COMPLIANCE",
                            ObjectLockRetainUntilDate=sandbox.clock.date_at(10 * 86_400))["VersionId"]
    gone = {"Bucket": "records", "Key": "tax", "VersionId": version}
    assert refused(s3.delete_object, **gone, BypassGovernanceRetention=True) == ("AccessDenied", 403)
    assert refused(s3.put_object_retention, **gone, Retention={
        "Mode": "COMPLIANCE", "RetainUntilDate": sandbox.clock.date_at(86_400)})[0] == "AccessDenied"
    s3.put_object_legal_hold(**gone, LegalHold={"Status": "ON"})
    sandbox.clock.advance(days=11)
    assert refused(s3.delete_object, **gone)[0] == "AccessDenied"
    s3.put_object_legal_hold(**gone, LegalHold={"Status": "OFF"})
    s3.delete_object(**gone)
    assert "Versions" not in s3.list_object_versions(Bucket="records")


# without boto3


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_given_a_presigned_url_then_it_works_until_it_expires_or_is_touched(sandbox, s3, version):
    """API Reference, "Authenticating Requests: Using Query Parameters"; User Guide, "Download and upload objects with
    presigned URLs"."""
    url = sandbox.client("s3", config=Config(signature_version=version)).generate_presigned_url(
        "get_object", {"Bucket": "photos", "Key": "cat"}, ExpiresIn=60)
    s3.put_object(Bucket="photos", Key="dog", Body=b"wuff")
    assert requests.get(url).text == "miau"
    touched = requests.get(url.replace("/cat", "/dog"))
    assert (touched.status_code, re.search("<Code>(.*)</Code>", touched.text)[1]) == (403, "SignatureDoesNotMatch")
    sandbox.clock.advance(seconds=61)
    late = requests.get(url)
    assert (late.status_code, re.search("<Message>(.*)</Message>", late.text)[1]) == (403, "Request has expired")


def test_given_a_signers_rights_then_the_url_has_no_more(sandbox, s3, ada):
    """User Guide, "Download and upload objects with presigned URLs": the rights of who signed, when it is used."""
    url = ada.generate_presigned_url("get_object", {"Bucket": "photos", "Key": "cat"})
    assert requests.get(url).status_code == 403
    sandbox.client("iam").put_user_policy(UserName="ada", PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}))
    assert requests.get(url).text == "miau"


def test_given_a_presigned_upload_then_what_was_signed_must_be_sent(sandbox, s3):
    url = sandbox.client("s3", config=Config(signature_version="s3v4")).generate_presigned_url(
        "put_object", {"Bucket": "photos", "Key": "note", "ContentType": "text/plain", "Metadata": {"by": "ada"}})
    assert requests.put(url, data=b"hello", headers={"Content-Type": "text/html", "x-amz-meta-by": "ada"}).status_code == 403
    assert requests.put(url, data=b"hello", headers={"Content-Type": "text/plain", "x-amz-meta-by": "ada"}).status_code == 200
    found = s3.get_object(Bucket="photos", Key="note")
    assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (b"hello", "text/plain", {"by": "ada"})


def test_given_nobody_then_nothing_is_read_written_or_listed(s3):
    for method, path in (("GET", "cat"), ("PUT", "dog"), ("DELETE", "cat"), ("GET", "")):
        assert requests.request(method, f"https://photos.s3.amazonaws.com/{path}", data=b"").status_code == 403
    assert requests.head("https://photos.s3.amazonaws.com/cat").status_code == 403
    assert requests.get("https://nowhere-at-all.s3.amazonaws.com/cat").status_code == 404
    assert s3.get_object(Bucket="photos", Key="cat")["Body"].read() == b"miau"


def get(path, **more):
    answer = requests.get(SITE + path, allow_redirects=False, **more)
    return answer.status_code, answer.headers.get("Location") or answer.text


def test_given_a_website_then_it_answers_with_pages(opened):
    """User Guide, "Configuring an index document", "Configuring a custom error document", "Website endpoints"."""
    assert get("/")[0] == 404  # no website configuration yet
    opened.put_bucket_website(Bucket="photos", WebsiteConfiguration={
        "IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "oops.html"},
        "RoutingRules": [{"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "docs/"}}]})
    for key in ("index.html", "docs/index.html"):
        opened.put_object(Bucket="photos", Key=key, Body=key.encode(), ContentType="text/html")
    assert get("/") == (200, "index.html")
    assert get("/docs/") == (200, "docs/index.html")
    assert get("/docs") == (302, "/docs/")
    assert get("/old/a") == (301, f"{SITE}/docs/a")
    assert get("/none")[0] == 404 and "NoSuchKey" in get("/none")[1]
    opened.put_object(Bucket="photos", Key="oops.html", Body=b"sorry")
    assert get("/none") == (404, "sorry")
    assert requests.post(f"{SITE}/").status_code == 405
    opened.delete_bucket_policy(Bucket="photos")
    assert get("/")[0] == 403


def test_given_a_page_of_redirects_then_the_browser_is_sent_on(opened):
    """User Guide, "(Optional) Configuring a webpage redirect"."""
    opened.put_bucket_website(Bucket="photos", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    opened.put_object(Bucket="photos", Key="here", Body=b"", WebsiteRedirectLocation="/there")
    assert get("/here") == (301, f"{SITE}/there")
    opened.put_bucket_website(Bucket="photos", WebsiteConfiguration={"RedirectAllRequestsTo": {"HostName": "example.com"}})
    assert get("/a/b") == (301, "http://example.com/a/b")


def story(sandbox, path):
    sandbox.reset(seed=7)
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="photos")
    upload = s3.create_multipart_upload(Bucket="photos", Key="film")["UploadId"]
    s3.upload_part(Bucket="photos", Key="film", UploadId=upload, PartNumber=1, Body=b"x")
    requests.put(s3.generate_presigned_url("put_object", {"Bucket": "photos", "Key": "cat"}), data=b"miau")
    sandbox.clock.advance(hours=1)
    if path:
        sandbox.save(path)
    return upload


def test_given_the_same_seed_then_upload_ids_repeat_and_the_sandbox_loads(sandbox, tmp_path):
    from kit import lab
    upload = story(sandbox, tmp_path / "s.json")
    assert story(sandbox, None) == upload
    again = lab.load(tmp_path / "s.json")
    assert not again.history().about("not as before").records
    assert [part["Size"] for part in again.client("s3").list_parts(Bucket="photos", Key="film", UploadId=upload)["Parts"]] == [1]
    assert again.client("s3").get_object(Bucket="photos", Key="cat")["Body"].read() == b"miau"


def test_given_a_large_file_then_boto3s_own_upload_works(sandbox, s3, tmp_path):
    """What upload_fileobj does: a multipart upload by threads, checked by the model part by part."""
    from io import BytesIO
    from boto3.s3.transfer import TransferConfig
    body = bytes(range(256)) * 4096 * 13
    s3.upload_fileobj(BytesIO(body), "photos", "film", Config=TransferConfig(use_threads=False))
    assert s3.head_object(Bucket="photos", Key="film")["ContentLength"] == len(body)
    assert s3.head_object(Bucket="photos", Key="film")["ETag"].endswith('-2"')


def test_given_nothing_asked_then_what_is_stored_is_encrypted(sandbox):
    """S3 User Guide, "Using server-side encryption with Amazon S3 managed keys": the base level for every bucket."""
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="photos")
    assert s3.put_object(Bucket="photos", Key="cat", Body=b"x")["ServerSideEncryption"] == "AES256"
    assert s3.head_object(Bucket="photos", Key="cat")["ServerSideEncryption"] == "AES256"
    s3.delete_bucket_encryption(Bucket="photos")
    rule, = s3.get_bucket_encryption(Bucket="photos")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


@pytest.mark.parametrize("name", ["logs", "sqs", "a.dotted.name"])
def test_given_a_bucket_with_the_name_of_a_service_then_it_is_a_bucket_like_any_other(sandbox, name):
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a/b", Body=b"x")
    assert s3.get_object(Bucket=name, Key="a/b")["Body"].read() == b"x"
    assert sandbox.client("logs").describe_log_groups()["logGroups"] == []
