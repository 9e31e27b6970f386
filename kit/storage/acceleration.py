"""S3 Transfer Acceleration: over the internet to a bucket far away, or to a nearby edge and on over AWS's own network?

    one = compare("Sydney", "us-east-1", size=GB)
    one.direct, one.accelerated, one.speedup, one.edge, one.price      # seconds, seconds, times, "Sydney", dollars

A TCP connection sends at most one window a round trip, and packet loss makes the window small: a stream carries
MSS / RTT x sqrt(3/2) / sqrt(loss) (Mathis). Both grow worse with distance. The edge ends the client's connection
nearby, where a round trip is short and little is lost, and hands the bytes on over a second connection, long but clean.
So the longest way gains most, and nothing is gained where the client's own line is the bottleneck: near the bucket, on
a slow line, or with so many parallel streams (multipart) that they fill the line anyway.

The price comes on top of data transfer, by the edge that was used. Where an upload is not likely to be faster, AWS does
not charge it, and may send it the normal way; here it always does.

**Simplified** Distances are great circles between cities; what cables, the internet, loss and windows are like are the
constants below, plausible and not AWS's (measure yours with AWS's Speed Comparison tool). The way to the edge is the
nearest of ``EDGES``, a few of hundreds; the second connection is warm. Slow start doubles the window each round trip,
then the rate is steady. All streams share the line evenly. "Likely to be faster" is: faster in this model.
Mathis's formula is for TCP Reno; today's kinds of TCP do better on long ways, so a single stream looks too slow here.
**Not modelled** Congestion by others, the time of day, S3's own limits, data transfer out itself, caching (that is
CloudFront); Regions without Transfer Acceleration, bucket names with periods, the 20 minutes until it works.

Amazon S3 User Guide, "Configuring fast, secure file transfers using Amazon S3 Transfer Acceleration", "Performance
Design Patterns for Amazon S3" (the farther, the more; charged only where it can help), "Using the Amazon S3 Transfer
Acceleration Speed Comparison tool"; prices: "Amazon S3 pricing", S3 Transfer Acceleration. Read 2026-11-28, the guide
in its copy on GitHub, the prices in a copy of the page of 2025. Mathis, Semke, Mahdavi and Ott, "The macroscopic
behavior of the TCP congestion avoidance algorithm" (1997), not opened anew.
"""

from dataclasses import dataclass
from math import asin, cos, inf, radians, sin, sqrt

from kit.sim import Records

GB = 1024**3  # bytes; S3 counts in binary gigabytes ("Amazon S3 pricing")
EARTH = 6371.0  # km, mean radius
FIBRE = 200_000.0  # km a second: light in glass
INTERNET, BACKBONE = 1.7, 1.3  # how much longer the cable's way is than the great circle
LAST_MILE = 0.005  # seconds, each way, between a client and the network
LOSS, LOSS_PER_1000_KM = 1e-5, 1e-5  # of packets on the internet: at all, and for the distance
BACKBONE_LOSS = 1e-7
EDGE_WORK = 0.01  # seconds that the edge takes to pass the first bytes on
MSS = 1460  # bytes in a segment
INITIAL_WINDOW = 10 * MSS  # RFC 6928
STREAMS = 10  # that boto3's upload_file and the AWS CLI use at once, unless told otherwise
WINDOW = 4 * 1024**2  # bytes on the way at most, of one stream of the client
BACKBONE_WINDOW = 64 * 1024**2

# Latitude and longitude in degrees, rounded; of a Region, those of the city or area in its name.
CITIES = {
    "Ashburn": (39.0, -77.5), "New York": (40.7, -74.0), "San Francisco": (37.8, -122.4), "Mexico City": (19.4, -99.1),
    "São Paulo": (-23.5, -46.6), "Buenos Aires": (-34.6, -58.4), "London": (51.5, -0.1), "Frankfurt": (50.1, 8.7),
    "Warsaw": (52.2, 21.0), "Cairo": (30.0, 31.2), "Nairobi": (-1.3, 36.8), "Johannesburg": (-26.2, 28.0),
    "Dubai": (25.2, 55.3), "Mumbai": (19.1, 72.9), "Singapore": (1.35, 103.8), "Tokyo": (35.7, 139.7),
    "Seoul": (37.6, 127.0), "Sydney": (-33.9, 151.2), "Auckland": (-36.8, 174.8),
}
REGIONS = {
    "us-east-1": (39.0, -77.5), "us-west-2": (45.8, -119.7), "sa-east-1": (-23.5, -46.6), "eu-west-1": (53.3, -6.3),
    "eu-central-1": (50.1, 8.7), "ap-south-1": (19.1, 72.9), "ap-southeast-1": (1.35, 103.8),
    "ap-northeast-1": (35.7, 139.7), "ap-southeast-2": (-33.9, 151.2),
}
CHEAPER = ("Ashburn", "San Francisco", "London", "Frankfurt", "Tokyo")  # edges in the United States, Europe and Japan
EDGES = CHEAPER + ("Mexico City", "São Paulo", "Buenos Aires", "Johannesburg", "Dubai", "Mumbai", "Singapore", "Seoul",
                   "Sydney")
UPLOAD, UPLOAD_ELSEWHERE, DOWNLOAD = 0.04, 0.08, 0.04  # dollars a GB, on top of data transfer ("Amazon S3 pricing")


@dataclass(frozen=True)
class Leg:
    """One connection: km, rtt (seconds), loss (of packets), rate (bytes a second that one stream can carry)."""

    km: float
    rtt: float
    loss: float
    rate: float


@dataclass(frozen=True)
class Comparison:
    """direct, accelerated: seconds of either way. taken: the one it goes. billed: whether it costs price (dollars)."""

    city: str
    region: str
    edge: str
    direct: float
    accelerated: float
    taken: str
    billed: bool
    price: float
    legs: tuple[Leg, Leg, Leg]  # client to bucket, client to edge, edge to bucket

    @property
    def speedup(self) -> float:
        """How many times as fast as the direct way; below 1 it would be slower."""
        return self.direct / self.accelerated


def compare(city: str, region: str, size: float = GB, bandwidth: float = 100e6, streams: int = STREAMS,
            upload: bool = True) -> Comparison:
    """Move ``size`` bytes between a client in a city of CITIES and a bucket in a Region of REGIONS.

    bandwidth: of the client's line, bits a second. streams: connections at once, with a part of the bytes each.
    """
    if size <= 0 or bandwidth <= 0 or streams < 1:
        raise ValueError(f"size={size}, bandwidth={bandwidth}, streams={streams}: give bytes and bits above 0 and a "
                         "stream or more")
    here, there, near = _place(city, CITIES), _place(region, REGIONS), nearest_edge(city)
    direct = internet(distance(here, there))
    to_edge, onward = internet(distance(here, CITIES[near])), backbone(distance(CITIES[near], there))
    line = bandwidth / 8 / streams
    slow = 3 * direct.rtt + _send(size / streams, direct.rtt, min(line, direct.rate))
    fast = (3 * to_edge.rtt + EDGE_WORK + onward.rtt
            + _send(size / streams, to_edge.rtt, min(line, to_edge.rate, onward.rate)))
    helps = fast < slow
    billed = helps or not upload  # that nothing is charged where it does not help, AWS says of uploads
    price = (UPLOAD if near in CHEAPER else UPLOAD_ELSEWHERE) if upload else DOWNLOAD
    return Comparison(city, region, near, slow, fast, "accelerated" if billed else "direct", billed,
                      price * size / GB if billed else 0.0, (direct, to_edge, onward))


def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Kilometres on the great circle between two places, each (latitude, longitude) in degrees (haversine)."""
    (latitude, longitude), (latitude2, longitude2) = (map(radians, place) for place in (one, other))
    half = (sin((latitude2 - latitude) / 2)**2
            + cos(latitude) * cos(latitude2) * sin((longitude2 - longitude) / 2)**2)
    return 2 * EARTH * asin(min(1.0, sqrt(half)))


def throughput(rtt: float, loss: float, window: float = WINDOW) -> float:
    """Bytes a second of one long TCP stream: a window a round trip, or less by what loss allows (Mathis)."""
    return min(window / rtt, MSS / rtt * sqrt(1.5 / loss) if loss else inf)


def internet(km: float) -> Leg:
    """A connection of the client over the internet."""
    rtt, loss = 2 * (LAST_MILE + km * INTERNET / FIBRE), LOSS + LOSS_PER_1000_KM * km / 1000
    return Leg(km, rtt, loss, throughput(rtt, loss))


def backbone(km: float) -> Leg:
    """A connection of an edge over AWS's network."""
    rtt = max(2 * km * BACKBONE / FIBRE, 0.001)  # also next door it takes a moment
    return Leg(km, rtt, BACKBONE_LOSS, throughput(rtt, BACKBONE_LOSS, BACKBONE_WINDOW))


def nearest_edge(city: str) -> str:
    """DNS sends a client to an edge nearby: here to the nearest."""
    return min(EDGES, key=lambda edge: distance(_place(city, CITIES), CITIES[edge]))


# ---------------------------------------------------------------------- for explorers


def by_region(city: str, size: float = GB, bandwidth: float = 100e6, streams: int = STREAMS) -> Records:
    """An upload from one city to each Region, the nearest first: region, km, direct, accelerated (s), speedup, billed,
    price."""
    rows = [compare(city, region, size, bandwidth, streams) for region in REGIONS]
    return _records("region", sorted(((one.region, one) for one in rows), key=lambda row: row[1].legs[0].km))


def by_city(region: str, size: float = GB, bandwidth: float = 100e6, streams: int = STREAMS) -> Records:
    """Uploads from everywhere to one bucket, the nearest city first: city, km, direct, accelerated, and so on."""
    rows = [compare(city, region, size, bandwidth, streams) for city in CITIES]
    return _records("city", sorted(((one.city, one) for one in rows), key=lambda row: row[1].legs[0].km))


def by_streams(city: str, region: str, size: float = GB, bandwidth: float = 100e6,
               streams=(1, 2, 4, 8, 16, 32)) -> Records:
    """The same with more parallel parts: streams, km, direct, accelerated, and so on."""
    return _records("streams", [(number, compare(city, region, size, bandwidth, number)) for number in streams])


def by_size(city: str, region: str, sizes=tuple(1024 * 4**power for power in range(12)), bandwidth: float = 100e6,
            streams: int = STREAMS) -> Records:
    """From a small object to a large one: size (bytes), km, direct, accelerated, and so on."""
    return _records("size", [(size, compare(city, region, size, bandwidth, streams)) for size in sizes])


def _records(name, rows) -> Records:
    records = Records(name, "km", "edge", "direct", "accelerated", "speedup", "billed", "price")
    for value, one in rows:
        records.append(value, one.legs[0].km, one.edge, one.direct, one.accelerated, one.speedup, one.billed, one.price)
    return records


def _send(size, rtt, rate) -> float:
    """Seconds for so many bytes: slow start up to the window that the rate needs, then steadily."""
    window, seconds = INITIAL_WINDOW, 0.0
    while window < rate * rtt and window < size:
        size, seconds, window = size - window, seconds + rtt, 2 * window
    return seconds + size / rate


def _place(name, places) -> tuple[float, float]:
    if name not in places:
        raise ValueError(f"no place {name!r}; there are {', '.join(places)}")
    return places[name]
