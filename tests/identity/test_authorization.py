"""What permissions a call needs, held to the Service Authorization Reference and the pages named."""

import pytest

from kit.identity.authorization import Asked, asked

HERE = "us-east-1:123456789012"


def needs(service, operation, **parameters):
    return [(one.action, one.resource) for one in asked(service, operation, parameters, caller="arn:aws:iam::123456789012:user/ada")]


@pytest.mark.parametrize("operation, parameters, action, resource", [
    ("ListBuckets", {}, "s3:ListAllMyBuckets", "*"),
    ("ListObjectsV2", {"Bucket": "b"}, "s3:ListBucket", "arn:aws:s3:::b"),
    ("HeadBucket", {"Bucket": "b"}, "s3:ListBucket", "arn:aws:s3:::b"),
    ("GetObject", {"Bucket": "b", "Key": "a/k"}, "s3:GetObject", "arn:aws:s3:::b/a/k"),
    ("GetObject", {"Bucket": "b", "Key": "k", "VersionId": "1"}, "s3:GetObjectVersion", "arn:aws:s3:::b/k"),
    ("HeadObject", {"Bucket": "b", "Key": "k"}, "s3:GetObject", "arn:aws:s3:::b/k"),
    ("UploadPart", {"Bucket": "b", "Key": "k"}, "s3:PutObject", "arn:aws:s3:::b/k"),
    ("PutBucketLifecycleConfiguration", {"Bucket": "b"}, "s3:PutLifecycleConfiguration", "arn:aws:s3:::b"),
    ("PutPublicAccessBlock", {"Bucket": "b"}, "s3:PutBucketPublicAccessBlock", "arn:aws:s3:::b"),
])
def test_s3_actions_are_those_of_the_page(operation, parameters, action, resource):
    """Amazon S3 User Guide, "Required permissions for Amazon S3 API operations"."""
    assert needs("s3", operation, **parameters) == [(action, resource)]


def test_a_copy_needs_both_ends():
    """The same page: CopyObject needs s3:GetObject on the source and s3:PutObject on the destination."""
    for source in ("from/x", {"Bucket": "from", "Key": "x"}, "/from/x?versionId=3"):
        assert needs("s3", "CopyObject", Bucket="to", Key="y", CopySource=source) == [
            ("s3:PutObject", "arn:aws:s3:::to/y"), ("s3:GetObject", "arn:aws:s3:::from/x")]


def test_a_batch_delete_needs_each_object():
    assert needs("s3", "DeleteObjects", Bucket="b", Delete={"Objects": [{"Key": "1"}, {"Key": "2", "VersionId": "v"}]}) == [
        ("s3:DeleteObject", "arn:aws:s3:::b/1"), ("s3:DeleteObjectVersion", "arn:aws:s3:::b/2")]


@pytest.mark.parametrize("service, operation, parameters, action, resource", [
    ("sqs", "SendMessageBatch", {"QueueUrl": "https://queue.amazonaws.com/123456789012/q"}, "sqs:SendMessage", f"arn:aws:sqs:{HERE}:q"),
    ("sqs", "CreateQueue", {"QueueName": "q"}, "sqs:CreateQueue", f"arn:aws:sqs:{HERE}:q"),
    ("sns", "Publish", {"TopicArn": f"arn:aws:sns:{HERE}:t"}, "sns:Publish", f"arn:aws:sns:{HERE}:t"),
    ("lambda", "Invoke", {"FunctionName": "f"}, "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:f"),
    ("lambda", "Invoke", {"FunctionName": f"arn:aws:lambda:{HERE}:function:f"}, "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:f"),
    ("dynamodb", "Query", {"TableName": "t", "IndexName": "i"}, "dynamodb:Query", f"arn:aws:dynamodb:{HERE}:table/t/index/i"),
    ("dynamodb", "BatchGetItem", {"RequestItems": {"t": {}}}, "dynamodb:BatchGetItem", f"arn:aws:dynamodb:{HERE}:table/t"),
    ("ec2", "DescribeInstances", {"InstanceIds": ["i-1"]}, "ec2:DescribeInstances", "*"),
    ("ec2", "StopInstances", {"InstanceIds": ["i-1"]}, "ec2:StopInstances", f"arn:aws:ec2:{HERE}:instance/i-1"),
    ("cloudwatch", "PutMetricData", {"Namespace": "n"}, "cloudwatch:PutMetricData", "*"),
    ("cloudwatch", "PutMetricAlarm", {"AlarmName": "a"}, "cloudwatch:PutMetricAlarm", f"arn:aws:cloudwatch:{HERE}:alarm:a"),
    ("elbv2", "DescribeLoadBalancers", {}, "elasticloadbalancing:DescribeLoadBalancers", "*"),
    ("stepfunctions", "StartExecution", {"stateMachineArn": "arn:x"}, "states:StartExecution", "arn:x"),
    ("iam", "AttachUserPolicy", {"UserName": "bo", "PolicyArn": "arn:p"}, "iam:AttachUserPolicy", "arn:aws:iam::123456789012:user/bo"),
    ("iam", "GetPolicy", {"PolicyArn": "arn:p"}, "iam:GetPolicy", "arn:p"),
    ("iam", "ListAccessKeys", {}, "iam:ListAccessKeys", "arn:aws:iam::123456789012:user/ada"),
    ("sts", "AssumeRole", {"RoleArn": "arn:r"}, "sts:AssumeRole", "arn:r"),
    ("ssm", "GetParameter", {"Name": "/app/db"}, "ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/app/db"),
    ("guardduty", "ListDetectors", {}, "guardduty:ListDetectors", "*"),
])
def test_other_services(service, operation, parameters, action, resource):
    """Service Authorization Reference, "Actions, resources, and condition keys"."""
    assert needs(service, operation, **parameters) == [(action, resource)]


def test_a_transaction_needs_each_of_its_writes():
    """Amazon DynamoDB Developer Guide, "Using IAM with DynamoDB transactions"."""
    assert needs("dynamodb", "TransactWriteItems", TransactItems=[{"Put": {"TableName": "t"}}, {"Delete": {"TableName": "u"}}]) == [
        ("dynamodb:PutItem", f"arn:aws:dynamodb:{HERE}:table/t"), ("dynamodb:DeleteItem", f"arn:aws:dynamodb:{HERE}:table/u")]


def test_launching_needs_the_image_the_network_and_the_machine():
    """Amazon EC2 User Guide, "Example policies": RunInstances is asked once for every resource it uses."""
    found = needs("ec2", "RunInstances", ImageId="ami-1", SubnetId="subnet-1", SecurityGroupIds=["sg-1"], KeyName="k")
    assert {action for action, _ in found} == {"ec2:RunInstances"}
    assert {resource for _, resource in found} == {
        "arn:aws:ec2:us-east-1::image/ami-1", f"arn:aws:ec2:{HERE}:instance/*", f"arn:aws:ec2:{HERE}:volume/*",
        f"arn:aws:ec2:{HERE}:network-interface/*", f"arn:aws:ec2:{HERE}:subnet/subnet-1",
        f"arn:aws:ec2:{HERE}:security-group/sg-1", f"arn:aws:ec2:{HERE}:key-pair/k"}


def test_handing_a_role_to_a_service_needs_pass_role():
    """IAM User Guide, "Grant a user permissions to pass a role to an AWS service"."""
    role = "arn:aws:iam::123456789012:role/r"
    found = asked("lambda", "CreateFunction", {"FunctionName": "f", "Role": role})
    assert found[1] == Asked("iam:PassRole", role) and found[1].context == {"iam:PassedToService": "lambda.amazonaws.com"}


@pytest.mark.parametrize("service, operation, parameters, keys", [
    ("ec2", "RunInstances", {"InstanceType": "t3.micro", "TagSpecifications": [{"Tags": [{"Key": "team", "Value": "a"}]}]},
     {"ec2:InstanceType": "t3.micro", "aws:RequestTag/team": "a", "aws:TagKeys": ["team"]}),
    ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "home/", "MaxKeys": 5}, {"s3:prefix": "home/", "s3:max-keys": "5"}),
    ("lambda", "CreateFunction", {"FunctionName": "f", "Tags": {"team": "a"}}, {"aws:RequestTag/team": "a", "aws:TagKeys": ["team"]}),
    ("dynamodb", "GetItem", {"TableName": "t", "Key": {"id": {"S": "ada"}}}, {"dynamodb:LeadingKeys": ["ada"]}),
    ("sqs", "TagQueue", {"QueueUrl": "q", "Tags": {"a": "b"}}, {"aws:RequestTag/a": "b", "aws:TagKeys": ["a"]}),
])
def test_condition_keys_come_from_the_request(service, operation, parameters, keys):
    assert asked(service, operation, parameters)[0].context == keys
