"""Ways to pay for the same server: by the second, for a year ahead, or for what nobody else wants just now.

    cost("on-demand", hours_a_month=200)      # dollars a month
    break_even("savings plan")                # from which part of the time on it pays

- *On-Demand*: for what runs, by the second. The full price, and no promise.
- *Savings Plan* or *Reserved*: a promise for one or three years. Cheaper for each hour, and paid for every hour.
- *Spot*: what AWS has left over. Far cheaper, and taken back two minutes after a notice.

**Simplified** The discounts are the ones given here, not your contract's: AWS says "up to 72 %" for Savings Plans and
Reserved Instances and "up to 90 %" for Spot, and the real ones differ by type, Region and term. A Spot price moves as a
random walk around its mean; AWS's moves "gradually, based on long-term trends".
**Not modelled** Dedicated Hosts, Capacity Reservations, upfront payments, taxes.

Amazon EC2 User Guide, "Amazon EC2 billing and purchasing options", "Spot Instance interruptions", "Spot Instance
interruption notices" (two minutes), read 2026-11-23.
"""

from random import Random

from kit.sim import Records

MONTH = 730.0  # hours
DISCOUNTS = {"on-demand": 0.0, "savings plan": 0.40, "spot": 0.65}  # of the On-Demand price, of the kind AWS calls typical
NOTICE = 120  # s between the notice and the end


def cost(option: str, hours_a_month: float, price: float = 0.1008, discount: float | None = None) -> float:
    """Dollars a month for one server that is needed so many hours. price: On-Demand, by the hour."""
    if option not in DISCOUNTS:
        raise ValueError(f"no option {option!r}; there are {', '.join(DISCOUNTS)}")
    if not 0 <= hours_a_month <= MONTH:
        raise ValueError(f"a month has {MONTH:g} hours, not {hours_a_month:g}")
    part = 1 - (DISCOUNTS[option] if discount is None else discount)
    return price * part * (MONTH if option == "savings plan" else hours_a_month)


def break_even(option: str = "savings plan", discount: float | None = None) -> float:
    """The part of the time from which on a promise is cheaper than On-Demand."""
    return 1 - (DISCOUNTS[option] if discount is None else discount)


def compare(price: float = 0.1008, discount: float = 0.40, spot: float = 0.65) -> Records:
    """Dollars a month of each option over the hours that a server is needed: 0, 10, ... 730."""
    table = Records("hours", "on-demand", "savings plan", "spot")
    for step in range(74):
        hours = min(MONTH, 10.0 * step)
        table.append(hours, cost("on-demand", hours, price), cost("savings plan", hours, price, discount),
                     cost("spot", hours, price, spot))
    return table


def spot_day(bid: float = 0.06, mean: float = 0.035, nerves: float = 0.10, work_hours: float = 8.0, checkpoint: float = 1.0,
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
