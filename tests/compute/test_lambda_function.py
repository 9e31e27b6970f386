"""Concurrency, retries and event sources of a function, held to the Lambda guide."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.compute.lambda_function import (Concurrency, check_mapping, check_package, concurrency, deliver, process_batch,
                                         stream_concurrency)
from kit.errors import ServiceError


def refused(call, *arguments, **named):
    with pytest.raises(ServiceError) as caught:
        call(*arguments, **named)
    return caught.value


def admitted(functions, now, name, number):
    """How many of ``number`` calls at once run."""
    return sum(functions.invoke(now, name).admitted for _ in range(number))


# concurrency

def test_the_guides_formula():
    """"Understanding Lambda function scaling": 100 requests a second of half a second each need 50."""
    assert concurrency(100, 0.5) == 50


def test_given_a_thousand_run_then_the_next_is_told_why_not():
    """"Lambda quotas": 1,000 concurrent executions by default. API: TooManyRequestsException, Reason."""
    functions = Concurrency()
    assert admitted(functions, 0, "shop", 1000) == 1000
    outcome = functions.invoke(100, "mail")
    assert not outcome.admitted and outcome.reason == "ConcurrentInvocationLimitExceeded" and "1000" in outcome.because
    functions.finish("shop")
    assert functions.invoke(100, "mail").admitted


def test_a_reserve_keeps_places_and_limits():
    """"Configuring reserved concurrency for a function"."""
    functions = Concurrency()
    functions.put_function_concurrency("shop", 400)
    assert admitted(functions, 0, "mail", 1000) == 600 and admitted(functions, 0, "shop", 1000) == 400
    assert functions.invoke(0, "shop").reason == "ReservedFunctionConcurrentInvocationLimitExceeded"
    functions.delete_function_concurrency("shop")
    assert functions.invoke(100, "shop").reason == "ConcurrentInvocationLimitExceeded"


def test_a_hundred_stay_for_the_others():
    """API: PutFunctionConcurrency: at least 100 stay unreserved."""
    functions = Concurrency()
    functions.put_function_concurrency("shop", 900)
    assert refused(functions.put_function_concurrency, "mail", 1).code == "InvalidParameterValueException"
    functions.put_function_concurrency("shop", 899)
    functions.put_function_concurrency("mail", 1)


def test_a_function_grows_by_a_thousand_each_ten_seconds():
    """"Lambda scaling behavior": 1,000 environments every 10 seconds, for each function by itself, refilled continuously."""
    functions = Concurrency(account=10_000)
    assert admitted(functions, 0, "shop", 5000) == 1000
    outcome = functions.invoke(0, "shop")
    assert outcome.reason == "FunctionInvocationRateLimitExceeded" and "1000" in outcome.because
    assert admitted(functions, 0, "mail", 5000) == 1000  # "each function can scale independently"
    assert admitted(functions, 1, "shop", 5000) == 100 and admitted(functions, 11, "shop", 5000) == 1000


def test_an_environment_that_is_there_is_used_again():
    functions = Concurrency()
    assert functions.invoke(0, "shop").environment == "cold"
    functions.finish("shop")
    assert functions.invoke(1, "shop").environment == "warm" and functions.invoke(1, "shop").environment == "cold"
    assert admitted(functions, 1, "other", 998) == 998


def test_provisioned_environments_come_first_and_count_while_they_rest():
    """"Configuring provisioned concurrency": it counts against the account's and the function's concurrency."""
    functions = Concurrency()
    functions.put_provisioned_concurrency("shop", 300)
    assert admitted(functions, 0, "mail", 1000) == 700  # 300 are taken, though they rest
    assert {functions.invoke(0, "shop").environment for _ in range(300)} == {"provisioned"}
    assert not functions.invoke(0, "shop").admitted
    functions.finish("mail")
    assert functions.invoke(0, "shop").environment == "cold"  # beyond what is provisioned
    functions.finish("shop", "provisioned")
    assert functions.invoke(0, "shop").environment == "provisioned"


def test_no_more_can_be_provisioned_than_is_there():
    functions = Concurrency()
    assert refused(functions.put_provisioned_concurrency, "shop", 901).code == "InvalidParameterValueException"
    functions.put_function_concurrency("shop", 50)
    assert "1 to 50" in refused(functions.put_provisioned_concurrency, "shop", 51).message
    functions.put_provisioned_concurrency("shop", 50)
    assert "reserve at least" in refused(functions.put_function_concurrency, "shop", 49).message
    refused(functions.put_provisioned_concurrency, "shop", 0)


def test_nothing_ends_that_does_not_run():
    functions = Concurrency()
    functions.put_provisioned_concurrency("shop", 1)
    functions.invoke(0, "shop")
    for environment in ("warm", "cold"):
        with pytest.raises(ValueError, match="an on-demand environment"):
            functions.finish("shop", environment)
    functions.finish("shop", "provisioned")
    with pytest.raises(ValueError, match="a provisioned environment"):
        functions.finish("shop", "provisioned")


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["invoke", "finish", "reserve", "provision"]), st.integers(0, 60)),
                max_size=60))
def test_whatever_happens_no_limit_is_exceeded(story):
    functions, ran, now = Concurrency(account=160), {"a": [], "b": [], "c": []}, 0.0
    for name, what, number in story:
        now += number / 10
        if what == "invoke":
            for _ in range(number):
                outcome = functions.invoke(now, name)
                assert outcome.admitted != bool(outcome.reason) and outcome.because
                if outcome.admitted:
                    ran[name].append(outcome.environment)
                    limit = functions.reserved.get(name)
                    assert limit is None or len(ran[name]) <= limit
        elif what == "finish" and ran[name]:
            functions.finish(name, ran[name].pop(number % len(ran[name])))
        elif what in ("reserve", "provision") and not any(ran.values()):
            try:
                (functions.put_function_concurrency if what == "reserve" else functions.put_provisioned_concurrency)(name, number)
            except ServiceError as error:
                assert error.code == "InvalidParameterValueException"
        assert sum(map(len, ran.values())) <= 160 and {n: len(r) for n, r in ran.items() if r} == {n: r for n, r in functions.running.items() if r}
        assert sum(functions.reserved.values()) <= 60


# packages: "Lambda quotas"

def test_package_sizes():
    mega = 1024 * 1024
    check_package(zipped=50 * mega, unzipped=250 * mega, layers=5)
    check_package(zipped=51 * mega, from_s3=True)
    assert refused(check_package, zipped=50 * mega + 1).code == "RequestEntityTooLargeException"
    assert "262144000" in refused(check_package, unzipped=250 * mega + 1).message
    refused(check_package, layers=6)


# asynchronous events: "How Lambda handles errors and retries with asynchronous invocation"

def test_a_failing_event_is_tried_after_one_and_after_two_minutes_more():
    table = deliver(["error"])
    assert table["time"] == [0, 60, 180, 180] and table["outcome"] == ["error", "error", "error", "given up"]
    assert "RetriesExhausted" in table["because"][-1]
    assert deliver(["error", "ok"])["time"] == [0, 60] and deliver(["error"], MaximumRetryAttempts=0)["time"] == [0, 0]


def test_a_throttled_event_is_tried_ever_more_rarely_for_six_hours():
    """From one second, doubling, up to five minutes, for up to 6 hours; errors' retries are not used up."""
    table = deliver(["throttle"])
    gaps = [after - before for before, after in zip(table["time"], table["time"][1:])]
    assert gaps[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300] and set(gaps[10:-1]) == {300}
    assert table["time"][-1] == 6 * 3600 and "EventAgeExceeded" in table["because"][-1]
    assert deliver(["throttle"] * 5 + ["error"] * 2 + ["ok"])["outcome"][-1] == "done"


def test_an_event_may_get_too_old_before_its_retries_are_used():
    table = deliver(["error"], MaximumEventAgeInSeconds=90)
    assert table["outcome"] == ["error", "error", "given up"] and table["time"][-1] == 90


@pytest.mark.parametrize("wrong", [{"MaximumRetryAttempts": 3}, {"MaximumEventAgeInSeconds": 59}, {"MaximumEventAgeInSeconds": 21_601}])
def test_what_aws_does_not_allow_is_refused(wrong):
    assert refused(deliver, ["ok"], **wrong).code == "InvalidParameterValueException"


@pytest.mark.parametrize("outcomes", [[], ["fine"]])
def test_outcomes_that_are_none_are_refused_in_words(outcomes):
    with pytest.raises(ValueError, match="give what each try"):
        deliver(outcomes)


# event sources

@pytest.mark.parametrize("wrong", [
    {"source": "sqs", "BatchSize": 11}, {"source": "sqs", "BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1}, {"source": "sqs", "BatchSize": 0},
    {"source": "sqs-fifo", "BatchSize": 11}, {"source": "sqs-fifo", "MaximumBatchingWindowInSeconds": 1},
    {"source": "sqs", "MaximumBatchingWindowInSeconds": 301}, {"source": "sqs", "VisibilityTimeout": 30, "Timeout": 31},
    {"source": "sqs", "ParallelizationFactor": 2}, {"source": "kinesis", "ParallelizationFactor": 11},
    {"source": "sqs", "MaximumConcurrency": 1}, {"source": "sqs", "MaximumConcurrency": 1001}, {"source": "kinesis", "MaximumConcurrency": 5}])
def test_a_mapping_that_aws_refuses(wrong):
    """"Lambda parameters for Amazon SQS event source mappings"; API: CreateEventSourceMapping."""
    assert refused(check_mapping, **wrong).code == "InvalidParameterValueException"


def test_a_mapping_that_is_well_and_one_that_is_unwise():
    """"Creating and configuring an Amazon SQS event source mapping": at least six times the function's timeout."""
    assert check_mapping("sqs", Timeout=5, VisibilityTimeout=30) == check_mapping("kinesis", BatchSize=10_000, ParallelizationFactor=10) == []
    assert check_mapping("sqs", BatchSize=10_000, MaximumBatchingWindowInSeconds=300, VisibilityTimeout=318) == []
    (advice,) = check_mapping("sqs", Timeout=6, VisibilityTimeout=30)
    assert "36 s" in advice
    with pytest.raises(ValueError, match="there are sqs"):
        check_mapping("mail")


def test_a_shard_is_read_by_as_many_as_the_factor_says():
    assert stream_concurrency(4) == 4 and stream_concurrency(4, 10) == 40


# streams: API: CreateEventSourceMapping, BisectBatchOnFunctionError, MaximumRetryAttempts, ReportBatchItemFailures

def test_without_help_the_good_go_down_with_the_bad():
    table = process_batch(range(8), bad={5})
    assert table["batch"] == [tuple(range(8))] * 3 and table["discarded"][-1] == tuple(range(8))


def test_bisecting_a_batch_of_eight():
    """By hand: 8, then 4 good, 4, then 2, then the bad one alone: three tries; its neighbour; the other 2."""
    table = process_batch(range(8), bad={5}, bisect=True)
    assert table["batch"] == [tuple(range(8)), (0, 1, 2, 3), (4, 5, 6, 7), (4, 5), (4,), (5,), (5,), (5,), (6, 7)]
    assert [one for one in table["discarded"] if one] == [(5,)]


@pytest.mark.parametrize("power", [0, 1, 4, 8])
def test_bisecting_takes_as_many_calls_as_the_closed_form(power):
    """One bad among 2^k: k failing splits, k good halves, and the tries of the bad one."""
    assert len(process_batch(range(2 ** power), bad={0}, bisect=True, MaximumRetryAttempts=2)) == 2 * power + 3


def test_reporting_failures_does_not_do_again_what_is_done():
    table = process_batch(range(8), bad={5}, partial=True)
    assert table["batch"][0] == tuple(range(8)) and set(table["batch"][1:]) == {(5, 6, 7)} and table["discarded"][-1] == (5, 6, 7)
    both = process_batch(range(8), bad={5}, partial=True, bisect=True)
    assert [one for one in both["discarded"] if one] == [(5,)] and len(both) < len(process_batch(range(8), bad={5}, bisect=True))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(1, 40), st.sets(st.integers(0, 39), max_size=6), st.booleans(), st.booleans(), st.integers(0, 3))
def test_every_record_is_done_or_discarded_and_bisecting_loses_only_the_bad(size, bad, bisect, partial, retries):
    table = process_batch(range(size), bad, bisect, partial, retries)
    lost = [record for gone in table["discarded"] for record in gone]
    assert len(lost) == len(set(lost)) and bad & set(range(size)) <= set(lost)
    if bisect:
        assert set(lost) == bad & set(range(size))
    done = {record for batch, outcome in zip(table["batch"], table["outcome"]) if outcome == "ok" for record in batch}
    if not partial:
        assert done | set(lost) == set(range(size)) and not done & set(lost)


def test_endless_retries_block_the_shard():
    with pytest.raises(ValueError, match="blocks its shard"):
        process_batch([1], MaximumRetryAttempts=-1)
