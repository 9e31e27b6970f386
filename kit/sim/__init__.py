"""Simulated time: a clock, arrivals and the records of a run."""

from kit.sim.arrivals import burst, constant, diurnal, poisson, trace
from kit.sim.clock import Clock
from kit.sim.records import Records, percentile

__all__ = ["Clock", "Records", "burst", "constant", "diurnal", "percentile", "poisson", "trace"]
