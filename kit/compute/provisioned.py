"""Environments that are kept ready: their configuration, until when they are made, and which call gets one.

    provisioned = Provisioned()
    provisioned.put_provisioned_concurrency_config(0, "shop", "live", 5, version="3")      # IN_PROGRESS
    provisioned.get_provisioned_concurrency_config(120, "shop", "live")                    # READY
    provisioned.admit(120, "shop", "live", running={"shop": ["live"] * 5}, reserved={})    # on demand: all five are taken

A version or an alias has them, never $LATEST, and a version only once. They take their place in what the account, or
the function's reserve, may run from the moment they are asked for. A call through the same version or alias gets one
that is free; if there is none it runs on demand, as if nothing were provisioned: it spills over.

**Simplified** AWS prepares for "a minute or two": here a minute. None is ready before all are. Another number for the
same alias begins anew.
**Not modelled** Aliases that weigh two versions, Application Auto Scaling.

AWS Lambda Developer Guide, "Configuring provisioned concurrency for a function", "Understanding Lambda function
scaling"; API: PutProvisionedConcurrencyConfig, read 2026-11-28.
"""

from dataclasses import dataclass

from kit.compute.invocation import admit
from kit.compute.lambda_function import Concurrency, Outcome
from kit.errors import ServiceError

PREPARATION, RATE = 60.0, 100.0  # s before the first; environments a second from then on (6,000 a minute)


@dataclass(frozen=True)
class Config:
    """What was asked for, for which version, when, and when all of it is ready."""

    requested: int
    version: str
    since: float
    ready: float


class Provisioned:
    """The provisioned concurrency of all functions of an account in one Region."""

    def __init__(self, concurrency: Concurrency | None = None):
        self.concurrency = Concurrency() if concurrency is None else concurrency
        self.configs: dict[tuple[str, str], Config] = {}  # (function, version or alias)

    def admit(self, now: float, function: str, qualifier: str | None, running: dict, reserved: dict) -> Outcome:
        """May one more run, and where: "provisioned" or "on-demand". running: function -> for each call that runs, the
        version or alias whose provisioned environment it has, or None.
        """
        taken = running.get(function, ()).count(qualifier) if qualifier else 0
        if taken < self.allocated(now, function, qualifier):
            return Outcome(True, "a provisioned environment is free", "provisioned")
        claimed = {name: list(running.get(name, ())).count(None) + self.concurrency.provisioned.get(name, 0)
                   for name in {*running, *self.concurrency.provisioned}}
        decision = admit(function, claimed, reserved, self.concurrency.account)
        return Outcome(decision.admitted, decision.because, "on-demand" if decision.admitted else "")

    def put_provisioned_concurrency_config(self, now: float, FunctionName: str, Qualifier: str,
                                           ProvisionedConcurrentExecutions: int, version: str | None = None) -> dict:
        """version: what an alias points to; a version is its own."""
        version = version or Qualifier
        if version == "$LATEST":
            raise _invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        others = self._of(FunctionName, but=Qualifier)
        for name, config in others.items():
            if config.version == version:
                raise _invalid(f"Version {version} has provisioned concurrency already, through {name}.")
        self.concurrency.put_provisioned_concurrency(
            FunctionName, ProvisionedConcurrentExecutions + sum(one.requested for one in others.values()))
        self.configs[FunctionName, Qualifier] = Config(
            ProvisionedConcurrentExecutions, version, now, now + PREPARATION + ProvisionedConcurrentExecutions / RATE)
        return self.get_provisioned_concurrency_config(now, FunctionName, Qualifier)

    def get_provisioned_concurrency_config(self, now: float, FunctionName: str, Qualifier: str, taken: int = 0) -> dict:
        """taken: how many of them run a call now."""
        config, allocated = self._config(FunctionName, Qualifier), self.allocated(now, FunctionName, Qualifier)
        return {"RequestedProvisionedConcurrentExecutions": config.requested,
                "AvailableProvisionedConcurrentExecutions": max(0, allocated - taken),
                "AllocatedProvisionedConcurrentExecutions": allocated,
                "Status": "READY" if allocated else "IN_PROGRESS"}

    def list_provisioned_concurrency_configs(self, now: float, FunctionName: str) -> dict:
        """Version or alias -> its configuration."""
        return {name: self.get_provisioned_concurrency_config(now, FunctionName, name) for name in self._of(FunctionName)}

    def delete_provisioned_concurrency_config(self, FunctionName: str, Qualifier: str) -> None:
        self._config(FunctionName, Qualifier)
        del self.configs[FunctionName, Qualifier]
        left = sum(one.requested for one in self._of(FunctionName).values())
        self.concurrency.provisioned.pop(FunctionName, None)
        if left:
            self.concurrency.provisioned[FunctionName] = left

    def allocated(self, now: float, function: str, qualifier: str | None) -> int:
        """How many are ready: none, or all."""
        config = self.configs.get((function, qualifier))
        return config.requested if config is not None and config.ready <= now else 0

    def _config(self, function, qualifier):
        if (function, qualifier) not in self.configs:
            raise ServiceError("ProvisionedConcurrencyConfigNotFoundException",
                               f"No Provisioned Concurrency Config found for {function}:{qualifier}")
        return self.configs[function, qualifier]

    def _of(self, function, but=None):
        return {name: config for (owner, name), config in self.configs.items() if owner == function and name != but}


def _invalid(message):
    return ServiceError("InvalidParameterValueException", message)
