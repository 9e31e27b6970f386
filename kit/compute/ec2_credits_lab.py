"""CPU credits in the sandbox: burstable servers save and spend them, CloudWatch shows them, and a server that has none
is slow.

Each burstable server has a ``burst.Account`` that is told, every five minutes, which CPU the server wanted. In standard
mode it then gets no more than its credits allow, so that its CPUUtilization falls to the baseline; an unlimited one
goes on and owes. Nothing is computed before somebody asks: the past is caught up with then.

**Simplified** Five minutes at a time, as wanted in their middle. A server's first minutes, up to the next full five,
earn and spend nothing. What a slow server leaves undone, nobody else does. A new mode holds from the next five minutes.
**Not modelled** The limit of 100 starts a day with launch credits; the account's default mode
(ModifyDefaultCreditSpecification).

Credits and stops: see ``burst``. The metrics, every five minutes only, as Pulumi's reference carries AWS's text of "List
the available CloudWatch metrics for your instances"; API: RunInstances, CreditSpecification (standard for T2, unlimited
for T3, T3a and T4g), UnsuccessfulInstanceCreditSpecificationItemError (codes). Read 2026-11-28.
"""

from kit.compute.burst import KEPT, UNLIMITED, Account, credits
from kit.errors import ServiceError

STEP = 300  # s, also the only period that the metrics have
METRICS = {"CPUCreditUsage": "spent", "CPUCreditBalance": "balance", "CPUSurplusCreditBalance": "owed",
           "CPUSurplusCreditsCharged": "charged"}


def live(life, servers) -> None:
    credits_of = Credits(life, servers)
    servers.credits = credits_of
    life.answer("ec2", "DescribeInstanceCreditSpecifications", credits_of.describe)
    life.answer("ec2", "ModifyInstanceCreditSpecification", credits_of.modify)


class Spending:
    """The account of one server, and what it was at each full five minutes: ``rows`` from ``first`` on."""

    def __init__(self, instance_type, mode, now, wanted, ran):
        self.instance_type, self.wanted, self.ran = instance_type, wanted, ran
        self.account = Account(instance_type, mode == "unlimited")
        self.first = int(now // STEP) * STEP
        self.rows = []  # of each five minutes: spent, balance, owed, charged, CPU it was held to; None: it didn't run
        self._stopped = None  # since when

    @property
    def mode(self) -> str:
        return "unlimited" if self.account.unlimited else "standard"

    def catch_up(self, now) -> None:
        """Up to the last full five minutes: they are over, and nothing in them changes any more."""
        while (start := self.first + STEP * len(self.rows)) + STEP <= now:
            middle, charged = start + STEP / 2, self.account.charged
            if not self.ran.at(middle):
                self._stopped = start if self._stopped is None else self._stopped
                self.rows.append(None)
                continue
            if self._stopped is not None and self.rows and self._lost(start):
                self.account = Account(self.instance_type, self.account.unlimited)
                charged = 0.0
            self._stopped = None
            wanted = self.wanted(middle)
            cpu, account = self.account.spend(wanted, STEP / 60), self.account
            self.rows.append((account.row.vcpus * cpu / 100 * STEP / 60, account.balance, account.owed,
                              account.charged - charged, cpu if cpu < wanted - 1e-9 else None))

    def gets(self, now, wanted) -> float:
        """CPU in per cent, of what it wants, at a time up to the present."""
        if self.account.unlimited:
            return wanted
        self.catch_up(now)
        number = int((now - self.first) // STEP)
        if number < len(self.rows):  # long ago
            held = self.rows[number] and self.rows[number][4]
            return wanted if held is None else min(wanted, held)
        return self.account.affords(wanted, STEP / 60)

    def moves(self, now, within) -> bool:
        """Has anything changed in the last ``within`` seconds?"""
        self.catch_up(now)
        last = [row[1:3] for row in self.rows[-2 - int(within // STEP):] if row]
        return bool(self.ran.at(now)) and (len(last) < 2 or len(set(last)) > 1)

    def _lost(self, start):
        return self.instance_type.startswith("t2.") or start - self._stopped > KEPT


class Credits:
    """Those of all servers of a sandbox. ``of``: id -> Spending, of burstable types only."""

    def __init__(self, life, servers):
        self.life, self.servers, self.of = life, servers, {}

    def launched(self, instance, asked: str | None) -> None:
        """A server: ``asked``: its mode, None for what its family has by default."""
        kind, name = instance.instance_type, instance.id
        try:
            credits(kind)
        except ServiceError:
            return  # no burstable type
        mode = asked or ("unlimited" if kind.partition(".")[0] in UNLIMITED else "standard")
        self.of[name] = spending = Spending(kind, mode, self.life.clock.now, lambda at: self.servers.wanted(name, at),
                                            self.servers.ran[name])
        for number, metric in enumerate(METRICS):
            self.life.state["metrics"].supply(
                "AWS/EC2", metric, [{"Name": "InstanceId", "Value": name}],
                lambda start, end, number=number: self._points(spending, number, start, end), "Count",
                instance.region_name)

    def gets(self, name, now, wanted) -> float:
        return self.of[name].gets(now, wanted) if name in self.of else wanted

    def moves(self, name, metric, within) -> bool:
        """Has a metric of a server changed by itself in the last ``within`` seconds, though its load is the same?"""
        spending = self.of.get(name)
        if spending is None or metric not in ("CPUUtilization", *METRICS):
            return False
        return (metric in METRICS or not spending.account.unlimited) and spending.moves(self.life.clock.now, within)

    def _points(self, spending, number, start, end):
        spending.catch_up(self.life.sandbox.clock.now)
        for place in range(max(0, int(-(-(start - spending.first) // STEP))), len(spending.rows)):
            at = spending.first + STEP * place
            if at >= end:
                return
            if spending.rows[place] is not None:
                yield at, spending.rows[place][number]

    def describe(self, call) -> dict:
        wanted = call.parameters.get("InstanceIds") or [
            one.id for one in self.life.backend("ec2", call.region).all_instances()]
        return {"InstanceCreditSpecifications": [
            {"InstanceId": name, "CpuCredits": self.of[name].mode} for name in wanted if name in self.of]}

    def modify(self, call) -> dict:
        done, failed = [], []
        known = {one.id for one in self.life.backend("ec2", call.region).all_instances()}
        for one in call.parameters["InstanceCreditSpecifications"]:
            name, mode = one["InstanceId"], one.get("CpuCredits")
            if mode not in ("standard", "unlimited"):
                raise ServiceError("InvalidParameterValue", f"CpuCredits is standard or unlimited, not {mode!r}.")
            if name in self.of:
                self.of[name].catch_up(self.life.clock.now)
                self.of[name].account.unlimited = mode == "unlimited"
                done.append({"InstanceId": name})
                self.life.note("EC2", f"credit mode {mode}", name, "ModifyInstanceCreditSpecification")
            else:
                code, words = "InvalidInstanceID.NotFound", "there is no such instance"
                if name in known:
                    code, words = "InstanceCreditSpecification.NotSupported", "only T2, T3, T3a and T4g have CPU credits"
                failed.append({"InstanceId": name, "Error": {"Code": code, "Message": f"{name}: {words}."}})
        self.life.state["alarms"].wake_all()
        return {"SuccessfulInstanceCreditSpecifications": done, "UnsuccessfulInstanceCreditSpecifications": failed}
