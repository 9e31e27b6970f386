"""What a call to AWS needs permission for: its actions, the resources they are about, the condition keys it carries.

An IAM policy does not speak of API operations but of *actions* on *resources*. Most actions are named like their
operation, and some are not: ``s3.list_buckets()`` needs s3:ListAllMyBuckets, one ``sqs.send_message_batch()`` needs
sqs:SendMessage, and handing a role to a service needs iam:PassRole as well. ``asked`` tells them for a boto3 call:

    asked("s3", "GetObject", {"Bucket": "photos", "Key": "cat.jpg"})
    -> [Asked("s3:GetObject", "arn:aws:s3:::photos/cat.jpg", {})]

**Simplified** Resource types and condition keys of the services the course uses; of other services an ARN among the
parameters is taken for the resource, or "*". Paths of users and roles are left out. Tags of existing resources are
not known here: who asks adds aws:ResourceTag keys.

Service Authorization Reference, the tables "Actions, resources, and condition keys for" Amazon S3, Amazon SQS,
Amazon SNS, Amazon DynamoDB, AWS Lambda, Amazon EC2, AWS IAM, AWS STS, CloudWatch, CloudWatch Logs, EventBridge, Step
Functions, Systems Manager, Secrets Manager, AWS KMS, EC2 Auto Scaling, CloudTrail. Amazon S3 User Guide, "Required
permissions for Amazon S3 API operations". IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
"""

from dataclasses import dataclass, field

ACCOUNT, REGION = "123456789012", "us-east-1"

PREFIXES = {  # boto3's name of a client -> how its actions begin, where that differs
    "elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "stepfunctions": "states", "efs": "elasticfilesystem",
    "opensearch": "es", "s3control": "s3", "emr": "elasticmapreduce", "ses": "ses", "sesv2": "ses", "ecr-public": "ecr-public",
    "cognito-idp": "cognito-idp", "apigatewayv2": "apigateway", "resourcegroupstaggingapi": "tag", "mq": "mq"}

S3_ACTIONS = {  # "Required permissions for Amazon S3 API operations"
    "ListBuckets": "ListAllMyBuckets", "HeadBucket": "ListBucket", "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket", "ListObjectVersions": "ListBucketVersions", "HeadObject": "GetObject",
    "SelectObjectContent": "GetObject", "CreateMultipartUpload": "PutObject", "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject", "ListParts": "ListMultipartUploadParts",
    "ListMultipartUploads": "ListBucketMultipartUploads", "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration", "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration", "GetBucketEncryption": "GetEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration", "PutBucketReplication": "PutReplicationConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration", "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging", "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock", "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "PutBucketNotificationConfiguration": "PutBucketNotification", "PutBucketCors": "PutBucketCORS",
    "GetBucketNotificationConfiguration": "GetBucketNotification", "GetBucketCors": "GetBucketCORS",
    "DeleteBucketCors": "PutBucketCORS", "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration"}
VERSIONED = ("GetObject", "DeleteObject", "GetObjectAcl", "PutObjectAcl", "GetObjectTagging", "PutObjectTagging",
             "DeleteObjectTagging")

RENAMED = {("lambda", "Invoke"): "InvokeFunction", ("sns", "PublishBatch"): "Publish",
           ("sqs", "SendMessageBatch"): "SendMessage", ("sqs", "DeleteMessageBatch"): "DeleteMessage",
           ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
           ("dynamodb", "TransactGetItems"): "GetItem"}

ARNS = {  # prefix -> [(a parameter, the ARN it makes)]: the first that a call has is its resource
    "sqs": [("QueueUrl", "sqs:{region}:{account}:{tail}"), ("QueueName", "sqs:{region}:{account}:{value}")],
    "sns": [("TopicArn", None), ("TargetArn", None), ("Name", "sns:{region}:{account}:{value}")],
    "dynamodb": [("TableName", "dynamodb:{region}:{account}:table/{value}")],
    "lambda": [("FunctionName", "lambda:{region}:{account}:function:{value}"),
               ("LayerName", "lambda:{region}:{account}:layer:{value}")],
    "iam": [("UserName", "iam::{account}:user/{value}"),
            ("RoleName", "iam::{account}:role/{value}"), ("GroupName", "iam::{account}:group/{value}"),
            ("InstanceProfileName", "iam::{account}:instance-profile/{value}"),
            ("PolicyName", "iam::{account}:policy/{value}")],
    "sts": [("RoleArn", None)],
    "logs": [("logGroupName", "logs:{region}:{account}:log-group:{value}"), ("logGroupIdentifier", None)],
    "cloudwatch": [("AlarmName", "cloudwatch:{region}:{account}:alarm:{value}"),
                   ("DashboardName", "cloudwatch::{account}:dashboard/{value}")],
    "events": [("Name", "events:{region}:{account}:rule/{value}"), ("Rule", "events:{region}:{account}:rule/{value}"),
               ("ArchiveName", "events:{region}:{account}:archive/{value}")],
    "scheduler": [("Name", "scheduler:{region}:{account}:schedule/default/{value}")],
    "states": [("stateMachineArn", None), ("executionArn", None),
               ("name", "states:{region}:{account}:stateMachine:{value}")],
    "ssm": [("Name", "ssm:{region}:{account}:parameter/{bare}"), ("Path", "ssm:{region}:{account}:parameter/{bare}")],
    "secretsmanager": [("SecretId", "secretsmanager:{region}:{account}:secret:{value}"),
                       ("Name", "secretsmanager:{region}:{account}:secret:{value}")],
    "kms": [("KeyId", "kms:{region}:{account}:key/{value}")],
    "autoscaling": [("AutoScalingGroupName",
                     "autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/{value}")],
    "cloudtrail": [("Name", "cloudtrail:{region}:{account}:trail/{value}")],
    "cloudformation": [("StackName", "cloudformation:{region}:{account}:stack/{value}/*")],
    "rds": [("DBInstanceIdentifier", "rds:{region}:{account}:db:{value}")],
}
EC2_RESOURCES = {  # parameter -> what its ARN says
    "InstanceId": "instance", "VolumeId": "volume", "SnapshotId": "snapshot", "GroupId": "security-group",
    "VpcId": "vpc", "SubnetId": "subnet", "ImageId": "image", "KeyName": "key-pair", "AllocationId": "elastic-ip",
    "NetworkInterfaceId": "network-interface", "RouteTableId": "route-table", "InternetGatewayId": "internet-gateway"}
NO_RESOURCE = ("Describe", "List")  # operations that are about no single one in these services
ABOUT_ALL = ("ec2", "autoscaling", "cloudwatch", "elasticloadbalancing", "rds")

WITH_ROLE = {  # operations that hand a role to a service: the parameter, and the service
    ("lambda", "CreateFunction"): ("Role", "lambda.amazonaws.com"),
    ("lambda", "UpdateFunctionConfiguration"): ("Role", "lambda.amazonaws.com"),
    ("stepfunctions", "CreateStateMachine"): ("roleArn", "states.amazonaws.com"),
    ("events", "PutRule"): ("RoleArn", "events.amazonaws.com"),
    ("cloudtrail", "CreateTrail"): ("CloudWatchLogsRoleArn", "cloudtrail.amazonaws.com")}


@dataclass(frozen=True)
class Asked:
    """One permission that a call needs. context: condition keys that follow from the call's parameters."""

    action: str
    resource: str = "*"
    context: dict = field(default_factory=dict, compare=False)


def asked(service: str, operation: str, parameters: dict, *, caller: str = "", region: str = REGION,
          account: str = ACCOUNT) -> list[Asked]:
    """Every permission a boto3 call needs; all of them must be allowed.

    service: boto3's name of the client; operation: the API's ("GetObject"); caller: the ARN of who asks, for calls that
    are about oneself.
    """
    prefix = PREFIXES.get(service, service)
    action = f"{prefix}:{RENAMED.get((service, operation), operation)}"
    context = _keys(service, operation, parameters)
    if service == "s3":
        wanted = _s3(operation, parameters)
    elif service == "ec2":
        wanted = [(action, resource) for resource in _ec2(operation, parameters, region, account)]
    elif service == "dynamodb":
        wanted = _dynamodb(operation, action, parameters, region, account)
    else:
        wanted = [(action, _resource(prefix, operation, parameters, caller, region, account))]
    found = [Asked(action, resource, context) for action, resource in wanted]
    return found + _passed_roles(service, operation, parameters, account)


def _s3(operation, parameters):
    bucket, key = parameters.get("Bucket"), parameters.get("Key")
    name = S3_ACTIONS.get(operation, operation)
    if name in VERSIONED and parameters.get("VersionId"):
        name = name.replace("Object", "ObjectVersion", 1)
    if operation == "DeleteObjects":
        return [("s3:DeleteObjectVersion" if one.get("VersionId") else "s3:DeleteObject",
                 f"arn:aws:s3:::{bucket}/{one['Key']}") for one in parameters.get("Delete", {}).get("Objects", [])]
    if bucket is None:
        return [(f"s3:{name}", "*")]
    wanted = [(f"s3:{name}", f"arn:aws:s3:::{bucket}" + (f"/{key}" if key is not None else ""))]
    if operation in ("CopyObject", "UploadPartCopy"):
        source = parameters.get("CopySource", "")
        source = f"{source['Bucket']}/{source['Key']}" if isinstance(source, dict) else source.lstrip("/").split("?")[0]
        wanted = [("s3:PutObject", wanted[0][1]), ("s3:GetObject", f"arn:aws:s3:::{source}")]
    return wanted


def _ec2(operation, parameters, region, account):
    if operation.startswith("Describe"):
        return ["*"]
    home = f"arn:aws:ec2:{region}:{account}"
    if operation == "RunInstances":
        found = [f"arn:aws:ec2:{region}::image/{parameters.get('ImageId', '*')}", f"{home}:instance/*",
                 f"{home}:volume/*", f"{home}:network-interface/*", f"{home}:subnet/{parameters.get('SubnetId', '*')}"]
        found += [f"{home}:security-group/{one}" for one in parameters.get("SecurityGroupIds", ["*"])]
        return found + ([f"{home}:key-pair/{parameters['KeyName']}"] if "KeyName" in parameters else [])
    if operation in ("CreateTags", "DeleteTags"):
        return [f"{home}:{_ec2_kind(one)}/{one}" for one in parameters.get("Resources", [])]
    found = []
    for parameter, kind in EC2_RESOURCES.items():
        owner = "" if kind == "image" else account
        values = parameters.get(parameter, parameters.get(parameter + "s", []))
        found += [f"arn:aws:ec2:{region}:{owner}:{kind}/{one}" for one in ([values] if isinstance(values, str) else values)]
    return found or ["*"]


def _ec2_kind(identifier):
    kinds = {"i": "instance", "vol": "volume", "snap": "snapshot", "sg": "security-group", "ami": "image",
             "vpc": "vpc", "subnet": "subnet", "eipalloc": "elastic-ip"}
    return kinds.get(identifier.split("-")[0], "*")


def _dynamodb(operation, action, parameters, region, account):
    def table(name):
        return name if name.startswith("arn:") else f"arn:aws:dynamodb:{region}:{account}:table/{name}"

    if operation in ("BatchGetItem", "BatchWriteItem"):
        return [(action, table(name)) for name in parameters.get("RequestItems", {})]
    if operation == "TransactWriteItems":
        names = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
        return [(f"dynamodb:{names[kind]}", table(one["TableName"]))
                for item in parameters.get("TransactItems", []) for kind, one in item.items()]
    if operation == "TransactGetItems":
        return [(action, table(item["Get"]["TableName"])) for item in parameters.get("TransactItems", [])]
    if "TableName" not in parameters:
        return [(action, "*")]
    index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
    return [(action, table(parameters["TableName"]) + index)]


def _resource(prefix, operation, parameters, caller, region, account):
    if prefix in ABOUT_ALL and operation.startswith(NO_RESOURCE):
        return "*"
    if prefix == "iam" and "PolicyArn" in parameters and not operation.startswith(("Attach", "Detach")):
        return parameters["PolicyArn"]
    for parameter, form in ARNS.get(prefix, ()):
        value = parameters.get(parameter)
        if not isinstance(value, str):
            continue
        if form is None or value.startswith("arn:"):
            return value
        return "arn:aws:" + form.format(region=region, account=account, value=value, tail=value.rsplit("/", 1)[-1],
                                        bare=value.lstrip("/"))
    if prefix == "iam" and operation in OF_ONESELF:
        return caller or "*"
    arns = [value for name, value in parameters.items() if isinstance(value, str) and value.startswith("arn:")
            and "role" not in name.lower()]
    return arns[0] if arns else "*"


OF_ONESELF = ("GetUser", "ListAccessKeys", "CreateAccessKey", "DeleteAccessKey", "UpdateAccessKey", "ChangePassword",
              "ListMFADevices", "CreateVirtualMFADevice")  # without a UserName they are about the caller


def _keys(service, operation, parameters):
    """Condition keys in the request itself, under their names in the Service Authorization Reference."""
    found = {}
    tags = parameters.get("Tags", parameters.get("tags"))
    if operation == "RunInstances":
        tags = [tag for one in parameters.get("TagSpecifications", []) for tag in one.get("Tags", [])]
    if isinstance(tags, dict):
        tags = [{"Key": key, "Value": value} for key, value in tags.items()]
    for tag in tags or []:
        if isinstance(tag, dict):
            key, value = tag.get("Key", tag.get("key")), tag.get("Value", tag.get("value"))
            found[f"aws:RequestTag/{key}"] = value
            found.setdefault("aws:TagKeys", []).append(key)
    names = {"s3": {"Prefix": "s3:prefix", "Delimiter": "s3:delimiter", "MaxKeys": "s3:max-keys", "ACL": "s3:x-amz-acl",
                    "VersionId": "s3:VersionId", "ServerSideEncryption": "s3:x-amz-server-side-encryption",
                    "StorageClass": "s3:x-amz-storage-class", "SSEKMSKeyId":
                    "s3:x-amz-server-side-encryption-aws-kms-key-id"},
             "ec2": {"InstanceType": "ec2:InstanceType", "Encrypted": "ec2:Encrypted"},
             "sns": {"Protocol": "sns:Protocol", "Endpoint": "sns:Endpoint"},
             "cloudwatch": {"Namespace": "cloudwatch:namespace"},
             "lambda": {"Principal": "lambda:Principal", "FunctionUrlAuthType": "lambda:FunctionUrlAuthType"},
             "sts": {"ExternalId": "sts:ExternalId", "RoleSessionName": "sts:RoleSessionName"},
             "iam": {"PermissionsBoundary": "iam:PermissionsBoundary", "PolicyArn": "iam:PolicyARN"}}.get(service, {})
    for parameter, key in names.items():
        if parameter in parameters:
            value = parameters[parameter]
            found[key] = str(value).lower() if isinstance(value, bool) else str(value)
    if service == "dynamodb" and isinstance(parameters.get("Key"), dict) and parameters["Key"]:
        first = next(iter(parameters["Key"].values()))
        found["dynamodb:LeadingKeys"] = [str(next(iter(first.values())) if isinstance(first, dict) else first)]
    return found


def _passed_roles(service, operation, parameters, account):
    parameter, to = WITH_ROLE.get((service, operation), (None, None))
    role = parameters.get(parameter)
    if service == "ec2" and operation == "RunInstances" and "IamInstanceProfile" in parameters:
        profile = parameters["IamInstanceProfile"]
        name = profile.get("Name", profile.get("Arn", "").rsplit("/", 1)[-1])
        role, to = f"arn:aws:iam::{account}:role/{name}", "ec2.amazonaws.com"
    return [Asked("iam:PassRole", role, {"iam:PassedToService": to})] if role else []
