"""Fault scripts: what shall go wrong at a venue, when, and what did."""

from tidewright.exchange.faults.conditions import Occurrence, Subject, When
from tidewright.exchange.faults.director import FaultDirector, Firing
from tidewright.exchange.faults.script import FaultScript, Rule

__all__ = ["FaultDirector", "FaultScript", "Firing", "Occurrence", "Rule", "Subject", "When"]
