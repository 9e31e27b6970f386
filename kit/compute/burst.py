"""CPU credits: a burstable server saves while it is idle, and spends what it has saved when there is work.

One credit is one vCPU at 100 % for one minute. An instance earns credits all the time, as many as its *baseline*
spends; below the baseline it saves, up to what 24 hours bring, above it it spends. When they are gone, a *standard*
instance falls back to its baseline. An *unlimited* one goes on, and owes: what it can't earn back within 24 hours is
charged.

    day = simulate("t3.micro", load=40, hours=24)
    day["cpu"], day["credits"], day["surplus"]

T2 in standard mode begins with launch credits: they are spent first, and don't count towards the limit.

**Simplified** One minute at a time; credits beyond the limit are lost at once; surplus beyond 24 hours' earnings is
charged at once (AWS: at the end of the hour). **Not modelled** Stops within the run (T2 loses its credits then, T3 and
T4g keep theirs for seven days: see ``ec2_credits_lab``), the limit of 100 starts a day with launch credits, switching
between the modes.

Amazon EC2 User Guide, "Key concepts for burstable performance instances" (the table), "Unlimited mode concepts",
"Standard mode concepts", read 2026-11-23.
"""

from dataclasses import dataclass
from random import Random

from kit.errors import ServiceError
from kit.sim import Records

PRICE_OF_SURPLUS = {"t2": 0.05, "t3": 0.05, "t3a": 0.05, "t4g": 0.04}  # $ a vCPU-hour, Linux: T3's from "Unlimited mode
# concepts"; T4g's from a third party that quotes the EC2 pricing page, not confirmed on AWS's own
LAUNCH_CREDITS = 30  # a vCPU, T2 standard only ("Standard mode concepts", "Launch credits")
T2 = {"nano": (1, 5, 3, 72), "micro": (1, 10, 6, 144), "small": (1, 20, 12, 288), "medium": (2, 20, 24, 576),
      "large": (2, 30, 36, 864), "xlarge": (4, 22.5, 54, 1296), "2xlarge": (8, 17, 81.6, 1958.4)}
T3 = {"nano": (2, 5, 6, 144), "micro": (2, 10, 12, 288), "small": (2, 20, 24, 576), "medium": (2, 20, 24, 576),
      "large": (2, 30, 36, 864), "xlarge": (4, 40, 96, 2304), "2xlarge": (8, 40, 192, 4608)}
UNLIMITED = ("t3", "t3a", "t4g")  # families that are launched as unlimited unless told otherwise (RunInstances)
KEPT = 7 * 86_400  # s that T3 and T4g keep their credits while stopped; T2 loses them at once ("Key concepts")
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
        raise ServiceError("InvalidParameterValue",
                           f"{instance_type} has no CPU credits: only T2, T3, T3a and T4g types do.")
    return Credits(*FAMILIES[family][size])


class Account:
    """The credits of one server. ``spend`` is told of each stretch of time, one after the other.

    saved: earned credits, owed: surplus credits (both within a day's earnings), launch: launch credits that are left,
    charged: credits that were beyond a day's earnings, and cost money.
    """

    def __init__(self, instance_type: str, unlimited: bool | None = None):
        family = instance_type.partition(".")[0]
        self.row, self.unlimited = credits(instance_type), family in UNLIMITED if unlimited is None else unlimited
        self.saved = self.owed = self.charged = 0.0
        self.launch = float(LAUNCH_CREDITS * self.row.vcpus * (family == "t2" and not self.unlimited))

    @property
    def balance(self) -> float:
        """CPUCreditBalance: what is saved, and launch credits."""
        return self.saved + self.launch

    def affords(self, wanted: float, minutes: float = 1.0) -> float:
        """Which CPU (per cent of all its vCPUs) a server gets that wants so much for so long."""
        return 100 * self._gets(wanted, minutes) / self.row.vcpus / minutes

    def spend(self, wanted: float, minutes: float = 1.0) -> float:
        """That, and it is spent."""
        gets, row = self._gets(wanted, minutes), self.row
        first = min(self.launch, gets)
        balance = self.saved - self.owed + row.an_hour / 60 * minutes - (gets - first)
        self.launch -= first
        self.saved, self.owed = max(0.0, min(row.most, balance)), max(0.0, -balance)
        if self.owed > row.most:
            self.charged += self.owed - row.most
            self.owed = row.most
        return 100 * gets / row.vcpus / minutes

    def _gets(self, wanted, minutes):
        """In credits."""
        needs, earned = self.row.vcpus * wanted / 100 * minutes, self.row.an_hour / 60 * minutes
        return needs if self.unlimited or needs <= earned else min(needs, earned + self.saved + self.launch)


def simulate(instance_type: str = "t3.micro", load: float = 40.0, idle: float = 2.0, busy_from: float = 8.0,
             busy_hours: float = 6.0,
             hours: float = 48.0, unlimited: bool = False, varies: float = 0.0, ends: bool = False,
             seed: int = 1) -> Records:
    """A server with work for some hours of each day. A row every five minutes: hour, wanted (% of all its vCPUs), cpu
    (% that it gets), credits (saved), surplus (owed), charged ($ so far).

    load, idle: per cent of the whole machine that is wanted while it is busy, and otherwise.
    varies: the part by which the load of a minute departs from that by chance, 0 to 1.
    ends: the server is stopped or terminated at the end; then what it still owes is charged.
    """
    if not 0 <= varies <= 1 or not 0 <= load <= 100 or not 0 <= idle <= 100:
        raise ValueError(f"load={load}, idle={idle}, varies={varies}: give loads between 0 and 100 %, and "
                         "varies between 0 and 1")
    account, rng = Account(instance_type, unlimited), Random(seed)
    table = Records("hour", "wanted", "cpu", "credits", "surplus", "charged")
    price, last = PRICE_OF_SURPLUS[instance_type.partition(".")[0]], int(60 * hours)
    for minute in range(last + 1):
        hour = minute / 60
        wanted = load if busy_from <= hour % 24 < busy_from + busy_hours else idle
        if varies:
            wanted = min(100.0, wanted * (1 + varies * (2 * rng.random() - 1)))
        cpu = account.spend(wanted)
        if ends and minute == last:
            account.charged, account.owed = account.charged + account.owed, 0.0
        if minute % 5 == 0:
            table.append(hour, wanted, cpu, account.balance, account.owed, account.charged / 60 * price)
    return table


def break_even(instance_type: str, price: float, fixed_price: float) -> float:
    """Average CPU (%) at which an unlimited server costs as much as one without credits. Prices: $ an hour, Linux.

    break_even("t3.large", 0.0835, 0.096) is 42.5, the example of "Unlimited mode concepts" (us-east-1).
    """
    row, family = credits(instance_type), instance_type.partition(".")[0]
    return row.baseline + 100 * (fixed_price - price) / PRICE_OF_SURPLUS[family] / row.vcpus
