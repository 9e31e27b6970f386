"""EC2 in small tables: what a type is called and has, how much of it an account may have at once, and what it costs.

    parse_type("m7g.2xlarge")      # family m, generation 7, options g, size 2xlarge
    cpu_credits("t3.micro")        # (2, 0.1, 12, 288)

**Simplified** A few types of the many hundreds. Prices are On-Demand, Linux, US East (N. Virginia).

Amazon EC2 Instance Types guide, "Naming conventions"; Amazon EC2 User Guide, "Key concepts for burstable performance
instances", "Amazon EC2 service quotas". Read 2026-11-23.
"""

import re
from dataclasses import dataclass

from kit.compute.burst import credits
from kit.errors import ServiceError

TYPES = {  # type: vCPUs, GiB of memory
    "t2.micro": (1, 1), "t3.micro": (2, 1), "t3.small": (2, 2), "t3.medium": (2, 4), "t4g.micro": (2, 1), "m7i.large": (2, 8),
    "m7i.xlarge": (4, 16), "m7g.large": (2, 8), "c7g.large": (2, 4), "r5.large": (2, 16)}
OPTIONS = {"a": "AMD processors", "g": "AWS Graviton (Arm) processors", "i": "Intel processors", "d": "instance store volumes",
           "n": "network and EBS optimized", "z": "high frequency", "e": "extra storage or memory", "b": "block storage optimized",
           "q": "Qualcomm accelerators", "flex": "flex instance"}


@dataclass(frozen=True)
class Type:
    """An instance type's name, taken apart."""

    family: str
    generation: int
    options: tuple[str, ...]
    size: str


def parse_type(name: str) -> Type:
    """"m7g.2xlarge" -> m, 7, g, 2xlarge; ServiceError InvalidParameterValue for what is no type's name."""
    found = re.fullmatch(r"([a-z]+?)(\d+)([a-z]*)(-flex)?\.(nano|micro|small|medium|large|\d*xlarge|metal(?:-\d+xl)?)", name)
    if not found:
        raise ServiceError("InvalidParameterValue", f"{name!r} is no instance type: it is a family, a generation, options and a size, "
                                                    "like m7g.2xlarge.")
    return Type(found[1], int(found[2]), tuple(found[3]) + (("flex",) if found[4] else ()), found[5])


def cpu_credits(instance_type: str) -> tuple:
    """(vCPUs, baseline as a part of each vCPU, credits an hour, most credits) of a burstable type."""
    row = credits(instance_type)
    return row.vcpus, row.baseline / 100, row.an_hour, row.most


def check_quota(instance_type: str, number: int, running_vcpus: int, quota: int = 5) -> str:
    """How many vCPUs that leaves; ServiceError VcpuLimitExceeded for more than the account may run of this kind of family.

    quota: "Running On-Demand Standard instances", in vCPUs; 5 in a new account.
    """
    wanted = TYPES[instance_type][0] * number
    if running_vcpus + wanted > quota:
        raise ServiceError("VcpuLimitExceeded", f"You have requested more vCPU capacity than your current vCPU limit of {quota} allows "
                           "for the instance bucket that the specified instance type belongs to.")
    left = quota - running_vcpus - wanted
    return f"{left} vCPU{'s' * (left != 1)} left"
