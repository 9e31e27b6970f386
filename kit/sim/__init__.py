"""Simulated time: a clock, arrivals and the records of a run."""

from kit.sim.arrivals import burst, constant, diurnal, poisson, trace
from kit.sim.clock import Clock
from kit.sim.records import Records, percentile
from kit.sim.steps import Steps

__all__ = ["Clock", "Records", "Steps", "burst", "constant", "diurnal", "percentile", "poisson", "trace"]
