"""The console lists what boto3 lists, says what it costs, and leaves no trace of its own."""

import asyncio
import re

import pytest

from kit.lab import console as consoles



@pytest.fixture
def console(sandbox):
    console = sandbox.console()
    console.refresh()
    return console


def listed(console, service):
    console.refresh()
    return [row["id"] for row in console.rows if row["service"] == service]


def test_given_nothing_then_it_says_how_to_begin(console):
    assert not console.rows and "Nothing here yet" in console.text and "create_queue" in console.text


def test_given_things_in_two_regions_then_each_is_listed_where_it_is(sandbox, console):
    for region in ("us-east-1", "eu-west-1"):
        sandbox.client("sqs", region_name=region).create_queue(QueueName=f"orders-{region}")
    console.refresh()
    assert [(row["id"], row["region"]) for row in console.rows] == [
        ("orders-eu-west-1", "eu-west-1"), ("orders-us-east-1", "us-east-1")]
    assert console.choose(region="eu-west-1").text.count("orders") == 1


def test_given_servers_that_run_then_their_cost_an_hour_is_that_of_the_bill(sandbox, console):
    sandbox.client("ec2").run_instances(ImageId="ami-03cf127a", InstanceType="t3.micro", MinCount=1, MaxCount=2)
    sandbox.clock.advance(minutes=1)
    console.refresh()
    assert [row["state"] for row in console.rows if row["what"] == "instance"] == ["running", "running"]
    together = sum(row["cost"] for row in console.rows) + console._other
    assert together == pytest.approx(sandbox.bill().an_hour) and together > 0


def test_given_ended_servers_and_deleted_queues_then_they_are_gone(sandbox, console):
    ec2, sqs = sandbox.client("ec2"), sandbox.client("sqs")
    server = ec2.run_instances(ImageId="ami-03cf127a", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    assert listed(console, "sqs") == ["orders"] and server in listed(console, "ec2")
    ec2.terminate_instances(InstanceIds=[server])
    sandbox.clock.advance(minutes=2)
    sqs.delete_queue(QueueUrl=queue)
    assert listed(console, "sqs") == [] and server not in listed(console, "ec2")


def test_given_a_listing_then_nobody_else_notices(sandbox, console):
    """No call, no bill, no id drawn: the same story with and without a console is the same to the letter."""
    def story(look):
        sandbox.reset(seed=3)
        ids = []
        for name in "ab":
            ids.append(sandbox.client("ec2").create_key_pair(KeyName=name)["KeyPairId"])
            ids.append(sandbox.client("sqs").create_queue(QueueName=name)["QueueUrl"])
            if look:
                sandbox.console().refresh()
        return ids, len(sandbox.life.calls), repr(sandbox.bill())
    assert story(look=True) == story(look=False)


def test_given_a_service_that_cannot_be_listed_then_the_rest_is_and_the_trouble_is_told(sandbox, console, monkeypatch):
    sandbox.client("sqs").create_queue(QueueName="orders")
    sandbox.client("sns").create_topic(Name="news")
    monkeypatch.setitem(consoles.kinds()["sns"], "kinds", [{"what": "topic", "operation": "list_tags_for_resource",
                                                            "call": {"ResourceArn": "arn:aws:sns:us-east-1:1:no"},
                                                            "rows": "Tags[].{id: Key}"}])
    text = console.text
    assert "orders" in text and "topics could not be listed" in text


def test_given_a_choice_that_is_not_there_then_the_message_names_those_that_are(sandbox, console):
    sandbox.client("sqs").create_queue(QueueName="orders")
    with pytest.raises(ValueError, match="no service 'lambda'; there is sqs"):
        console.choose(service="lambda")
    with pytest.raises(ValueError, match="no region 'mars-1'; there is us-east-1"):
        console.choose(region="mars-1")


def test_given_more_than_fits_then_it_says_so(sandbox, console, monkeypatch):
    monkeypatch.setattr(consoles, "MOST", 2)
    for name in "abc":
        sandbox.client("sqs").create_queue(QueueName=name)
    assert "The first 2 of 3 are shown." in console.text and len(console.page["rows"]) == 2


def test_given_somebody_looks_then_it_lists_again_after_calls_and_after_time_has_passed(sandbox):
    async def look():
        console = sandbox.console()
        console.views = 1
        await asyncio.sleep(3 * consoles.PAUSE)
        ec2 = sandbox.client("ec2")
        ec2.run_instances(ImageId="ami-03cf127a", MinCount=1, MaxCount=1)
        await asyncio.sleep(3 * consoles.PAUSE)
        pending = [row["state"] for row in console.rows if row["what"] == "instance"]
        sandbox.clock.advance(minutes=1)
        await asyncio.sleep(3 * consoles.PAUSE)
        running = [row["state"] for row in console.rows if row["what"] == "instance"]
        console.views = 0
        sandbox.client("sqs").create_queue(QueueName="unseen")
        await asyncio.sleep(3 * consoles.PAUSE)
        return pending, running, console.rows
    pending, running, rows = asyncio.run(look())
    assert (pending, running) == (["pending"], ["running"])
    assert not [row for row in rows if row["id"] == "unseen"]


def test_given_a_reset_then_it_begins_anew(sandbox, console):
    sandbox.client("sqs").create_queue(QueueName="orders")
    assert listed(console, "sqs") == ["orders"]
    sandbox.reset()
    assert listed(console, "sqs") == []


@pytest.mark.parametrize("amount, said", [(0, "$0.00"), (1234.5, "$1,234.50"), (0.0104, "$0.0104"),
                                          (0.000137, "$0.000137")])
def test_given_small_prices_then_they_do_not_vanish(amount, said):
    assert consoles.dollars(amount) == said


def test_every_kind_of_the_table_can_be_listed_in_an_empty_sandbox(sandbox):
    """A misspelt operation, argument or path would be a trouble that no learner can mend."""
    for service, entry in consoles.kinds().items():
        client = sandbox.client(service)
        for kind in entry["kinds"]:
            assert isinstance(consoles._things(client, kind), list), (service, kind["what"])
            assert re.fullmatch(r"[\w\- ]+", kind["what"])
