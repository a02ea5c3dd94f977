"""A meter that is not there: the meter, its terminal, the site's loads, faults, pulses and scenarios.

True to the class tables of ``koatsu.devices`` and to nothing of ``koatsu.meter``: what an energy management
system makes of the wire can be judged against the truth that is written here.
"""

from koatsu.emulator.faults import FAULTS, FaultDef, FaultOrder, parse_fault
from koatsu.emulator.fleet import Fleet
from koatsu.emulator.loads import ConstantLoad, Load, NetLoad, SiteLoad, SolarGeneration
from koatsu.emulator.meter_object import MeterObject
from koatsu.emulator.model import Counter, MeterModel
from koatsu.emulator.plan import MeterPlan, PlannedEvent, SitePlan
from koatsu.emulator.profile import site_kinds
from koatsu.emulator.run import EmulatorOptions, open_emulator, run_emulator
from koatsu.emulator.scenarios import Scenario, load_scenario, scenario_names
from koatsu.emulator.site import EmulatedSite
from koatsu.emulator.spec import METER_CLASSES, MeterSpec, Role
from koatsu.emulator.terminal import Terminal
from koatsu.emulator.truth import TruthFile

__all__ = [
    "FAULTS",
    "METER_CLASSES",
    "ConstantLoad",
    "Counter",
    "EmulatedSite",
    "EmulatorOptions",
    "FaultDef",
    "FaultOrder",
    "Fleet",
    "Load",
    "MeterModel",
    "MeterObject",
    "MeterPlan",
    "MeterSpec",
    "NetLoad",
    "PlannedEvent",
    "Role",
    "Scenario",
    "SiteLoad",
    "SitePlan",
    "SolarGeneration",
    "Terminal",
    "TruthFile",
    "load_scenario",
    "open_emulator",
    "parse_fault",
    "run_emulator",
    "scenario_names",
    "site_kinds",
]
