"""EC2: what a type is called and has, how much of it an account may run, and the life of one server.

    parse_type("m7g.2xlarge")      # family m, generation 7, options g, size 2xlarge
    cpu_credits("t3.micro")        # (2, 0.1, 12, 288)

    region = Region("us-east-1")
    key = region.create_key_pair("mine")                 # key.material: shown this once
    server = region.run_instances(now=0, KeyName="mine", UserData="#!/bin/sh")
    server.state(now=31), server.public_ip               # running, and an address
    server.stop(now=100); server.state(now=200)          # stopped: the disk stays, the public address goes

**Simplified** A few types of the many hundreds; the names of high-memory (u-) and Mac types are not taken apart.
Booting, stopping and ending take a fixed time. A start after a stop always moves to another host (AWS: "in most
cases"). A reboot takes no time and mends what was wrong inside. A stop out of ``pending`` is refused, as AWS answers
("has never reached the 'running' state").
**Not modelled** That making an image reboots the server unless told not to, networks, volumes beside the root, what
hibernation needs of type and image, scheduled events.

Amazon EC2 Instance Types guide, "Naming conventions". Amazon EC2 User Guide, "Key concepts for burstable performance
instances", "Amazon EC2 service quotas", "Amazon EC2 instance state changes", "Status checks for Amazon EC2 instances",
"Change instance termination protection"; API: StopInstances, TerminateInstances, RebootInstances, CreateKeyPair,
CopyImage, DeregisterImage, "Error codes for the Amazon EC2 API". Read 2026-11-23.
"""

import hashlib
import re
from dataclasses import dataclass, field
from math import ceil

from kit.compute.burst import credits
from kit.errors import ServiceError
from kit.sim import Records

TYPES = {  # type: vCPUs, GiB of memory (what DescribeInstanceTypes says)
    "t2.nano": (1, 0.5), "t2.micro": (1, 1), "t2.small": (1, 2), "t2.medium": (2, 4), "t2.large": (2, 8),
    "t3.nano": (2, 0.5), "t3.micro": (2, 1), "t3.small": (2, 2), "t3.medium": (2, 4), "t3.large": (2, 8),
    "t3a.micro": (2, 1), "t4g.micro": (2, 1), "t4g.small": (2, 2), "m5.large": (2, 8), "m5.xlarge": (4, 16),
    "m5d.large": (2, 8), "m6i.large": (2, 8), "m7i.large": (2, 8), "m7i.xlarge": (4, 16), "m7i-flex.large": (2, 8),
    "m7g.large": (2, 8), "m7g.2xlarge": (8, 32), "c5.large": (2, 4), "c5n.18xlarge": (72, 192), "c6g.large": (2, 4),
    "c7g.large": (2, 4), "c7i.xlarge": (4, 8), "c7i-flex.large": (2, 4), "r5.large": (2, 16), "r5.xlarge": (4, 32),
    "r7g.large": (2, 16), "x2idn.16xlarge": (64, 1024), "z1d.large": (2, 16), "i3.large": (2, 15.25),
    "i4i.large": (2, 16), "d3.xlarge": (4, 32), "g4dn.xlarge": (4, 16), "g5.xlarge": (4, 16),
    "p4d.24xlarge": (96, 1152), "inf2.xlarge": (4, 16), "trn1.2xlarge": (8, 32)}
INSTANCE_STORE = {  # type: GB of disks inside the host; all other types of the table have none
    "m5d.large": 75, "x2idn.16xlarge": 1900, "z1d.large": 75, "i3.large": 475, "i4i.large": 468, "d3.xlarge": 5940,
    "g4dn.xlarge": 125, "g5.xlarge": 250, "p4d.24xlarge": 8000, "trn1.2xlarge": 474}
FAMILIES = {
    "a": "general purpose, the first Arm types", "c": "compute optimized", "d": "dense storage", "f": "FPGA",
    "g": "graphics intensive", "hpc": "high performance computing", "i": "storage optimized",
    "im": "storage optimized, 1 to 4", "is": "storage optimized, 1 to 6", "inf": "AWS Inferentia",
    "m": "general purpose", "p": "GPU accelerated", "r": "memory optimized", "t": "burstable performance",
    "trn": "AWS Trainium", "vt": "video transcoding", "x": "memory intensive", "z": "high memory"}
OPTIONS = {
    "a": "AMD processors", "g": "AWS Graviton (Arm) processors", "i": "Intel processors", "d": "instance store volumes",
    "n": "network and EBS optimized", "z": "high frequency", "e": "extra storage or memory",
    "b": "block storage optimized", "q": "Qualcomm accelerators", "flex": "flex instance"}
BOOT, END = 30.0, 60.0  # s: pending to running; stopping to stopped, shutting-down to terminated (not AWS's figures)
BILLED_AT_LEAST = 60  # s, each time a server starts ("Amazon EC2 instance state changes")
CHECKS_BEGIN = 120  # s from running until status checks can pass: about two minutes, not AWS's figure
USER_DATA = 16 * 1024  # bytes before base64 ("Run commands at launch using instance user data")
FORBIDDEN = {  # operation: the states in which it is refused
    "start": ("stopping", "shutting-down", "terminated"), "stop": ("shutting-down", "terminated"),
    "reboot": ("pending", "stopping", "stopped", "shutting-down"), "terminate": (),
    "image": ("pending", "stopping", "shutting-down", "terminated")}
DONE = {"start": "started", "stop": "stopped", "reboot": "rebooted", "image": "imaged"}
BUCKETS = {  # vCPUs of On-Demand Instances that a new account may run ("Amazon EC2 service quotas"; the zeros as the
    # table of Spot quotas has them: that of On-Demand was not looked up)
    "Standard": 5, "F": 0, "G and VT": 0, "HPC": 0, "Inf": 0, "P": 0, "Trn": 0, "X": 0}
IN_BUCKET = {"f": "F", "g": "G and VT", "vt": "G and VT", "hpc": "HPC", "inf": "Inf", "p": "P", "trn": "Trn", "x": "X"}


@dataclass(frozen=True)
class Type:
    """An instance type's name, taken apart."""

    family: str
    generation: int
    options: tuple[str, ...]
    size: str


def parse_type(name: str) -> Type:
    """"m7g.2xlarge" -> m, 7, g, 2xlarge; ServiceError InvalidParameterValue for what is no type's name."""
    found = re.fullmatch(r"([a-z]+?)(\d+)([a-z]*)(-flex)?\."
                         r"(nano|micro|small|medium|large|\d*xlarge|metal(?:-\d+xl)?)", name)
    if not found:
        raise ServiceError("InvalidParameterValue",
                           f"{name!r} is no instance type: it is a family, a generation, options and a size, "
                           "like m7g.2xlarge.")
    return Type(found[1], int(found[2]), tuple(found[3]) + (("flex",) if found[4] else ()), found[5])


def architecture(instance_type: str) -> str:
    """arm64 for Graviton types, x86_64 for all others; an image fits only one of them."""
    kind = parse_type(instance_type)
    return "arm64" if "g" in kind.options or kind.family == "a" else "x86_64"


def cpu_credits(instance_type: str) -> tuple:
    """(vCPUs, baseline as a part of each vCPU, credits an hour, most credits) of a burstable type."""
    row = credits(instance_type)
    return row.vcpus, row.baseline / 100, row.an_hour, row.most


def bucket(instance_type: str) -> str:
    """Which quota of running On-Demand Instances a type counts against: "Standard" for most families."""
    return IN_BUCKET.get(parse_type(instance_type).family, "Standard")


def check_quota(instance_type: str, number: int, running_vcpus: int, quota: int | None = None,
                vcpus: int | None = None) -> str:
    """How many vCPUs that leaves; ServiceError VcpuLimitExceeded for more than the account may run of its bucket.

    quota: in vCPUs; by default a new account's, 5 for "Running On-Demand Standard instances". vcpus: of one server, for
    a type that isn't in the table.
    """
    quota = BUCKETS[bucket(instance_type)] if quota is None else quota
    wanted = (vcpus or TYPES[instance_type][0]) * number
    if running_vcpus + wanted > quota:
        raise ServiceError("VcpuLimitExceeded",
                           f"You have requested more vCPU capacity than your current vCPU limit of {quota} allows "
                           "for the instance bucket that the specified instance type belongs to.")
    left = quota - running_vcpus - wanted
    return f"{left} vCPU{'s' * (left != 1)} left"


def check_user_data(raw: bytes) -> None:
    """ServiceError InvalidParameterValue for more than 16 KB, counted before base64."""
    if len(raw) > USER_DATA:
        raise ServiceError("InvalidParameterValue", f"User data is limited to {USER_DATA} bytes.")


class Instance:
    """One server. Made by ``Region.run_instances``; all methods take ``now`` in seconds, which never goes back.

    data: what is written in ``memory``, on the ``root`` disk and, where the type has one, in the ``store`` of the host.
    root: "ebs" or "instance-store", which can't be stopped. log: Records of time (s), state and why.
    """

    def __init__(self, now: float, id: str, instance_type: str, private_ip: str, addresses, *, boot: float = BOOT,
                 end: float = END, root: str = "ebs", user_data: str = "", hibernation: bool = False,
                 DisableApiTermination: bool = False, DisableApiStop: bool = False, DeleteOnTermination: bool = True,
                 InstanceInitiatedShutdownBehavior: str = "stop", disk: dict | None = None):
        self.id, self.instance_type, self.private_ip, self.root = id, instance_type, private_ip, root
        self.protected, self.stop_protected, self.hibernation = DisableApiTermination, DisableApiStop, hibernation
        self.on_shutdown, self.deletes_root = InstanceInitiatedShutdownBehavior, DeleteOnTermination
        self.user_data = user_data
        self.public_ip = self.elastic_ip = None
        self.data = {"memory": {}, "root": dict(disk or {})}
        if instance_type in INSTANCE_STORE:
            self.data["store"] = {}
        self.host, self.hibernated, self.user_data_runs = 1, False, 0
        self.log = Records("time", "state", "why")
        self._addresses, self._boot, self._end = addresses, boot, end
        self._time, self._faults, self._periods = now, set(), []  # periods: [from, to or None] that are billed
        self._become(now, "pending", "launched", now + boot)

    def state(self, now: float) -> str:
        """pending, running, stopping, stopped, shutting-down or terminated."""
        self._pass(now)
        return self._state

    @property
    def due(self) -> float | None:
        """When its state changes by itself; None if it doesn't."""
        return self._due

    def check(self, now: float, operation: str, Hibernate: bool = False) -> None:
        """Refuse what its state or its protection forbids, and change nothing: start, stop, reboot, terminate, image.

        IncorrectInstanceState for the state; OperationNotPermitted under protection; for a stop also
        UnsupportedOperation (a root in the instance store) and UnsupportedHibernationConfiguration.
        """
        state = self.state(now)
        if operation == "stop" and state == "pending":
            raise ServiceError("IncorrectInstanceState",
                               f"Instance '{self.id}' cannot be stopped as it has never reached the 'running' state.")
        if state in FORBIDDEN[operation]:
            raise ServiceError("IncorrectInstanceState",
                               f"The instance '{self.id}' is not in a state from which it can be {DONE[operation]}. "
                               f"It is {state}.")
        if operation == "terminate" and (self.protected or self.stop_protected) and state not in (
                "shutting-down", "terminated"):
            self._forbid("terminated", "disableApiTermination" if self.protected else "disableApiStop")
        if operation != "stop":
            return
        if self.stop_protected:
            self._forbid("stopped", "disableApiStop")
        if self.root != "ebs":
            raise ServiceError("UnsupportedOperation",
                               f"The instance '{self.id}' does not have an 'ebs' root device type and cannot be "
                               "stopped.")
        if Hibernate and not self.hibernation:
            raise ServiceError("UnsupportedHibernationConfiguration",
                               f"The instance '{self.id}' was not launched with hibernation enabled.")

    def start(self, now: float) -> str:
        """StartInstances: from stopped to pending, on another host."""
        self.check(now, "start")
        if self._state == "stopped":
            self.host += 1
            self._faults.discard("system")  # another host
            self._become(now, "pending", "started", now + self._boot)
        return self._state

    def stop(self, now: float, Hibernate: bool = False) -> str:
        """StopInstances. Memory and instance store are lost, or memory is kept if it hibernates; root disk and private
        address stay.
        """
        self.check(now, "stop", Hibernate)
        if self._state == "running":
            self._halt(now, Hibernate, "hibernated" if Hibernate else "stopped")
        return self._state

    def hibernate(self, now: float) -> str:
        """A stop that writes the memory to the root disk; unlike another, it is billed until it is stopped."""
        return self.stop(now, Hibernate=True)

    def reboot(self, now: float) -> str:
        """RebootInstances. Same host, same addresses, instance store kept, memory lost, no new minute billed. Ignored
        once terminated.
        """
        self.check(now, "reboot")
        if self._state == "terminated":
            return self._state
        self.data["memory"] = {}
        self._faults.discard("instance")
        self.log.append(now, "running", "rebooted")
        return self._state

    def terminate(self, now: float) -> str:
        """TerminateInstances, from any state and as often as you like; OperationNotPermitted under termination or stop
        protection.
        """
        self.check(now, "terminate")
        if self._state in ("shutting-down", "terminated"):
            return self._state
        self._finish(now, "terminated")
        return self._state

    def shutdown(self, now: float) -> str:
        """``shutdown`` typed inside: stops or ends it, as it was launched to. Termination protection doesn't protect
        from that.
        """
        if self.state(now) != "running":
            raise ValueError(f"nobody can type anything in a server that is {self._state}; wait until it is running")
        if self.on_shutdown == "terminate" or self.root != "ebs":
            self._finish(now, "shut down from inside")
        else:
            self._halt(now, False, "shut down from inside")
        return self._state

    def associate_address(self, now: float, PublicIp: str) -> None:
        """An Elastic IP: stays through stops and starts, until the server ends."""
        if self.state(now) not in ("running", "stopped"):
            raise ServiceError("IncorrectInstanceState",
                               f"The instance '{self.id}' is {self._state}: wait until it is running or stopped.")
        self.elastic_ip = self.public_ip = PublicIp

    def fail(self, now: float, kind: str) -> None:
        """Something breaks: "system" (the host, its power, its network), "instance" (full memory, a wrong
        configuration) or "zone" (all hosts of its Availability Zone: no other one can take over).
        """
        if kind not in ("system", "instance", "zone"):
            raise ValueError(f"nothing is called {kind!r} that could fail; there are system, instance and zone")
        self._pass(now)
        self._faults.add(kind)

    def mend(self, now: float, kind: str) -> None:
        """It is well again, by nothing that the server did."""
        self._pass(now)
        self._faults.discard(kind)

    def status(self, now: float) -> tuple[str, str]:
        """(system check, instance check): ok, impaired, initializing, or not-applicable unless it runs. A host that
        fails fails both.
        """
        if self.state(now) != "running":
            return "not-applicable", "not-applicable"
        good = "ok" if now - self._since >= CHECKS_BEGIN else "initializing"
        system = "impaired" if {"system", "zone"} & self._faults else good
        return system, "impaired" if self._faults else good

    def recover(self, now: float) -> bool:
        """Automatic recovery: moves to another host if the system check fails. Id, addresses and disk stay, memory is
        lost.

        False, and nothing changes, if the fault is inside, if the whole zone has failed, or if it has an instance store
        (those are not recovered here).
        """
        if self.status(now)[0] != "impaired" or "zone" in self._faults or "store" in self.data:
            return False
        self.host += 1
        self._faults.discard("system")
        self.data["memory"] = {}
        self.log.append(now, "running", "recovered on another host")
        return True

    def billed_seconds(self, now: float) -> int:
        """Seconds that are charged: those it ran (and those of hibernating), at least a minute each start."""
        self._pass(now)
        return sum(max(BILLED_AT_LEAST, ceil((now if until is None else until) - since - 1e-9))
                   for since, until in self._periods)

    def _pass(self, now):
        if now < self._time:
            raise ValueError(f"it is {self._time} s: time only runs forward, not back to {now} s")
        self._time = now
        if self._due is not None and now >= self._due:
            due, self._due = self._due, None
            if self._state == "pending":
                self._periods.append([due, None])
                self._faults.discard("instance")
                self.hibernated = False
                if self.user_data and not self.user_data_runs:  # once in its life
                    self.user_data_runs = 1
                self.public_ip = self.elastic_ip or next(self._addresses)
                self._become(due, "running", "booted")
            else:
                self._close(due)
                self._become(due, {"stopping": "stopped", "shutting-down": "terminated"}[self._state],
                             self.log["why"][-1])

    def _become(self, now, state, why, due=None):
        self._state, self._since, self._due = state, now, due
        self.log.append(now, state, why)

    def _halt(self, now, hibernates, why):
        if not hibernates:
            self._close(now)
            self.data["memory"] = {}
        self.hibernated = hibernates
        self._leave_host()
        self._become(now, "stopping", why, now + self._end)

    def _finish(self, now, why):
        self._close(now)
        self.elastic_ip, self.data["memory"] = None, {}
        self._leave_host()
        if self.deletes_root or self.root != "ebs":
            self.data["root"] = {}
        self._become(now, "shutting-down", why, now + self._end)

    def _leave_host(self):
        self.public_ip = self.elastic_ip
        if "store" in self.data:
            self.data["store"] = {}

    def _close(self, now):
        if self._periods and self._periods[-1][1] is None:
            self._periods[-1][1] = now

    def _forbid(self, done, attribute):
        raise ServiceError("OperationNotPermitted",
                           f"The instance '{self.id}' may not be {done}. Modify its '{attribute}' instance attribute "
                           "and try again.")


@dataclass(frozen=True)
class KeyPair:
    """What CreateKeyPair answers. AWS keeps only the public half: ``material`` is empty when it is asked for again."""

    name: str
    kind: str
    fingerprint: str
    material: str = field(default="", repr=False)


@dataclass(frozen=True)
class Image:
    """An AMI: a template in one Region. disk: what is on its root disk."""

    id: str
    name: str
    architecture: str
    disk: dict


class Region:
    """The images, key pairs and servers of an account in one Region. Ids differ from Region to Region, and never
    repeat.
    """

    def __init__(self, name: str = "us-east-1"):
        self.name, self._count = name, 0
        self.images, self.keys, self.instances = {}, {}, {}
        self._gone = set()
        self._addresses = (f"198.51.100.{1 + number % 254}" for number in iter(self._next, None))
        self.default_image = self._register("amazon-linux", "x86_64", {}).id

    def run_instances(self, now: float, ImageId: str = "", InstanceType: str = "t3.micro", KeyName: str = "",
                      UserData: str = "",
                      **settings) -> Instance:
        """One server more. settings: those of Instance. Refused: an image or key of another Region, an image that
        doesn't fit.
        """
        image = self._image(ImageId or self.default_image)
        if InstanceType not in TYPES:
            raise ServiceError("InvalidParameterValue",
                               f"Invalid value '{InstanceType}' for InstanceType: this model knows {', '.join(TYPES)}.")
        if KeyName and KeyName not in self.keys:
            raise ServiceError("InvalidKeyPair.NotFound", f"The key pair '{KeyName}' does not exist in {self.name}.")
        if image.architecture != architecture(InstanceType):
            raise ServiceError("InvalidParameterValue",
                               f"The architecture '{architecture(InstanceType)}' of the specified instance type does "
                               f"not match the architecture '{image.architecture}' of the specified AMI.")
        check_user_data(UserData.encode())
        number = self._next()
        server = Instance(now, self._id("i", number), InstanceType, f"10.0.{number // 250 % 250}.{4 + number % 250}",
                          self._addresses,
                          user_data=UserData, disk=image.disk, **settings)
        self.instances[server.id] = server
        return server

    def create_key_pair(self, KeyName: str, KeyType: str = "rsa") -> KeyPair:
        """The private key is in the answer, and nowhere else. KeyType: rsa or ed25519. (A stand-in: no real
        cryptography.)
        """
        if KeyType not in ("rsa", "ed25519"):
            raise ServiceError("InvalidParameterValue",
                               f"Value ({KeyType}) for parameter KeyType is invalid: rsa or ed25519.")
        if KeyName in self.keys:
            raise ServiceError("InvalidKeyPair.Duplicate", f"The keypair '{KeyName}' already exists.")
        material = hashlib.sha256(f"{self.name} {KeyName} {self._next()}".encode()).hexdigest()
        self.keys[KeyName] = KeyPair(KeyName, KeyType, fingerprint(material))
        return KeyPair(KeyName, KeyType, fingerprint(material), material)

    def delete_key_pair(self, KeyName: str) -> None:
        """Takes the public half from AWS, not from the servers that have it. Nothing happens if there is none."""
        self.keys.pop(KeyName, None)

    def create_image(self, now: float, server: Instance, Name: str) -> Image:
        """An AMI of a server's root disk as it is now; memory and instance store are not in it."""
        server.check(now, "image")
        return self._register(Name, architecture(server.instance_type), server.data["root"])

    def copy_image(self, source: "Region", SourceImageId: str, Name: str) -> Image:
        """Called in the Region that the copy is for; the copy has an id of its own and lives on without the
        original.
        """
        original = source._image(SourceImageId)
        return self._register(Name, original.architecture, original.disk)

    def deregister_image(self, ImageId: str) -> None:
        """No server can be launched from it any more; those that were go on."""
        del self.images[self._image(ImageId).id]
        self._gone.add(ImageId)

    def _image(self, name):
        if name in self._gone:
            raise ServiceError("InvalidAMIID.Unavailable",
                               f"The image id '{name}' is no longer available: it was deregistered.")
        if name not in self.images:
            raise ServiceError("InvalidAMIID.NotFound", f"The image id '[{name}]' does not exist in {self.name}.")
        return self.images[name]

    def _register(self, name, kind, disk):
        image = Image(self._id("ami", self._next()), name, kind, dict(disk))
        self.images[image.id] = image
        return image

    def _id(self, prefix, number):
        return f"{prefix}-{hashlib.sha256(self.name.encode()).hexdigest()[:9]}{number:08x}"

    def _next(self):
        self._count += 1
        return self._count


def fingerprint(material: str) -> str:
    """What can be shown of a key without giving it away; the same key, the same fingerprint."""
    return hashlib.sha256(material.encode()).hexdigest()[:20]
