"""The course notes' Windows server, step by step: what AWS takes, what it refuses, and what you should not do.

    for step in check_launch(): print(step.name, step.verdict, step.because)
    can_connect("203.0.113.7", rules=["198.51.100.0/24"])           # may this address open a remote desktop?

The steps are those of the console: name, image, type, key pair, network, storage, number, launch. On Windows the
private key is not what you log in with: it decrypts the Administrator's password, once that is there.

**Not modelled** Licences, domains, Fleet Manager, EC2 Instance Connect Endpoint, which need no open port.

Amazon EC2 User Guide, "Connect to your Windows instance using RDP", "Security group rules for different use cases",
"Free Tier benefits before and after July 15, 2025"; API: CreateKeyPair, GetPasswordData, RunInstances; Security Hub
control EC2.14. Read 2026-11-23. The sizes of Windows images as in "Windows Server AMI reference".
"""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from kit.compute.ec2 import TYPES, architecture

RDP = 3389
ROOT_VOLUME = 30  # GiB of a Windows Server image; a disk can't be smaller than its snapshot
FREE_TYPES = ("t3.micro", "t3.small", "t4g.micro", "t4g.small", "c7i-flex.large",
              "m7i-flex.large")  # accounts since 2025-07-15
FREE_TYPES_BEFORE = ("t2.micro", "t3.micro")  # older accounts: t2.micro, t3.micro where there is no t2.micro
LARGEST_VOLUME = 65_536  # GiB, gp3 (API: EbsBlockDevice)


@dataclass(frozen=True)
class Step:
    """A step of the launch. verdict: fine, careful (it works, but) or refused (AWS won't)."""

    name: str
    verdict: str
    because: str


def check_launch(Name: str = "windows_machine", image: str = "Windows_Server-2022-English-Full-Base",
                 InstanceType: str = "t2.micro",
                 KeyType: str = "rsa", CidrIp: str = "0.0.0.0/0", FromPort: int = RDP, VolumeSize: int = ROOT_VOLUME,
                 MinCount: int = 1,
                 MaxCount: int = 1, new_account: bool = True) -> tuple[Step, ...]:
    """Each step with its verdict, in the console's order. The defaults are the notes' own choices; VolumeSize in GiB.

    new_account: made since 15 July 2025. The launch itself is refused if any step is.
    """
    steps = [Step("name", "fine" if Name else "careful",
                  f"the tag Name is {Name!r}" if Name else "without a Name you tell servers apart by ids"),
             _image(image), _type(InstanceType, new_account), _key(KeyType), _rule(CidrIp, FromPort),
             _storage(VolumeSize),
             _number(MinCount, MaxCount)]
    wrong = [step.name for step in steps if step.verdict == "refused"]
    steps.append(Step("launch", "refused" if wrong else "fine", f"first mend: {', '.join(wrong)}" if wrong else
                      f"{MaxCount} server{'s' * (MaxCount != 1)}; ask for the password in some minutes"))
    return tuple(steps)


def can_connect(address: str, rules=("0.0.0.0/0",), port: int = RDP) -> tuple[bool, str]:
    """(may it, because): does a security group that opens 3389 to these ranges let this address reach this port?"""
    if port != RDP:
        return False, f"no rule opens port {port}: what is not allowed is dropped"
    for rule in rules:
        if ip_address(address) in ip_network(rule, strict=False):
            return True, f"{rule} may reach port {RDP}, and {address} is in it"
    return False, f"{address} is in none of {', '.join(rules) or 'no rules'}: dropped"


def _image(name):
    if not name.startswith("Windows"):
        return Step("image", "careful", f"{name} is no Windows image: there is no remote desktop "
                    "and no Administrator's password")
    newer = ", and 2025 exists too" if "2022" in name else ""
    return Step("image", "fine", f"{name} is a template with Windows in it{newer}")


def _type(name, new_account):
    if name not in TYPES:
        return Step("type", "refused", f"{name} is none of the types that this model knows")
    if architecture(name) == "arm64":
        return Step("type", "refused", f"{name} has an Arm processor, and Windows Server images are for x86_64")
    free = FREE_TYPES if new_account else FREE_TYPES_BEFORE
    if name not in free:
        usable = [one for one in free if architecture(one) != "arm64"]
        return Step("type", "careful", f"{name} is not a free-tier type of this account; "
                    f"those that run Windows are {', '.join(usable)}")
    return Step("type", "fine", f"{name} has {TYPES[name][0]} vCPU{'s' * (TYPES[name][0] != 1)} and {TYPES[name][1]:g} "
                "GiB, and is a free-tier type of this account")


def _key(kind):
    if kind == "none":
        return Step("key pair", "careful", "without a key pair nobody can decrypt the Administrator's password")
    if kind != "rsa":
        return Step("key pair", "refused", f"{kind} keys are not supported for Windows: take rsa")
    return Step("key pair", "fine", "the private key is shown once; it decrypts the password, you don't log in with it")


def _rule(cidr, port):
    try:
        network = ip_network(cidr)
    except ValueError:
        return Step("network", "refused", f"{cidr} is no range of addresses: 203.0.113.7/32 is one address")
    if port != RDP:
        return Step("network", "careful", f"port {port} is open, but remote desktop needs {RDP}")
    if network.prefixlen == 0:
        return Step("network", "careful",
                    f"the whole internet can knock at port {RDP}; give your own address, as 203.0.113.7/32")
    return Step("network", "fine", f"{network.num_addresses:,} address{'es' * (network.num_addresses != 1)} "
                f"can reach port {RDP}")


def _storage(size):
    if size < ROOT_VOLUME:
        return Step("storage", "refused", f"{size} GiB is less than the {ROOT_VOLUME} GiB of the image's snapshot")
    if size > LARGEST_VOLUME:
        return Step("storage", "refused", f"{size} GiB is more than a gp3 volume can have, {LARGEST_VOLUME}")
    return Step("storage", "fine", f"{size} GiB, charged while the server is stopped too")


def _number(least, most):
    if not 1 <= least <= most:
        return Step("number", "refused", f"at least {least} and at most {most}: give 1 or more, "
                    "and no more at least than at most")
    return Step("number", "fine", f"at least {least} and at most {most}")

