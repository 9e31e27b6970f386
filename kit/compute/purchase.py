"""Ways to pay for the same server: by the second, for years ahead, for the whole host, or for what nobody else wants
just now.

    cost("on-demand", hours_a_month=200)                                # dollars a month
    break_even("savings plan")                                          # from which part of the time on it pays
    reservation(0.096, "standard", years=3, payment="All Upfront")      # what is paid when
    spot_job(work_hours=8, interruptions_a_day=3)                       # notices, and what they cost

- *On-Demand*: for what runs, by the second. The full price, and no promise.
- *Savings Plan* or *Reserved*: a promise for one or three years. Cheaper for each hour, and paid for every hour.
- *Capacity Reservation*: a place kept free. The full price for every hour, used or not; no promise of years.
- *Dedicated Host*: a whole machine. Its price for every hour it is yours, however many servers are on it.
- *Spot*: what AWS has left over. Far cheaper, and taken back two minutes after a notice.

**Simplified** The discounts are the ones given here, not your contract's: AWS says "up to 72 %" for Savings Plans and
Reserved Instances and "up to 90 %" for Spot, and the real ones differ by type, Region and term. A Spot price moves as a
random walk around its mean; AWS's moves "gradually, based on long-term trends". A host is kept for the whole month.
**Not modelled** Size flexibility, exchanging convertible reservations, the Reserved Instance Marketplace, taxes.

Amazon EC2 User Guide, "Amazon EC2 billing and purchasing options", "Capacity Reservation pricing and billing", "Spot
Instance interruptions", "Spot Instance interruption notices" (two minutes); AWS whitepaper "Amazon EC2 Reserved
Instances and Other AWS Reservation Models", "Reserved Instances payment options". Read 2026-11-23.
"""

from dataclasses import dataclass
from random import Random

from kit.sim import Records

MONTH = 730.0  # hours
DISCOUNTS = {  # of the On-Demand price: of the kind AWS calls typical, not quoted from a price list
    "on-demand": 0.0, "savings plan": 0.40, "reserved": 0.37, "capacity reservation": 0.0, "dedicated host": 0.0,
             "spot": 0.65}
EVERY_HOUR = ("savings plan", "reserved", "capacity reservation", "dedicated host")  # paid whether it is used or not
PRICE_LIST = "AWS's price list of 2026-01-19 as aws/karpenter-provider-aws has it"  # see kit/lab/prices.yaml
PRICES = {  # type: $ an hour On-Demand, Linux, US East (N. Virginia); where it was read on 2026-11-28
    "m5.large": (0.096, f"{PRICE_LIST}; so says the Amazon EC2 User Guide, Unlimited mode concepts"),
    "t3.large": (0.0832, f"{PRICE_LIST}; the User Guide's example has 0.0835"),
    "t3.micro": (0.0104, PRICE_LIST), "m7g.large": (0.0816, PRICE_LIST)}
RESERVED = {  # (offering, years): discount with No Upfront; illustrative, below AWS's "up to 72 %", convertible 66 %
    ("standard", 1): 0.37, ("standard", 3): 0.57, ("convertible", 1): 0.27, ("convertible", 3): 0.50}
UPFRONT = {"No Upfront": (0.0, 0.0), "Partial Upfront": (0.5, 0.03),
           "All Upfront": (1.0, 0.04)}  # part paid at once; discount more
NOTICE = 120  # s between the notice and the end


def cost(option: str, hours_a_month: float, price: float = 0.1008, discount: float | None = None) -> float:
    """Dollars a month for one server that is needed so many hours. price: On-Demand, by the hour (of a host: the
    host's).
    """
    if option not in DISCOUNTS:
        raise ValueError(f"no option {option!r}; there are {', '.join(DISCOUNTS)}")
    if not 0 <= hours_a_month <= MONTH:
        raise ValueError(f"a month has {MONTH:g} hours, not {hours_a_month:g}")
    part = 1 - (DISCOUNTS[option] if discount is None else discount)
    return price * part * (MONTH if option in EVERY_HOUR else hours_a_month)


def break_even(option: str = "savings plan", discount: float | None = None) -> float:
    """The part of the time from which on a promise is cheaper than On-Demand."""
    return 1 - (DISCOUNTS[option] if discount is None else discount)


@dataclass(frozen=True)
class Reservation:
    """Dollars: upfront (once), monthly (each month), total (of the term), an_hour (total over all hours). break_even:
    part of the time.
    """

    upfront: float
    monthly: float
    total: float
    an_hour: float
    break_even: float


def reservation(price: float, offering: str = "standard", years: int = 1, payment: str = "No Upfront",
                discount: float | None = None) -> Reservation:
    """What one Reserved Instance costs, and when. discount: of the On-Demand price, in place of the illustrative
    one.
    """
    if (offering, years) not in RESERVED or payment not in UPFRONT:
        raise ValueError(f"{offering!r} for {years} years with {payment!r}: there are standard and "
                         "convertible, 1 and 3 years, "
                         f"and {', '.join(UPFRONT)}")
    at_once, more = UPFRONT[payment]
    part = 1 - (RESERVED[offering, years] + more if discount is None else discount)
    total = price * part * MONTH * 12 * years
    return Reservation(at_once * total, (1 - at_once) * total / (12 * years), total, price * part, part)


def capacity_bill(reserved: int, running: int, price: float, hours: float = 1.0) -> dict:
    """Dollars for so many reserved places and servers that match them: ``running``, and ``unused`` for places that are
    empty.
    """
    return {"running": running * price * hours, "unused": max(0, reserved - running) * price * hours}


def servers_on_host(price: float, host_price: float) -> float:
    """From how many servers, running all the time, on a Dedicated Host is cheaper than servers of their own."""
    return host_price / price


def compare(price: float = 0.1008, discount: float = 0.40, spot: float = 0.65) -> Records:
    """Dollars a month of each option over the hours that a server is needed: 0, 10, ... 730."""
    table = Records("hours", "on-demand", "savings plan", "spot")
    for step in range(74):
        hours = min(MONTH, 10.0 * step)
        table.append(hours, cost("on-demand", hours, price), cost("savings plan", hours, price, discount),
                     cost("spot", hours, price, spot))
    return table


def spot_day(bid: float = 0.06, mean: float = 0.035, nerves: float = 0.10, work_hours: float = 8.0,
             checkpoint: float = 1.0,
             seed: int = 1) -> Records:
    """A job on Spot that saves its work each ``checkpoint`` hours and begins again there when it was interrupted.

    A row every five minutes: hour, price, running, done (hours of work saved), lost (hours worked in vain).
    bid: the most that is paid an hour; nerves: how much the price moves.
    """
    rng, table = Random(seed), Records("hour", "price", "running", "done", "lost")
    price, saved, since, lost = mean, 0.0, 0.0, 0.0
    for step in range(12 * 48):
        price = max(0.2 * mean, price + 0.15 * (mean - price) + nerves * mean * rng.gauss(0, 1))
        running = price <= bid and saved < work_hours
        if running:
            since += 1 / 12
            if since >= checkpoint - 1e-9 or saved + since >= work_hours:
                saved, since = min(work_hours, saved + since), 0.0
        elif since:
            lost, since = lost + since, 0.0
        table.append(step / 12, price, int(running), saved, lost)
        if saved >= work_hours:
            break
    return table


def spot_job(work_hours: float = 8.0, interruptions_a_day: float = 3.0, save_seconds: float = 60.0, saves: bool = True,
             restart_minutes: float = 10.0, seed: int = 1) -> Records:
    """A job on Spot without checkpoints that may save its work when the notice comes. Rows: hour, event, done, lost
    (hours of work).

    events: started, notice, saved or "too late" (if saving takes longer than the two minutes), interrupted, finished.
    saves: whether it listens to the notice at all. restart_minutes: until Spot has another server and it has booted.
    """
    in_time = saves and save_seconds <= NOTICE
    if work_hours <= 0 or interruptions_a_day < 0 or not in_time and interruptions_a_day / 24 * work_hours > 10:
        raise ValueError(f"work_hours={work_hours}, interruptions_a_day={interruptions_a_day}: such a job would "
                         "hardly ever end; give work "
                         "above 0, and without saving at most about ten interruptions in the time it takes")
    rng, table = Random(seed), Records("hour", "event", "done", "lost")
    hour, done, lost, notice = 0.0, 0.0, 0.0, NOTICE / 3600
    while True:
        table.append(hour, "started", done, lost)
        until = rng.expovariate(interruptions_a_day / 24) if interruptions_a_day else float("inf")  # h to the notice
        if done + until + notice >= work_hours:  # it is ready before it is taken away
            if done + until < work_hours:
                table.append(hour + until, "notice", done + until, lost)
            table.append(hour + work_hours - done, "finished", work_hours, lost)
            return table
        warned, taken = hour + until, hour + until + notice
        table.append(warned, "notice", done + until, lost)
        kept = done + until if in_time else done  # what it works while it saves is lost
        lost, done = lost + done + until + notice - kept, kept
        if saves:
            table.append(min(taken, warned + save_seconds / 3600), "saved" if in_time else "too late", done, lost)
        table.append(taken, "interrupted", done, lost)
        hour = taken + restart_minutes / 60
