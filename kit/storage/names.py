"""What a bucket may be called, who has the name already, and the URLs that it gives.

A name is taken for everybody in the partition: all the Regions and accounts of ``aws``, say. A bucket may be made in
the account's own namespace instead: its name then ends in the account, the Region and ``-an``, and nobody else can ever
take it.

    names = Names()
    names.create_bucket("a-bucket", account="111122223333", region="eu-west-1")
    names.create_bucket("a-bucket", account="444455556666", region="us-west-2")      # ServiceError BucketAlreadyExists
    urls("a-bucket", "photos/a cat.jpg", "eu-west-1")

**Simplified** A deleted bucket's name is free at once. A name that breaks the rules of the account's namespace is
refused with InvalidBucketName (the code was not looked up). A Region's partition is told by its prefix.
**Not modelled** Directory buckets and table buckets; names from before 2018-03-01 with capitals; the legacy global
endpoint; dual-stack endpoints.

Amazon S3 User Guide: "General purpose bucket naming rules", "Namespaces for general purpose buckets", "Virtual hosting
of buckets" (in AWS's published sources of the guide). Amazon S3 API Reference, in the copy that botocore 1.44.5
carries: "CreateBucket" (the errors, and that us-east-1 answers 200 to the owner). Domains of the partitions: botocore's
endpoints. Read 2026-11-28.
"""

import re
from urllib.parse import quote

from kit.errors import ServiceError

PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}  # prefix of the Region; all else: aws
DOMAINS = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn",
           "aws-eusc": "amazonaws.eu"}
PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")  # AWS's own
SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


class Names:
    """Who has which name: of all accounts, Regions and partitions at once."""

    def __init__(self):
        self._owners = {}  # (partition, name) -> (account, region)

    def create_bucket(self, Bucket: str, account: str, region: str = "us-east-1",
                      BucketNamespace: str = "global") -> None:
        """Take the name. ServiceError InvalidBucketName, BucketAlreadyExists, or BucketAlreadyOwnedByYou: in every
        Region but us-east-1, which for old times' sake says yes to the owner again."""
        check_name(Bucket, BucketNamespace, account, region)
        owner = self._owners.get((partition(region), Bucket))
        if owner is not None and owner[0] != account:
            raise ServiceError("BucketAlreadyExists", f"Somebody has a bucket {Bucket!r}: choose another name.")
        if owner is not None and (owner[1], region) != ("us-east-1", "us-east-1"):
            raise ServiceError("BucketAlreadyOwnedByYou", f"You have a bucket {Bucket!r} in {owner[1]}.")
        self._owners[partition(region), Bucket] = account, region

    def delete_bucket(self, Bucket: str, account: str, region: str = "us-east-1") -> None:
        """Give the name back: anybody may take it now, if it is a global one."""
        owner = self._owners.get((partition(region), Bucket))
        if owner is None:
            raise ServiceError("NoSuchBucket", f"There is no bucket {Bucket!r}.")
        if owner[0] != account:
            raise ServiceError("AccessDenied", f"{Bucket!r} is somebody else's.")
        del self._owners[partition(region), Bucket]

    def region_of(self, Bucket: str, region: str = "us-east-1") -> str:
        """Where the bucket is; region: any one of its partition. ServiceError NoSuchBucket."""
        if (partition(region), Bucket) not in self._owners:
            raise ServiceError("NoSuchBucket", f"There is no bucket {Bucket!r}.")
        return self._owners[partition(region), Bucket][1]


def check_name(Bucket: str, BucketNamespace: str = "global", account: str = "", region: str = "") -> None:
    """ServiceError InvalidBucketName, with the rule that it breaks. account, region: for the account's namespace."""
    broken = broken_rule(Bucket)
    if broken is None and BucketNamespace not in ("global", "account-regional"):
        raise ServiceError("InvalidArgument", "A bucket's namespace is global or account-regional.")
    if broken is None and BucketNamespace == "global" and Bucket.endswith("-an"):
        broken = "a name ends in -an in the account's own namespace only"
    suffix = f"-{account}-{region}-an"
    if broken is None and BucketNamespace == "account-regional" and Bucket.removesuffix(suffix) + suffix != Bucket:
        broken = f"in this account's namespace it ends in {suffix}"
    if broken is not None:
        raise ServiceError("InvalidBucketName", f"{Bucket!r} is no name for a bucket: {broken}.")


def broken_rule(Bucket: str) -> str | None:
    """The first rule for general purpose buckets that this name breaks; None: it is one."""
    if not 3 <= len(Bucket) <= 63:
        return f"it has 3 to 63 characters, not {len(Bucket)}"
    if not re.fullmatch(r"[a-z0-9.-]+", Bucket):
        return "it consists of lowercase letters, numbers, periods and hyphens"
    if not re.fullmatch(r"[a-z0-9].*[a-z0-9]", Bucket):
        return "it begins and ends with a letter or number"
    if ".." in Bucket:
        return "it has no two periods in a row"
    if re.fullmatch(r"\d+\.\d+\.\d+\.\d+", Bucket):
        return "it does not look like an IP address"
    if Bucket.startswith(PREFIXES):
        return f"it does not begin with {', '.join(PREFIXES)}: these are AWS's own"
    if Bucket.endswith(SUFFIXES):
        return f"it does not end in {', '.join(SUFFIXES)}: these are for other things"
    return None


def partition(region: str) -> str:
    return next((name for prefix, name in PARTITIONS.items() if region.startswith(prefix)), "aws")


def urls(bucket: str, key: str, region: str = "us-east-1") -> dict:
    """{"virtual-hosted": ..., "path-style": ...}; the first is the one to use.

    AWS's certificate for HTTPS fits no virtual host with a period in the bucket's name.
    """
    domain = DOMAINS[partition(region)]
    path = quote(key, safe="/-._~")
    return {"virtual-hosted": f"https://{bucket}.s3.{region}.{domain}/{path}",
            "path-style": f"https://s3.{region}.{domain}/{bucket}/{path}"}
