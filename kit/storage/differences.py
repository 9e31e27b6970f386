"""Where moto 5.2.5 is not S3: what stories told to the model and to moto brought to light.

Each row is settled by AWS's documentation, and proven by a test that shows moto doing it and the model doing as AWS
says (tests/storage/test_s3_differential.py). ``page`` is one of the Amazon S3 API Reference or User Guide; "measured"
says that no page does, or that S3 was seen to do otherwise than its page, and where.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One row. page: what settles it."""

    operation: str
    moto: str
    aws: str
    page: str


DIFFERENCES = (
    # versions and delete markers
    Difference("delete_object in a versioned bucket", "does nothing for a key that isn't there",
               "puts a delete marker all the same", "DeleteObject; measured: aws-sdk-go-v2 issue 2607"),
    Difference("delete_objects in a versioned bucket", "does nothing for a key that isn't there",
               "puts a delete marker all the same", "DeleteObject; measured: aws-sdk-go-v2 issue 2607"),
    Difference("delete_object of a delete marker", "says nothing special", "says DeleteMarker: true", "DeleteObject"),
    Difference("get_object of the version null", "names no version, nor is it told in other answers",
               "names the version null once the bucket is versioned",
               "measured: AWSS3.jl issue 241, versitygw issue 2165"),
    Difference("delete_object in a suspended bucket", "loses all versions of the key",
               "takes the null version at most, and puts a null delete marker", "DeleteObject"),
    Difference("put_object in a suspended bucket", "loses all versions of the key",
               "takes the place of the null version, if there is one", "PutBucketVersioning"),
    Difference("get_object of a delete marker", "says NoSuchVersion", "says MethodNotAllowed (405)", "GetObject"),
    Difference("get_object_tagging of a delete marker", "says NoSuchVersion", "says MethodNotAllowed (405)",
               "Working with delete markers"),
    Difference("list_objects_v2 with a delimiter", "shows a common prefix whose keys are all under delete markers",
               "shows only what it would list", "ListObjectsV2"),
    Difference("head_object of the version null", "says 400", "tells about it", "HeadObject, VersionId"),
    Difference("put_bucket_versioning", "takes any Status", "takes Enabled and Suspended", "PutBucketVersioning"),
    Difference("put_bucket_versioning with Object Lock", "suspends it", "refuses with InvalidBucketState",
               "Object Lock considerations"),
    # what an object may be
    Difference("put_object", "takes a key of 1,025 bytes", "refuses with KeyTooLongError", "Naming Amazon S3 objects"),
    Difference("put_object", "takes more than 2 KB of user-defined metadata", "refuses with MetadataTooLarge",
               "Working with object metadata"),
    Difference("put_object", "takes a tag twice", "refuses: keys of tags are unique",
               "Categorizing your storage using tags"),
    Difference("put_object_tagging", "takes a tag twice", "refuses with InvalidTag",
               "Categorizing your storage using tags"),
    Difference("delete_objects", "takes 1,001 keys", "takes 1,000 at most", "DeleteObjects"),
    # conditions
    Difference("put_object", "takes an ETag in IfNoneMatch, and passes over it", "knows the asterisk only",
               "PutObject"),
    Difference("get_object", "takes the asterisk of IfMatch and IfNoneMatch for an ETag", "takes it for any object",
               "GetObject, which names RFC 7232"),
    Difference("get_object", "asks IfUnmodifiedSince even if IfMatch holds", "gives the object: the ETag decides",
               "GetObject"),
    Difference("get_object", "says 304 by IfModifiedSince even if IfNoneMatch finds another ETag",
               "gives the object: the ETag decides", "GetObject, which names RFC 7232 (section 3.3)"),
    Difference("delete_object", "takes the asterisk of IfMatch for an ETag", "takes it for any object", "DeleteObject"),
    Difference("delete_object", "takes IfMatch together with a VersionId", "refuses with NotImplemented",
               "How to perform conditional deletes; measured: localstack issue 13894"),
    Difference("delete_objects", "passes over an object's ETag", "refuses to delete another: PreconditionFailed",
               "How to perform conditional deletes"),
    Difference("copy_object", "passes over IfMatch and IfNoneMatch", "refuses with 412, or 404 if nothing is there",
               "CopyObject"),
    Difference("copy_object", "passes over CopySourceIfMatch and CopySourceIfModifiedSince", "refuses with 412",
               "CopyObject"),
    Difference("complete_multipart_upload", "passes over IfMatch", "refuses with 412, or 404 if nothing is there",
               "CompleteMultipartUpload"),
    # uploads in parts
    Difference("upload_part", "takes the upload of another key", "refuses with NoSuchUpload", "UploadPart"),
    Difference("upload_part", "breaks down over an upload that isn't there", "refuses with NoSuchUpload",
               "CompleteMultipartUpload, special errors"),
    Difference("upload_part_copy", "says 404 if there is no source", "says NoSuchKey", "Error responses"),
    Difference("upload_part_copy", "copies a range of a source of 5 MB or less", "refuses", "UploadPartCopy"),
    Difference("complete_multipart_upload", "takes parts in any order", "refuses with InvalidPartOrder",
               "CompleteMultipartUpload"),
    Difference("complete_multipart_upload", "once completed says yes to any list again", "refuses with NoSuchUpload",
               "CompleteMultipartUpload, special errors"),
    Difference("complete_multipart_upload", "names the version null in an unversioned bucket", "names none",
               "CompleteMultipartUpload, VersionId"),
    Difference("get_object after an upload in parts", "is dated by its completion", "is dated by its initiation",
               "Working with object metadata"),
    Difference("list_multipart_uploads", "says all began in 2010", "says when each began", "ListMultipartUploads"),
    # locks
    Difference("put_object with a retention", "takes a date that is past", "refuses with InvalidArgument",
               "Locking objects with Object Lock"),
    Difference("put_object_retention", "shortens a retention in either mode", "refuses with AccessDenied",
               "Locking objects with Object Lock"),
    Difference("put_object_retention", "turns COMPLIANCE into GOVERNANCE", "refuses with AccessDenied",
               "Locking objects with Object Lock"),
    Difference("put_object_lock_configuration", "wants an empty bucket", "takes an existing one if it is versioned",
               "PutObjectLockConfiguration"),
    # names
    Difference("create_bucket", "takes capitals, underscores, two periods in a row, IP addresses, reserved endings",
               "refuses with InvalidBucketName", "General purpose bucket naming rules"),
)
