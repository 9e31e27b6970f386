"""What a function costs: requests and gigabyte-seconds; and where a server becomes cheaper.

    month(requests=1e6, seconds=0.2, memory_mb=512)     # dollars, the free tier taken off
    curve(cpu_seconds=1.5, waiting=0.3)                 # memory against time and cost
    cheapest(cpu_seconds=1.5, waiting=0.3)              # the memory where the curve is lowest
    crossing(seconds=0.2, memory_mb=512, server=7.59)   # requests a month from which on a server is cheaper

More memory brings more processor: a whole vCPU at 1,769 MB, in proportion below and above. So a function that computes
gets faster with memory, up to as many threads as it has, and may even get cheaper; one that waits for others only gets
dearer.

**Simplified** x86, US East (N. Virginia), the first price tier. One thread: above 1,769 MB it gets no faster. Time is
billed by the millisecond, the start of a cold environment included (as AWS does since August 2025).

**Not modelled** Arm (about a fifth cheaper), the discount that very large use gets, storage beyond 512 MB; with
provisioned concurrency AWS charges less for the time that runs on it, and gives no free tier: here that time costs
what other time costs.

AWS Lambda Developer Guide, "Configure Lambda function memory", "Lambda quotas"; "AWS Lambda Pricing": requests and the
free tier as on a stored copy of that page, a GB-second there as $0.00001667. Its last digits and provisioned
concurrency are those of AWS's price list with its rate codes, as a public repository has it (kit/lab/prices.yaml).
Read 2026-11-28.
"""

from math import ceil

from kit.sim import Records

REQUEST, GB_SECOND = 0.20e-6, 0.0000166667  # $
FREE_REQUESTS, FREE_GB_SECONDS = 1_000_000, 400_000  # a month
WHOLE_VCPU = 1769  # MB ("Configure Lambda function memory")
PROVISIONED_GB_SECOND = 0.0000041667  # $ of provisioned concurrency, used or not
MONTH = 730 * 3600.0  # s


def duration(memory_mb: int, cpu_seconds: float, waiting: float = 0.0) -> float:
    """Seconds of one invocation: computing that takes ``cpu_seconds`` on a whole vCPU, and waiting that takes what it
    takes.
    """
    return cpu_seconds / min(1.0, memory_mb / WHOLE_VCPU) + waiting


def month(requests: float, seconds: float, memory_mb: int, free: bool = True, provisioned: int = 0) -> float:
    """Dollars a month for so many requests of so many seconds each."""
    billed = ceil(1000 * seconds - 1e-9) / 1000
    used = requests * billed * memory_mb / 1024
    paid = max(0.0, requests - FREE_REQUESTS * free) * REQUEST + max(0.0, used - FREE_GB_SECONDS * free) * GB_SECOND
    return paid + provisioned * memory_mb / 1024 * MONTH * PROVISIONED_GB_SECOND


def curve(cpu_seconds: float = 1.5, waiting: float = 0.3, requests: float = 1e6) -> Records:
    """memory (MB), seconds and dollars a month, from 128 MB to 3,072 MB; without the free tier."""
    table = Records("memory", "seconds", "dollars")
    for memory in range(128, 3073, 64):
        seconds = duration(memory, cpu_seconds, waiting)
        table.append(memory, seconds, month(requests, seconds, memory, free=False))
    return table


def cheapest(cpu_seconds: float = 1.5, waiting: float = 0.3, slowest: float = 900.0) -> int:
    """The memory (MB, 128 to 10,240) with the least GB-seconds, of those that answer within ``slowest`` seconds."""
    found = [memory for memory in range(128, 10_241) if duration(memory, cpu_seconds, waiting) <= slowest]
    if not found:
        raise ValueError(f"with no memory does it answer within {slowest} s: "
                         f"it takes {duration(WHOLE_VCPU, cpu_seconds, waiting):g} s at best")
    return min(found, key=lambda memory: (round(duration(memory, cpu_seconds, waiting) * memory, 6), memory))


def crossing(seconds: float, memory_mb: int, server: float, servers: int = 1, free: bool = True) -> float:
    """Requests a month from which on ``servers`` servers at ``server`` dollars each cost less than the function."""
    low, high = 0.0, 1e13
    if month(high, seconds, memory_mb, free) <= servers * server:
        return float("inf")
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if month(middle, seconds, memory_mb, free) <= servers * server else (low, middle)
    return high


def against_server(seconds: float = 0.2, memory_mb: int = 512, server: float = 7.59, most: float = 20e6) -> Records:
    """Requests a month, and dollars for the function and for one server, which costs the same however many come."""
    table = Records("requests", "function", "server")
    for step in range(101):
        requests = most * step / 100
        table.append(requests, month(requests, seconds, memory_mb), server)
    return table
