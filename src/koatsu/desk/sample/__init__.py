"""A sample: a utility that does not exist, its offices and people, and some thousand cases in every state."""

from __future__ import annotations

from koatsu.desk.sample.filling import Filled, fill
from koatsu.desk.sample.plan import OWN_STATES, Plan
from koatsu.desk.sample.tables import SamplePerson, sample_people, sample_settings

__all__ = ["OWN_STATES", "Filled", "Plan", "SamplePerson", "fill", "sample_people", "sample_settings"]
