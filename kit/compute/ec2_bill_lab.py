"""What EC2 puts on the bill: servers while they run, disks, snapshots, addresses and NAT gateways whether they run or not.

moto keeps them all; here the bill hears of them, whoever makes them (boto3, a launch, an Auto Scaling group,
CloudFormation). ``ec2_lab`` says when a server's state changes.

**Simplified** Disks are full, and nothing is written to them after a snapshot: the first snapshot of a volume has all
its gigabytes, further ones none; when it goes they are the next one's. An address with a server that doesn't run is
idle. No data flows through NAT gateways. A GB is a GiB, as EBS counts. Windows on T types, Spot Instances and types
that are in no table here are on the bill in words only. **Not modelled** Fast snapshot restore, the archive, I/O of
magnetic disks, IOPS tiers of io2, data transfer, surplus CPU credits, dedicated hardware, Reserved Instances and plans.

Amazon EC2 User Guide, "Amazon EC2 instance state changes" (billed while running, from 60 s on); "Monitor your instances
using CloudWatch" (detailed monitoring costs; seven metrics of an instance: infracost, golden file of aws_instance);
"Optimize CPUs for License-Included instances" (Windows, by the vCPU).

Amazon EBS pricing, examples 1 to 4 (what is charged, prorated by the second; stored copy of aws.eu/ebs/pricing); AWS
whitepaper "AWS Storage Services Overview", "Cost Model" of EBS (volumes for what is provisioned, snapshots for what is
stored, changed blocks only); AWS blog "Identify and optimize public IPv4 address usage on AWS" (idle and in use).
Prices: kit/lab/prices.yaml. Read 2026-11-28.
"""

from kit.compute.ec2 import BILLED_AT_LEAST, TYPES, parse_type

GIFT = {"gp3": (3000, 125)}  # IOPS and MiB/s that a volume has for nothing ("Amazon EBS pricing", Example 1)
IN_USE, IDLE = "ec2:public-ipv4", "ec2:public-ipv4-idle"
METRICS = 7  # of one instance with detailed monitoring
ROOT = ("gp2", 8)  # type and GiB of the disk a server gets in the sandbox if nobody says which
WITHOUT_PRICE = {  # calls of EC2 that make something dear of which kit/lab/prices.yaml knows nothing
    "AllocateHosts": "Dedicated Host", "CreateCapacityReservation": "Capacity Reservation",
    "CreateClientVpnEndpoint": "Client VPN endpoint", "CreateTransitGatewayVpcAttachment": "transit gateway attachment",
    "CreateVpcEndpoint": "VPC endpoint", "CreateVpnConnection": "VPN connection",
    "PurchaseReservedInstancesOffering": "Reserved Instance", "RequestSpotFleet": "Spot Fleet"}


def live(life) -> None:
    beside = Beside(life)
    life.state["ec2 bill"] = beside
    from moto.ec2.models.amis import Ami
    from moto.ec2.models.elastic_block_store import EBSBackend
    from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend
    from moto.ec2.models.nat_gateways import NatGatewayBackend
    life.patch(Ami, "__init__", beside.image)
    for name in ("create_volume", "modify_volume"):
        life.patch(EBSBackend, name, beside.volume)
    life.patch(EBSBackend, "delete_volume", beside.volume_gone)
    for name in ("create_snapshot", "copy_snapshot", "delete_snapshot"):
        life.patch(EBSBackend, name, beside.snapshot)
    for name in ("allocate_address", "associate_address", "disassociate_address"):
        life.patch(ElasticAddressBackend, name, beside.address)
    life.patch(ElasticAddressBackend, "release_address", beside.address_gone)
    life.patch(NatGatewayBackend, "create_nat_gateway", beside.gateway)
    life.patch(NatGatewayBackend, "delete_nat_gateway", beside.gateway_gone)
    life.then("ec2", " ".join(WITHOUT_PRICE), beside.without_price)
    life.quotes["ec2", "RunInstances"] = lambda given: beside.quote(given, given.get("MaxCount", 1))
    life.quotes["ec2", "CreateVolume"] = lambda given: volume_items(
        given.get("VolumeType", "gp2"), given.get("Size", 0), given.get("Iops"), given.get("Throughput"))
    life.quotes["ec2", "CreateSnapshot"] = beside.quote_snapshot
    life.quotes["ec2", "AllocateAddress"] = lambda given: [(IDLE, 1)]
    life.quotes["ec2", "CreateNatGateway"] = lambda given: [("ec2:nat-gateway", 1), ("ec2:nat-gb", 1)]


def volume_items(kind, size, iops=None, throughput=None) -> list:
    """[(item, amount)] of one volume."""
    free_iops, free_throughput = GIFT.get(kind, (0, 0))
    items = [(f"ec2:volume:{kind}", float(size)), (f"ec2:volume:{kind}-iops", max(0.0, float(iops or 0) - free_iops)),
             (f"ec2:volume:{kind}-throughput", max(0.0, float(throughput or 0) - free_throughput))]
    return [items[0]] + [(item, amount) for item, amount in items[1:] if amount > 0]


def server_items(instance_type, windows=False, spot=False) -> tuple[list, list]:
    """([(item, amount)], [what has no price]) of one server while it runs."""
    if spot:
        return [], [f"Spot Instance {instance_type}"]
    items, words = [(f"ec2:{instance_type}", 1)], []
    if windows and (instance_type not in TYPES or parse_type(instance_type).family == "t"):
        words.append(f"licence of Windows on a {instance_type}")
    elif windows:
        items.append(("ec2:windows", TYPES[instance_type][0]))
    return items, words


class Beside:
    """The servers of one sandbox and all that is beside them, on its bill."""

    def __init__(self, life):
        self.life, self.meter = life, life.meter
        self._since = {}  # id of a server that runs -> since when
        self._image = False  # is moto making an image just now? That has a disk for a moment, of which nobody knows

    def server(self, instance, state) -> None:
        """A server's state has changed: from running on it is billed, a minute at least."""
        now, name, runs = self.life.sandbox.clock.now, instance.id, float(state == "running")
        items, words = server_items(instance.instance_type, instance.platform == "windows", instance.lifecycle == "spot")
        items += [("cloudwatch:metric", METRICS)] * instance.monitored
        short = BILLED_AT_LEAST - (now - self._since.get(name, -BILLED_AT_LEAST))
        for item, amount in items:
            if not self.meter.knows(item):
                words.append(instance.instance_type)
                continue
            if not runs and short > 0 and item.startswith("ec2:"):
                self.meter.add_time(name, item, short, amount)
            self.meter.run(name, item, runs * amount)
        if runs:
            self._since.setdefault(name, now)
            for number, what in enumerate(words):
                self.meter.unpriced(f"{name} {number}", what)
        else:
            self._since.pop(name, None)
        self._settle_addresses(instance.ec2_backend)
        self._settle_own(instance)

    def image(self, before, *arguments, **named):
        self._image = True
        try:
            before(*arguments, **named)
        finally:
            self._image = False

    def volume(self, before, backend, *arguments, **named):
        volume = before(backend, *arguments, **named)
        if self._image:
            return volume
        self.meter.end(volume.id)
        for item, amount in volume_items(volume.volume_type, volume.size, volume.iops, volume.throughput):
            if self.meter.knows(item):
                self.meter.run(volume.id, item, amount)
        return volume

    def volume_gone(self, before, backend, volume_id):
        volume = before(backend, volume_id)
        if not self._image:
            self.meter.end(volume.id)
        return volume

    def snapshot(self, before, backend, *arguments, **named):
        """After one is made or gone: the oldest of its volume has the gigabytes."""
        changed = before(backend, *arguments, **named)
        if changed.owner_id == backend.account_id:  # AWS's own images have theirs
            self.meter.end(changed.id)
            mine = [one for one in backend.snapshots.values() if one.volume.id == changed.volume.id
                    and one.owner_id == backend.account_id]
            for one in mine[:1]:
                self.meter.run(one.id, "ec2:snapshot", float(one.volume.size))
        return changed

    def address(self, before, backend, *arguments, **named):
        result = before(backend, *arguments, **named)
        self._settle_addresses(backend)
        for instance in backend.all_instances():
            self._settle_own(instance)
        return result

    def address_gone(self, before, backend, address=None, allocation_id=None):
        gone = [_name(one) for one in backend.addresses if one.public_ip == address or one.allocation_id == allocation_id]
        before(backend, address=address, allocation_id=allocation_id)  # which frees it first
        for name in gone:
            self.meter.end(name)

    def _settle_addresses(self, backend):
        """Which Elastic IP addresses are in use, and which lie about."""
        for one in backend.addresses:
            holder = _holder(one)
            used = holder._state.name == "running" if holder is not None else one.eni is not None
            self.meter.run(_name(one), IN_USE, float(used))
            self.meter.run(_name(one), IDLE, float(not used))

    def _settle_own(self, instance):
        """A server has its own public address while it runs and has no Elastic one."""
        own = instance._state.name == "running" and instance.associate_public_ip and not any(
            _holder(one) is instance for one in instance.ec2_backend.addresses)
        self.meter.run(instance.id, IN_USE, float(bool(own)))

    def gateway(self, before, backend, *arguments, **named):
        gateway = before(backend, *arguments, **named)
        self.meter.run(gateway.id, "ec2:nat-gateway")
        return gateway

    def gateway_gone(self, before, backend, nat_gateway_id):
        gateway = before(backend, nat_gateway_id)
        self.meter.end(nat_gateway_id)
        return gateway

    def without_price(self, call):
        self.meter.unpriced(f"{call.operation} {call.number}", WITHOUT_PRICE[call.operation])

    # what a call would cost

    def quote(self, given, number) -> list:
        """A launch, with the parameters of RunInstances."""
        given = self._with_template(given)
        kind, images = given.get("InstanceType", "m1.small"), self.life.backend("ec2").amis
        image = images.get(given.get("ImageId", ""))
        items, words = server_items(kind, getattr(image, "platform", None) == "windows", "InstanceMarketOptions" in given)
        items += [(word, 1) for word in words]
        if given.get("Monitoring", {}).get("Enabled"):
            items.append(("cloudwatch:metric", METRICS))
        cards = given.get("NetworkInterfaces", ())
        if all(card.get("AssociatePublicIpAddress", True) for card in cards):
            items.append((IN_USE, 1))
        disks = [one["Ebs"] for one in given.get("BlockDeviceMappings", ()) if "Ebs" in one] or [{}]
        for disk in disks:
            items += volume_items(disk.get("VolumeType", ROOT[0]), disk.get("VolumeSize", ROOT[1]), disk.get("Iops"),
                                  disk.get("Throughput"))
        return [(item, amount * number) for item, amount in items]

    def quote_group(self, given) -> list:
        """The servers a group begins with; the group itself costs nothing."""
        configurations = self.life.backend("autoscaling").launch_configurations
        configuration = configurations.get(given.get("LaunchConfigurationName", ""))
        launch = {"InstanceType": configuration.instance_type, "ImageId": configuration.image_id} if configuration else {
            name: given[name] for name in ("LaunchTemplate",) if name in given}
        return self.quote(launch, given.get("DesiredCapacity", given.get("MinSize", 0)))

    def quote_snapshot(self, given) -> list:
        volume = self.life.backend("ec2").volumes.get(given.get("VolumeId", ""))
        return [("ec2:snapshot", float(volume.size) if volume is not None else 1.0)]

    def _with_template(self, given):
        if "LaunchTemplate" not in given:
            return given
        return {**self.life.backend("ec2")._get_template_from_args(given["LaunchTemplate"]).data, **given}


def _holder(address):
    """The server that an Elastic IP address is with."""
    return address.instance or getattr(address.eni, "instance", None)


def _name(address):
    return address.allocation_id or address.public_ip
