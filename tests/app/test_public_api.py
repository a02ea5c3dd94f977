"""The public interface, name by name: whoever changes it changes this list too, and the changelog.

Every public object says what it is and has types that its caller's checker can see.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files

import pytest

import koatsu

PUBLIC = {
    "koatsu": """
        JST DaySlots DecodeError Eoj Esv Frame HistoryRow HostedObject KoatsuError Meter NoAnswerError
        NoMeterError Node Peer Reading Record Register Scale Shown Slot Special UdpLink UnreachableError
        UsageError device_class discover load_profile open_meter
    """,
    "koatsu.app": "",
    "koatsu.cli": """
        app main
    """,
    "koatsu.config": """
        Address Config ConfigFileError DESK_PORT DaysConfig DeskConfig DeskStoreConfig DocumentsConfig
        LinkConfig LogConfig METER_CLASSES MailConfig MeterConfig NodeConfig ONLY_SITE Problem PulseConfig
        ROLES RuleError SITES_MAX SiteConfig StoreConfig UtilityConfig WebConfig WebhookConfig load_config
        load_desk_config parse_config parse_desk_config write_config
    """,
    "koatsu.desk": """
        Actor Case ChangedMeanwhileError Desk DeskError DeskSettingError DeskSettings Entry Event
        ForbiddenError InputError LinkProbe MailSettings NoStepError ProbeResult RuleError STATE_WORDS STEPS
        SYSTEM State Step UnknownError WebhookSettings Words key_path
    """,
    "koatsu.devices": """
        SPEC_COLUMNS Access DeviceClass PropertyDef Record SpecRow Special TableError UnknownClassError
        UnknownPropertyError Value device_class known_classes spec_headings spec_rows
    """,
    "koatsu.echonet": """
        ANNOUNCEMENTS ANSWERS Announced Answered Arbitrary CONTROLLER DecodeError Duplicate Engine Eoj Esv
        Event Exchange Frame Late LocalProtocolError Malformed Matching Message NODE_PROFILE Property
        REFUSALS REQUESTS Requested Resend SUCCESS Served Stray TimedOut Unfit confirm decode decode_map
        encode_map message_id refuse_all respond
    """,
    "koatsu.ems": "",
    "koatsu.ems.collector": """
        Collector DayRead MeterLink MeterTarget NotSelectableError ReplacedError Sample days_wanted
    """,
    "koatsu.ems.store": """
        BackupError Clash Correction ENOUGH_READS Epoch Event Finding HistoryRead Kept Level Manifest
        Recorded Restored SAMPLES_KEPT Sample Store StoreError StoreErrorKind StoreHeldError StoredCount
        StoredMeter StoredSite overlaid read_manifest restore_whole unpacked_store
    """,
    "koatsu.emulator": """
        ConstantLoad Counter EmulatedSite EmulatorOptions FAULTS FaultDef FaultOrder Fleet Load
        METER_CLASSES MeterModel MeterObject MeterPlan MeterSpec NetLoad PlannedEvent Role Scenario SiteLoad
        SitePlan SolarGeneration Terminal TruthFile load_scenario open_emulator parse_fault run_emulator
        scenario_names site_kinds
    """,
    "koatsu.meter": """
        Bracket ClockOffset Conflict ConflictKind ConflictSpan CurrentReading DatedHistory DayHistory
        DemandReading DemandStamp Difference Direction EnergyFirst Gauge HALF_HOUR Hole
        IncompleteNameplateError Interval Kind MAX_DAYS_BACK MaximumReading Measured MeterTime Nameplate
        OpenSlotDemand PowerReading Quality Quantity Reading Refusal RefusalKind Register RegisterKind
        SLOTS_PER_DAY Scale Scaled Slot SlotEnergy Source Target Total VoltageReading agreed_counts
        bracket_around check_demand clock_offset demand_alignment demand_kw demand_of demand_readings
        demand_tolerance difference energy_alignment energy_readings exact_sum fits_digits history_instant
        history_slot intervals is_half_hour mean_power meter_time open_slot_demand plain same_meter_day
        slots_between slots_of_day total
    """,
    "koatsu.node": """
        Answer Capture CapturingLink EXPERIMENTAL_MAKER Found FoundObject GROUP_V4 GROUP_V6 HostedObject
        Link LinkError LinkProfile Network NoAnswerError Node NodeProfile Notification PORT Peer Receiver
        RefusedError RemoteObject SharedLink SharedUdp UdpLink discover load_profile profile_names text_of
    """,
    "koatsu.people": """
        Audit AuditEntry AuditFinding CONSOLE DESK_ROLES FindingKind HASHING Hashing LONGEST_DAYS
        LONGEST_WAIT LastOwnerError LockedOutError Login LoginKind NameRefusedError NotAllowedError
        OwnerExistsError PasswordRefusedError People PeopleStoreError Person Right Role SESSION_IDLE
        SESSION_LIFE SHORTEST SITE_ROLES StoreTrouble Token TokenRefusedError UnknownPersonError
        UnknownTokenError WrongPasswordError
    """,
    "koatsu.render": """
        Cell CellError Column ColumnKind MissingGlyph MissingGlyphError RenderError SANS SERIF Template
        TemplateError clusters code_points csv_text folder_files missing_glyphs pdf sheet unguarded
    """,
    "koatsu.sql": """
        Cause NewerError Tables Trouble WRITE address_of begin_sqlite cause_of upgrade
    """,
    "koatsu.web": """
        Limits SiteReader create_app
    """,
}


def objects(package: str) -> Iterator[tuple[str, object]]:
    """The public names of a package and what they stand for."""
    module = importlib.import_module(package)
    for name in module.__all__:
        yield name, getattr(module, name)


def test_the_list_names_every_package() -> None:
    packages = {f"koatsu.{one.name}" for one in pkgutil.iter_modules(koatsu.__path__) if one.ispkg}
    assert set(PUBLIC) == {"koatsu", *packages, "koatsu.ems.collector", "koatsu.ems.store"}


@pytest.mark.parametrize("package", PUBLIC)
def test_the_public_names_are_the_list(package: str) -> None:
    public = importlib.import_module(package).__all__
    assert sorted(public) == sorted(PUBLIC[package].split())


@pytest.mark.parametrize("package", PUBLIC)
def test_public_objects_say_what_they_are(package: str) -> None:
    silent = []
    for name, thing in objects(package):
        if inspect.isclass(thing) or inspect.isroutine(thing):
            silent += [name] * (not inspect.getdoc(thing))
        for member, _ in methods(thing):
            if member != "__init__" and not inspect.getdoc(getattr(thing, member)):
                silent.append(f"{name}.{member}")
    assert not silent


@pytest.mark.parametrize("package", PUBLIC)
def test_public_callables_are_typed(package: str) -> None:
    bare = []
    for name, thing in objects(package):
        if inspect.isroutine(thing):
            bare += [f"{name}: {one}" for one in untyped(thing)]
        for member, function in methods(thing):
            bare += [f"{name}.{member}: {one}" for one in untyped(function)]
    assert not bare


def methods(thing: object) -> Iterator[tuple[str, Callable[..., object]]]:
    """The public methods and properties that a class defines in a module of ours."""
    for name, member in vars(thing).items() if inspect.isclass(thing) else ():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        ours = str(getattr(function, "__module__", "")).startswith("koatsu.")
        if inspect.isfunction(function) and ours and (name == "__init__" or not name.startswith("_")):
            yield name, function


def untyped(function: Callable[..., object]) -> list[str]:
    """Parameters without a type, and ``return`` where the result has none."""
    signature = inspect.signature(function)
    missing = [
        name
        for name, one in signature.parameters.items()
        if one.annotation is one.empty and name not in ("self", "cls")
    ]
    made = function.__name__ == "__init__"  # a dataclass leaves the None out
    return missing + ["return"] * (signature.return_annotation is signature.empty and not made)


def test_the_package_says_that_it_is_typed() -> None:
    """PEP 561: without the marker a checker ignores the types of an installed package."""
    assert (files("koatsu") / "py.typed").is_file()


def test_reading_and_hosting_load_neither_a_database_nor_a_web_server() -> None:
    """Whoever imports the library or asks for help waits for what is used only."""
    heavy = {"sqlalchemy", "alembic", "fastapi", "uvicorn", "jinja2", "pyarrow"}
    script = "import sys, koatsu, koatsu.cli.meters, koatsu.cli.services; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert "koatsu.cli.services" in done.stdout.split()
    assert not heavy & set(done.stdout.split())
