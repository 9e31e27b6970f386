"""What the stories of messages and events share."""

import json

import pytest

ACCOUNT = "123456789012"


class Stage:
    """Queues, roles and rules of a sandbox in a line each."""

    account = ACCOUNT

    def __init__(self, sandbox):
        self.sandbox = sandbox

    def queue(self, name, open_to=None, **attributes):
        """URL and ARN of a queue whose policy lets one service in, or none."""
        arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
        if open_to:
            attributes["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"Service": open_to}, "Action": "sqs:SendMessage", "Resource": arn}]})
        return self.sandbox.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"], arn

    def received(self, url):
        """The bodies that lie in a queue, as what they are in JSON."""
        return [json.loads(one["Body"]) for one in self._messages(url)]

    def letters(self, url):
        """Their message attributes."""
        return [{name: one["StringValue"] for name, one in message["MessageAttributes"].items()} for message in self._messages(url)]

    def role(self, service, *actions, name="r"):
        """A role that a service may assume and that may do these actions on everything."""
        iam = self.sandbox.client("iam")
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        if actions:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}))
        return arn

    def rule(self, arn, target=None, **what):
        """The rule r with one target. Returns the client."""
        events = self.sandbox.client("events")
        events.put_rule(Name="r", **what)
        events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn, **(target or {})}])
        return events

    def order(self, **detail):
        """An event of the shop."""
        return self.sandbox.client("events").put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": json.dumps(detail)}])

    def machine(self):
        """A state machine that is done at once."""
        definition = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
        return self.sandbox.client("stepfunctions").create_state_machine(
            name="m", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/m")["stateMachineArn"]

    def _messages(self, url):
        return self.sandbox.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]).get("Messages", [])


@pytest.fixture
def stage(sandbox):
    return Stage(sandbox)
