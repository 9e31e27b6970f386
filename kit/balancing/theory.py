"""What queueing theory says a fleet must do: the oracle against which the simulation is held.

Requests come at random (Poisson) at ``rate`` a second; one server works off ``service_rate`` a second on average,
in exponential times unless said otherwise. Times are in seconds.

=============================  ===============================================================================
one queue before all servers   ``erlang_c``, ``mean_wait``: the best that any balancer could reach
each server its own queue      ``mean_wait`` with one server: a blind (random) choice
                               ``round_robin_mean_wait``: taking turns, without looking at the load
                               ``queue_tail``, ``mean_time_in_system``: the less loaded of ``choices`` at random
one server, any service times  ``single_server_mean_wait``: Pollaczek and Khinchine
=============================  ===============================================================================

**Simplified** ``queue_tail`` and ``mean_time_in_system`` are limits for infinitely many servers; a fleet of n is off by
terms of about 1/n. **Not modelled** Least outstanding requests over all servers (join the shortest queue): no closed
form is known beyond two servers; it lies between ``mean_wait`` and power of two choices.

Sources: Erlang's C formula and the M/G/1 formula stand in any textbook of queueing (Kleinrock, "Queueing Systems",
volume 1: M/M/m, M/G/1, G/M/1); Vvedenskaya, Dobrushin and Karpelevich (1996) and Mitzenmacher (1996/2001), "The Power
of Two Choices in Randomized Load Balancing".
"""


def erlang_c(servers: int, load: float) -> float:
    """The probability that a request must wait, M/M/c.

    load: requests in service at once on average, rate / service_rate (in erlangs); below ``servers``.
    """
    _check(load, servers)
    blocking = 1.0  # Erlang B by its recursion, which no factorial makes overflow
    for busy in range(1, servers + 1):
        blocking = load * blocking / (busy + load * blocking)
    utilization = load / servers
    return blocking / (1 - utilization * (1 - blocking))


def mean_wait(rate: float, service_rate: float, servers: int = 1) -> float:
    """Mean time in the queue, before service, M/M/c: one queue, ``servers`` servers."""
    return erlang_c(servers, rate / service_rate) / (servers * service_rate - rate)


def single_server_mean_wait(rate: float, mean_service: float, mean_square_service: float) -> float:
    """Mean time in the queue of one server with any service times, M/G/1: what their spread costs."""
    _check(rate * mean_service, 1)
    return rate * mean_square_service / (2 * (1 - rate * mean_service))


def round_robin_mean_wait(rate: float, service_rate: float, servers: int) -> float:
    """Mean time in the queue when ``servers`` servers with a queue each take turns.

    Each server sees every n-th arrival: gaps with an Erlang distribution, so an E_n/M/1 queue, whose wait follows
    from the root s in (0, 1) of s = (rate / (rate + service_rate (1 - s)))^n.
    """
    _check(rate / service_rate, servers)
    root = 0.0
    for _ in range(10_000):
        root, last = (rate / (rate + service_rate * (1 - root))) ** servers, root
        if abs(root - last) < 1e-14:
            break
    return root / (service_rate * (1 - root))


def queue_tail(utilization: float, length: int, choices: int = 2) -> float:
    """The fraction of servers with at least ``length`` requests, waiting or served (the supermarket model).

    choices = 1 is a blind choice; from 2 on the tail falls doubly exponentially.
    """
    _check(utilization, 1)
    exponent = length if choices == 1 else (choices**length - 1) / (choices - 1)
    return utilization**exponent


def mean_time_in_system(utilization: float, choices: int = 2) -> float:
    """Mean time from arrival to answer, in units of the mean service time (the supermarket model)."""
    total, length = 0.0, 1
    while (tail := queue_tail(utilization, length, choices)) > 1e-15:
        total, length = total + tail, length + 1
    return total / utilization  # Little's law: requests per server, over requests per server and service time


def _check(load, servers):
    if not (servers >= 1 and 0 < load < servers):
        raise ValueError(f"a load of {load:g} on {servers} servers: theory needs one above 0 and below {servers}, "
                         "or the queue grows for ever")
