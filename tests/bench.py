"""make bench: the kit's speed, one figure a line (name value unit), everything compared in one run.

Seconds of a shared machine wander; ratios taken in turn in one process hold.
"""

import os
import random
import statistics
import subprocess
import sys
import time
from collections import deque
from contextlib import redirect_stdout

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "notebooks")
LESSONS = sorted(name for name in os.listdir(FOLDER) if name.endswith(".ipynb"))
ARRIVAL_RATE, SERVICE_RATE, SERVERS, CUSTOMERS, SEED = 1.6, 1.0, 2, 40_000, 1


def show(name: str, value: float, unit: str) -> None:
    print(f"{name} {value:.4g} {unit}", flush=True)


# ------------------------------------------------------------------ the same M/M/2 on three engines
# kit and SimPy draw the same gaps and services in the same order: the same mean wait, to the last digit but rounding


def on_kit() -> float:
    from kit.sim import Clock
    clock, gaps, services, queue = Clock(), random.Random(SEED), random.Random(SEED + 1), deque()
    busy, waited, left = 0, 0.0, CUSTOMERS

    def arrive():
        nonlocal busy, left
        if busy < SERVERS:
            busy += 1
            clock.after(services.expovariate(SERVICE_RATE), leave)
        else:
            queue.append(clock.now)
        left -= 1
        if left:
            clock.after(gaps.expovariate(ARRIVAL_RATE), arrive)

    def leave():
        nonlocal busy, waited
        if queue:
            waited += clock.now - queue.popleft()
            clock.after(services.expovariate(SERVICE_RATE), leave)
        else:
            busy -= 1

    clock.after(gaps.expovariate(ARRIVAL_RATE), arrive)
    clock.run()
    return waited / CUSTOMERS


def on_simpy() -> float:
    import simpy
    env, gaps, services, waited = simpy.Environment(), random.Random(SEED), random.Random(SEED + 1), 0.0
    servers = simpy.Resource(env, capacity=SERVERS)

    def customer():
        nonlocal waited
        came = env.now
        with servers.request() as turn:
            yield turn
            waited += env.now - came
            yield env.timeout(services.expovariate(SERVICE_RATE))

    def source():
        for _ in range(CUSTOMERS):
            yield env.timeout(gaps.expovariate(ARRIVAL_RATE))
            env.process(customer())

    env.process(source())
    env.run()
    return waited / CUSTOMERS


def on_ciw() -> float:
    import ciw
    ciw.seed(SEED)
    network = ciw.create_network(arrival_distributions=[ciw.dists.Exponential(ARRIVAL_RATE)],
                                 service_distributions=[ciw.dists.Exponential(SERVICE_RATE)],
                                 number_of_servers=[SERVERS])
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(CUSTOMERS)
    waits = [record.waiting_time for record in simulation.get_all_records()]
    return sum(waits) / len(waits)


def engines() -> None:
    rates, waits = {}, {}
    for _ in range(5):
        for name, run in (("kit", on_kit), ("simpy", on_simpy), ("ciw", on_ciw)):
            began = time.perf_counter()
            waits[name] = run()
            rates.setdefault(name, []).append(CUSTOMERS / (time.perf_counter() - began))
    for name in rates:
        show(f"mm2_{name}", statistics.median(rates[name]), "customers/s")
        show(f"mm2_{name}_mean_wait", waits[name], "s")
    rho = ARRIVAL_RATE / SERVERS / SERVICE_RATE
    show("mm2_theory_mean_wait", rho**2 / (1 - rho**2) / SERVICE_RATE, "s")  # Erlang C for two servers
    show("mm2_kit_over_simpy", statistics.median(a / b for a, b in zip(rates["kit"], rates["simpy"])), "times")


# ------------------------------------------------------------------ budgets of fresh processes


def fresh(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def seconds(statement: str, before: str = "") -> float:
    code = f"import time\n{before}\nbegan = time.perf_counter()\n{statement}\nprint(time.perf_counter() - began)"
    return statistics.median(float(fresh(code)) for _ in range(5))


def budgets() -> None:
    for module in ("kit", "kit.identity.iam", "kit.balancing.fleet", "kit.integration.messaging"):
        show(f"import_{module.rpartition('.')[2]}", 1000 * seconds(f"import {module}"), "ms (budget 150)")
    show("lab_start_and_first_sqs_call",
         seconds("sandbox = lab.start(); sandbox.client('sqs').create_queue(QueueName='q')", "from kit import lab"),
         "s (budget 1)")


def living_lab() -> None:
    """A call through the living lab beside plain moto in turn; a day, a year, a function."""
    import io
    import json
    import zipfile

    from kit import lab
    sandbox = lab.start()
    from moto.core.botocore_stubber import BotocoreStubber
    living, plain = BotocoreStubber.process_request, BotocoreStubber.process_request.__closure__
    plain = next(cell.cell_contents for cell in plain if getattr(cell.cell_contents, "__name__", "") == "process_request")
    for service, call in (("sqs", lambda client: client.send_message(QueueUrl=url, MessageBody="x")),
                          ("s3", lambda client: client.put_object(Bucket="bench", Key="k", Body=b"x"))):
        sandbox.reset(seed=1)
        client, other = sandbox.client(service), sandbox.client(service)
        other.in_sandbox = False  # its calls pass the lab by
        url = sandbox.client("sqs").create_queue(QueueName="q")["QueueUrl"]
        sandbox.client("s3").create_bucket(Bucket="bench")
        times = {living: [], plain: []}
        for _ in range(300):
            for stub, using in ((living, client), (plain, other)):
                BotocoreStubber.process_request = stub
                began = time.perf_counter()
                call(using)
                times[stub].append(time.perf_counter() - began)
        BotocoreStubber.process_request = living
        show(f"call_{service}_living_to_plain", statistics.median(times[living]) / statistics.median(times[plain]), "times (budget 1.5)")

    sandbox.reset(seed=1)
    role = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    arn = sandbox.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(role))["Role"]["Arn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return event")
    functions = sandbox.client("lambda")
    for number in range(4):
        functions.create_function(FunctionName=f"f{number}", Runtime="python3.13", Role=arn, Handler="app.handler", Code={"ZipFile": package.getvalue()})

    def invoke(number):
        began = time.perf_counter()
        functions.invoke(FunctionName=f"f{number}", Payload=b"{}")
        return 1000 * (time.perf_counter() - began)
    show("invoke_first_ever", invoke(0), "ms")
    show("invoke_cold", statistics.median(invoke(number) for number in (1, 2, 3)), "ms (budget 400)")
    show("invoke_warm", statistics.median(invoke(1) for _ in range(50)), "ms (budget 20)")

    sandbox.reset(seed=1)
    ec2, scaling = sandbox.client("ec2"), sandbox.client("autoscaling")
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-03cf127a", "InstanceType": "t3.micro", "Monitoring": {"Enabled": True}})
    scaling.create_auto_scaling_group(AutoScalingGroupName="web", MinSize=1, MaxSize=8, LaunchTemplate={"LaunchTemplateName": "web"}, AvailabilityZones=["us-east-1a"])
    step = {"AutoScalingGroupName": "web", "PolicyType": "StepScaling", "AdjustmentType": "ChangeInCapacity"}
    arn = scaling.put_scaling_policy(PolicyName="out", StepAdjustments=[{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}], **step)["PolicyARN"]
    sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName="busy", Namespace="AWS/EC2", MetricName="CPUUtilization", Dimensions=[{"Name": "AutoScalingGroupName", "Value": "web"}], Statistic="Average",
        Period=60, EvaluationPeriods=2, Threshold=60, ComparisonOperator="GreaterThanThreshold", AlarmActions=[arn])
    sandbox.set_load("web", {"low": 0.4, "high": 4, "peak_hour": 13})
    began = time.perf_counter()
    sandbox.clock.advance(days=1)
    show("day_of_a_group", time.perf_counter() - began, "s (budget 1)")

    sandbox.reset(seed=1)
    for number in range(4):
        sandbox.client("sqs").create_queue(QueueName=f"q{number}")
    sandbox.client("ec2").run_instances(ImageId="ami-03cf127a", InstanceType="t3.micro", MinCount=4, MaxCount=4)
    for number in range(2):
        sandbox.client("cloudwatch").put_metric_alarm(
            AlarmName=f"deep{number}", Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible", Dimensions=[{"Name": "QueueName", "Value": f"q{number}"}],
            Statistic="Average", Period=60, EvaluationPeriods=2, Threshold=60, ComparisonOperator="GreaterThanThreshold")
    began = time.perf_counter()
    sandbox.clock.advance(days=365)
    show("year_of_ten_resources", time.perf_counter() - began, "s (budget 2)")  # which nobody uses: nothing is due

    sandbox.reset(seed=1)
    a_busy_account(sandbox, package.getvalue())
    began = time.perf_counter()
    sandbox.clock.advance(days=7)
    show("week_of_a_busy_account", time.perf_counter() - began, "s")  # a group under a day's load, a rule, a function

    sandbox.reset(seed=1)
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="bench")
    for number in range(10_000):
        s3.put_object(Bucket="bench", Key=f"logs/{number}", Body=b"x" * 200_000)
        if number % 100 == 99:
            sandbox.clock.advance(hours=7)
    s3.put_bucket_lifecycle_configuration(Bucket="bench", LifecycleConfiguration={"Rules": [
        {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 200},
         "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "GLACIER"}]}]})
    began = time.perf_counter()
    sandbox.clock.advance(days=365)
    show("lifecycle_year_of_10000_objects_in_the_sandbox", time.perf_counter() - began, "s (budget 2)")
    sandbox.stop()


def a_busy_account(sandbox, package) -> None:
    """Ten things that live: a group of servers with its policy and alarms, a rule each hour, a queue, a function."""
    import json
    ec2, scaling, events, sqs = (sandbox.client(name) for name in ("ec2", "autoscaling", "events", "sqs"))
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-03cf127a", "InstanceType": "t3.micro"})
    scaling.create_auto_scaling_group(AutoScalingGroupName="web", MinSize=1, MaxSize=8, LaunchTemplate={"LaunchTemplateName": "web"},
                                      AvailabilityZones=["us-east-1a", "us-east-1b"])
    scaling.put_scaling_policy(AutoScalingGroupName="web", PolicyName="cpu", PolicyType="TargetTrackingScaling", TargetTrackingConfiguration={
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": 50})
    sandbox.set_load("web", {"low": 0.4, "high": 4, "peak_hour": 13})
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue}]})})
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = sandbox.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    functions = sandbox.client("lambda")
    function = functions.create_function(FunctionName="f", Runtime="python3.13", Role=role, Handler="app.handler", Code={"ZipFile": package})["FunctionArn"]
    rule = events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")["RuleArn"]
    functions.add_permission(FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", Principal="events.amazonaws.com", SourceArn=rule)
    events.put_targets(Rule="hourly", Targets=[{"Id": "q", "Arn": queue}, {"Id": "f", "Arn": function}])
    sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName="deep", Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible", Dimensions=[{"Name": "QueueName", "Value": "q"}],
        Statistic="Maximum", Period=300, EvaluationPeriods=1, Threshold=1000, ComparisonOperator="GreaterThanThreshold")


def lifecycles() -> None:
    """A year of a bucket, each of its objects by itself."""
    from kit.storage.lifecycle_year import object_by_object, simulate
    for name, run in (("lifecycle_year_of_10000_objects", lambda: object_by_object(objects=10_000, days=365)),
                      ("lifecycle_of_a_million_objects", lambda: simulate(objects=1_000_000))):
        began = time.perf_counter()
        run()
        show(name, time.perf_counter() - began, "s (budget 2)")


def metrics() -> None:
    """Reading an hour of minutes out of three days, as an alarm does."""
    from kit.monitoring.metrics import MetricStore
    store, end = MetricStore(), 3 * 86_400
    for minute in range(3 * 1440):
        store.record("AWS/EC2", "CPUUtilization", [], minute % 7, now=minute * 60)
    times = []
    for _ in range(50):
        began = time.perf_counter()
        store.statistics("AWS/EC2", "CPUUtilization", [], end - 3600, end, 60, "Average")
        times.append(time.perf_counter() - began)
    show("read_an_hour_of_metrics", 1000 * statistics.median(times), "ms")


def explorers() -> None:
    """Model and view together, of every explorer of every lesson as it opens: the median of 20."""
    import json

    import kit.explore
    opened, explore = [], kit.explore.explore

    def collect(*arguments, **named):
        opened.append(explore(*arguments, **named))
        return opened[-1]

    kit.explore.explore = collect
    for lesson in LESSONS:
        names = {"__name__": "__main__"}
        with open(os.path.join(FOLDER, lesson), encoding="utf-8") as file, redirect_stdout(None):
            for cell in json.load(file)["cells"]:
                if cell["cell_type"] == "code":
                    exec("".join(cell["source"]), names)
        for number, explorer in enumerate(opened, 1):
            times = [explorer.set().timings["total"] for _ in range(20)]
            name = f"{lesson[:2]}_{number}_{explorer.code.partition('(')[0].rpartition('.')[2]}"
            show(f"explore_{name}", 1000 * statistics.median(times), "ms (budget 50)")
        opened.clear()


def lessons() -> None:
    """The memory of a kernel after each whole lesson."""
    code = """
import asyncio, os, sys, nbformat, psutil
from nbclient import NotebookClient
async def main(path):
    client = NotebookClient(nbformat.read(path, as_version=4), timeout=300, resources={"metadata": {"path": os.path.dirname(path)}})
    async with client.async_setup_kernel():
        for index, cell in enumerate(client.nb.cells):
            await client.async_execute_cell(cell, index)
        print(psutil.Process(client.km.provisioner.pid).memory_info().rss / 1e6)
asyncio.run(main(sys.argv[1]))
"""
    for lesson in LESSONS:
        done = subprocess.run([sys.executable, "-c", code, os.path.join(FOLDER, lesson)], capture_output=True, text=True,
                              check=True)
        show(f"kernel_after_{lesson.removesuffix('.ipynb')}", float(done.stdout.splitlines()[-1]), "MB (budget 350)")


if __name__ == "__main__":
    for part in (engines, budgets, living_lab, metrics, lifecycles, explorers, lessons):
        part()
