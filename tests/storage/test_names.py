"""Bucket names and URLs against AWS's pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import ServiceError
from kit.storage.names import Names, broken_rule, check_name, urls

ACCOUNT, OTHER = "111122223333", "444455556666"


def refused(code):
    return pytest.raises(ServiceError, match=f"^{code}:")


@pytest.mark.parametrize("name", [
    "docexamplebucket1", "log-delivery-march-2020", "my-hosted-content",  # the page's valid examples
    "docexamplewebsite.com", "www.docexamplewebsite.com", "my.example.s3.bucket",  # valid, not recommended
    "abc", "a" * 63, "1.2.3", "1.2.3.4.5"])
def test_names_that_are_good(name):
    check_name(name)


@pytest.mark.parametrize("name", [
    "doc_example_bucket", "DocExampleBucket", "doc-example-bucket-",  # the page's invalid examples
    "ab", "a" * 64, "-abc", ".abc", "abc.", "a..b", "192.168.5.4", "xn--abc", "sthree-abc", "amzn-s3-demo-abc", "abc-s3alias",
    "abc--ol-s3", "abc.mrap", "abc--x-s3", "abc--table-s3", "abc-an", "straße", "a b"])
def test_names_that_are_not(name):
    """"General purpose bucket naming rules"."""
    with refused("InvalidBucketName"):
        check_name(name)


@given(st.text("abzAZ019.-_", max_size=70))
def test_a_name_is_either_good_or_breaks_a_rule(name):
    good = (3 <= len(name) <= 63 and all(letter in "abz019.-" for letter in name) and name[0] not in ".-"
            and name[-1] not in ".-" and ".." not in name)
    assert (broken_rule(name) is None) == (good and not (name.count(".") == 3 and name.replace(".", "").isdigit()))


def test_the_accounts_own_namespace():
    """CreateBucket, BucketNamespace: prefix-accountId-region-an."""
    name = f"reports-{ACCOUNT}-us-west-2-an"
    names = Names()
    names.create_bucket(name, ACCOUNT, "us-west-2", BucketNamespace="account-regional")
    for account, region, namespace in ((OTHER, "us-west-2", "account-regional"), (ACCOUNT, "eu-west-1", "account-regional"),
                                       (ACCOUNT, "us-west-2", "global"), (OTHER, "us-west-2", "global")):
        with refused("InvalidBucketName"):
            names.create_bucket(name, account, region, BucketNamespace=namespace)
    with refused("InvalidBucketName"):
        check_name("reports", "account-regional", ACCOUNT, "us-west-2")
    with refused("InvalidArgument"):
        check_name("reports", "private", ACCOUNT, "us-west-2")


def test_a_name_is_taken_for_the_whole_partition():
    names = Names()
    names.create_bucket("a-bucket", ACCOUNT, "eu-west-1")
    for region in ("eu-west-1", "us-east-1", "us-west-2"):
        with refused("BucketAlreadyExists"):
            names.create_bucket("a-bucket", OTHER, region)
    for region in ("cn-north-1", "us-gov-west-1", "eusc-de-east-1"):
        names.create_bucket("a-bucket", OTHER, region)
    assert names.region_of("a-bucket", "us-east-1") == "eu-west-1"
    assert names.region_of("a-bucket", "cn-northwest-1") == "cn-north-1"


def test_the_owner_is_told_so_but_in_us_east_1():
    """CreateBucket: BucketAlreadyOwnedByYou in all Regions except N. Virginia, which answers 200 OK."""
    names = Names()
    names.create_bucket("west", ACCOUNT, "us-west-2")
    names.create_bucket("east", ACCOUNT, "us-east-1")
    names.create_bucket("east", ACCOUNT, "us-east-1")
    for name, region in (("west", "us-west-2"), ("west", "us-east-1"), ("east", "us-west-2")):
        with refused("BucketAlreadyOwnedByYou"):
            names.create_bucket(name, ACCOUNT, region)


def test_a_deleted_name_is_free_for_anybody():
    names = Names()
    names.create_bucket("a-bucket", ACCOUNT)
    with refused("AccessDenied"):
        names.delete_bucket("a-bucket", OTHER)
    names.delete_bucket("a-bucket", ACCOUNT)
    with refused("NoSuchBucket"):
        names.delete_bucket("a-bucket", ACCOUNT)
    with refused("NoSuchBucket"):
        names.region_of("a-bucket")
    names.create_bucket("a-bucket", OTHER)


@pytest.mark.parametrize("key, region, virtual_hosted, path_style", [
    ("puppy.jpg", "us-west-2", "https://a-bucket.s3.us-west-2.amazonaws.com/puppy.jpg",
     "https://s3.us-west-2.amazonaws.com/a-bucket/puppy.jpg"),
    ("photos/a cat+é?.jpg", "us-east-1", "https://a-bucket.s3.us-east-1.amazonaws.com/photos/a%20cat%2B%C3%A9%3F.jpg",
     "https://s3.us-east-1.amazonaws.com/a-bucket/photos/a%20cat%2B%C3%A9%3F.jpg"),
    ("k", "cn-north-1", "https://a-bucket.s3.cn-north-1.amazonaws.com.cn/k",
     "https://s3.cn-north-1.amazonaws.com.cn/a-bucket/k"),
])
def test_urls(key, region, virtual_hosted, path_style):
    """"Virtual hosting of buckets"."""
    assert urls("a-bucket", key, region) == {"virtual-hosted": virtual_hosted, "path-style": path_style}
