"""CPU credits: a burstable server saves while it is idle, and spends what it has saved when there is work.

One credit is one vCPU at 100 % for one minute. An instance earns credits all the time, as many as its *baseline* spends;
below the baseline it saves, up to what 24 hours bring, above it it spends. When they are gone, a *standard* instance
falls back to its baseline. An *unlimited* one goes on, and owes: what it can't earn back within 24 hours is charged.

    day = simulate("t3.micro", load=40, hours=24)
    day["cpu"], day["credits"], day["surplus"]

**Simplified** One minute at a time; credits beyond the limit are lost at once; surplus is charged when it exceeds 24 hours'
earnings, and the rest at the end. **Not modelled** Launch credits' separate accounting: T2's come first into the balance.

Amazon EC2 User Guide, "Key concepts for burstable performance instances" (the table), "Unlimited mode", "Standard mode",
read 2026-11-23.
"""

from dataclasses import dataclass

from kit.errors import ServiceError
from kit.sim import Records

PRICE_OF_SURPLUS = 0.05  # $ a vCPU-hour, Linux, T2 and T3; T4g 0.04 ("Unlimited mode concepts")
LAUNCH_CREDITS = 30  # a vCPU, T2 standard only ("Launch credits")
T2 = {"nano": (1, 5, 3, 72), "micro": (1, 10, 6, 144), "small": (1, 20, 12, 288), "medium": (2, 20, 24, 576),
      "large": (2, 30, 36, 864), "xlarge": (4, 22.5, 54, 1296), "2xlarge": (8, 17, 81.6, 1958.4)}
T3 = {"nano": (2, 5, 6, 144), "micro": (2, 10, 12, 288), "small": (2, 20, 24, 576), "medium": (2, 20, 24, 576),
      "large": (2, 30, 36, 864), "xlarge": (4, 40, 96, 2304), "2xlarge": (8, 40, 192, 4608)}
FAMILIES = {"t2": T2, "t3": T3, "t3a": T3, "t4g": T3}


@dataclass(frozen=True)
class Credits:
    """vCPUs, baseline in per cent of each vCPU, credits earned an hour, the most that can be saved."""

    vcpus: int
    baseline: float
    an_hour: float
    most: float


def credits(instance_type: str) -> Credits:
    """The table's row of a burstable type; ServiceError InvalidParameterValue for one that has no credits."""
    family, _, size = instance_type.partition(".")
    if size not in FAMILIES.get(family, {}):
        raise ServiceError("InvalidParameterValue", f"{instance_type} has no CPU credits: only T2, T3, T3a and T4g types do.")
    return Credits(*FAMILIES[family][size])


def simulate(instance_type: str = "t3.micro", load: float = 40.0, idle: float = 2.0, busy_from: float = 8.0, busy_hours: float = 6.0,
             hours: float = 48.0, unlimited: bool = False) -> Records:
    """A server with work for some hours of each day. A row every five minutes: hour, wanted (% of all its vCPUs), cpu (%
    that it gets), credits (saved), surplus (owed), charged ($ so far).

    load, idle: per cent of the whole machine that is wanted while it is busy, and otherwise.
    """
    row, table = credits(instance_type), Records("hour", "wanted", "cpu", "credits", "surplus", "charged")
    saved, owed, charged = float(LAUNCH_CREDITS * row.vcpus if instance_type.startswith("t2.") and not unlimited else 0), 0.0, 0.0
    earned = row.an_hour / 60
    for minute in range(int(60 * hours) + 1):
        hour = minute / 60
        wanted = load if busy_from <= hour % 24 < busy_from + busy_hours else idle
        needs = row.vcpus * wanted / 100  # credits a minute
        gets = needs if unlimited or needs <= earned else min(needs, earned + saved)
        balance = saved - owed + earned - gets
        saved, owed = max(0.0, min(row.most, balance)), max(0.0, -balance)
        if owed > row.most:
            charged += (owed - row.most) / 60 * PRICE_OF_SURPLUS
            owed = row.most
        if minute % 5 == 0:
            table.append(hour, wanted, 100 * gets / row.vcpus, saved, owed, charged)
    return table
