"""Each fault as the other side of the wire meets it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from emulated import METER, START, Scene, scene

from koatsu.devices import Special
from koatsu.echonet import NODE_PROFILE, DecodeError, Esv
from koatsu.emulator.faults import FAULTS, parse_fault
from koatsu.emulator.faulty_link import FaultyLink
from koatsu.emulator.plan import PlannedEvent
from koatsu.errors import UsageError
from koatsu.node import Network, NoAnswerError, Node, Peer


async def no_answer(stage: Scene) -> bool:
    try:
        await stage.ask("energy_now")
    except NoAnswerError:
        return True
    return False


async def raw_answers(stage: Scene, count: int = 1) -> list[bytes]:
    """The datagrams that come back for a Get of a fresh controller, however many."""
    one = stage.site.objects[0]
    link = stage.network.attach("192.0.2.9")
    got: list[bytes] = []
    link.set_receiver(lambda data, peer, multicast: got.append(data))
    for tid in range(1, count + 1):
        epc = one.device.property("energy_unit").epc
        link.send(bytes.fromhex(f"1081 {tid:04X} 05FF01 028A01 62 01") + bytes((epc, 0)), Peer(METER))
    await stage.network.settled()
    await link.close()
    return got


def test_every_fault_has_its_words() -> None:
    assert len({row.name for row in FAULTS}) == len(FAULTS) == 21
    for row in FAULTS:
        assert row.label("ja") != row.label("en")
        assert row.low <= row.default <= row.high
        assert parse_fault(row.name).value == row.default


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("drop=12", 12),
        ("drop=12%", 12),
        ("cable-out=90s", 90),
        ("clock-jump=-600", -600),
        ("clock-drift=9s/day", 9),
    ],
)
def test_how_a_fault_is_written(text: str, value: float) -> None:
    assert parse_fault(text).value == value


@pytest.mark.parametrize(
    "text", ["drop=101", "drop=much", "silent=1", "explode", "slow=-1", "counter-wrap=0"]
)
def test_how_it_is_not(text: str) -> None:
    with pytest.raises(UsageError):
        parse_fault(text)
    with pytest.raises(UsageError) as caught:
        parse_fault("duplicate")
    assert caught.value.hint is not None
    assert "duplicates" in caught.value.hint


@pytest.mark.parametrize("fault", ["silent", "cable-out", "drop=100", "wrong-tid", "truncated"])
async def test_faults_after_which_there_is_no_answer(fault: str) -> None:
    async with scene() as stage:
        assert not await no_answer(stage)
        stage.fault(fault)
        assert await no_answer(stage)
        stage.fault(fault, on=False)
        assert not await no_answer(stage)
        assert stage.site.switches.on == {}


async def test_a_silent_meter_still_hears() -> None:
    async with scene(faults=("silent",)) as stage:
        with pytest.raises(NoAnswerError):
            await stage.write("history_day", 7)
        stage.fault("silent", on=False)
        assert await stage.read("history_day") == 7


async def test_slow() -> None:
    async with scene(faults=("slow=0.08",), quick=False) as stage:
        assert (await stage.ask("energy_now")).elapsed_s >= 0.08


async def test_drop_is_a_share() -> None:
    async with scene(faults=("drop=40",)) as stage:
        assert 100 < len(await raw_answers(stage, 200)) < 140


async def test_duplicates() -> None:
    async with scene(faults=("duplicates",)) as stage:
        first, second = await raw_answers(stage)
        assert first == second


async def test_wrong_tid_changes_nothing_else() -> None:
    async with scene() as stage:
        (right,) = await raw_answers(stage)
        stage.fault("wrong-tid")
        (wrong,) = await raw_answers(stage)
        assert wrong[2:4] != right[2:4]
        assert wrong[:2] + wrong[4:] == right[:2] + right[4:]


async def test_truncated_and_longer() -> None:
    async with scene() as stage:
        (right,) = await raw_answers(stage)
        stage.fault("truncated")
        (short,) = await raw_answers(stage)
        assert right.startswith(short)
        assert len(short) < len(right)
        stage.fault("truncated", on=False)
        stage.fault("extra-bytes")
        (long,) = await raw_answers(stage)
        assert long.startswith(right)
        assert 1 <= len(long) - len(right) <= 4


async def test_refuses() -> None:
    async with scene() as stage:
        stage.fault("refuses")
        answer = await stage.ask("energy_now", "maker", "history_day", "serial_number")
        assert answer.frame.esv is Esv.GET_SNA
        assert len(answer.values) == 2, "who it is can still be read"
        assert not await stage.write("history_day", 1)
        stage.heard.clear()
        stage.pass_time(minutes=30)
        await stage.network.settled()
        assert stage.heard == []


async def test_wrong_history_day() -> None:
    async with scene(faults=("wrong-history-day",)) as stage:
        assert await stage.write("history_day", 0)
        assert (await stage.record("energy_history"))["day"] == 1
        assert await stage.read("history_day") == 0


async def test_holes_stay_where_they_are() -> None:
    async with scene(faults=("no-data-holes=30",)) as stage:
        assert await stage.write("history_day", 1)
        values = (await stage.record("energy_history"))["normal"]
        assert isinstance(values, tuple)
        assert 5 < values.count(Special.NO_DATA) < 25
        assert (await stage.record("energy_history"))["normal"] == values
        for place, count in enumerate(values):
            assert count is Special.NO_DATA or count == 250 * (place + 1)
        stage.pass_time(days=1)
        assert await stage.write("history_day", 2)
        assert (await stage.record("energy_history"))["normal"] == values, "the same holes a day later"


async def test_impossible_date() -> None:
    async with scene(faults=("impossible-date",)) as stage:
        with pytest.raises(DecodeError, match="impossible date"):
            await stage.read("energy_now")
        assert await stage.read("energy_unit") is not None


@pytest.mark.parametrize("code", [0x028A, 0x028D])
async def test_coefficient_zero(code: int) -> None:
    async with scene(faults=("coefficient-zero",), spec={"class_code": code}) as stage:
        answer = await stage.ask("coefficient")
        assert list(answer.values.values()) == [bytes(4)]


async def test_counter_wrap_from_the_start() -> None:
    async with scene(faults=("counter-wrap=100",), spec={"energy_digits": 6}) as stage:
        assert (await stage.record("energy_now"))["normal"] == 999_900
        assert await stage.write("history_day", 0)
        today = (await stage.record("energy_history"))["normal"]
        assert isinstance(today, tuple)
        assert today[20] == 999_900 - 17_333 + 17_250, "its past counted from there"
        stage.pass_time(minutes=20)
        assert (await stage.record("energy_now"))["normal"] == 67  # 166.7 counts later, and a third was there


async def test_counter_wrap_while_running() -> None:
    async with scene(spec={"energy_digits": 6}) as stage:
        stage.fault("counter-wrap=100")
        assert (await stage.record("energy_now"))["normal"] == 999_900
        today = (await stage.record("energy_history"))["normal"]
        assert isinstance(today, tuple)
        assert today[20] == 17_250, "what was counted before stays"


async def test_clock_jump_and_correction() -> None:
    async with scene() as stage:
        stage.fault("clock-jump=-600")
        assert (await stage.record("energy_now"))["at"] == START - timedelta(minutes=10)
        stage.pass_time(minutes=25)
        assert (await stage.record("energy_slot"))["at"] == START - timedelta(minutes=10)
        stage.fault("clock-jump", on=False)
        assert (await stage.record("energy_now"))["at"] == START + timedelta(minutes=25)


async def test_a_clock_that_is_ahead_announces_its_own_half_hours() -> None:
    async with scene(faults=("clock-jump=600",)) as stage:
        stage.heard.clear()
        stage.pass_time(minutes=10, seconds=25)
        await stage.network.settled()
        assert len(stage.heard) == 1


async def test_clock_drift() -> None:
    async with scene(faults=("clock-drift=8640",)) as stage:  # a tenth of a second in each
        stage.pass_time(minutes=10)
        assert (await stage.record("energy_now"))["at"] == START + timedelta(minutes=11)
        stage.fault("clock-drift", on=False)
        assert (await stage.record("energy_now"))["at"] == START + timedelta(minutes=10)


async def test_reboot() -> None:
    async with scene() as stage:
        assert await stage.write("history_day", 1)
        stage.heard.clear()
        stage.fault("reboot=30")
        assert await no_answer(stage)
        stage.pass_time(seconds=29)
        assert await no_answer(stage)
        stage.pass_time(seconds=1)
        await stage.network.settled()
        assert [told.eoj for told in stage.heard] == [NODE_PROFILE]
        assert await stage.read("history_day") is Special.UNSET


async def test_replaced_meter() -> None:
    async with scene() as stage:
        assert await stage.write("history_day", 1)
        stage.fault("replaced-meter=480")
        assert await stage.read("serial_number") == b"KOATSU-00002"
        assert await stage.read("coefficient") == 480
        assert (await stage.record("energy_now"))["normal"] == 0
        assert await stage.read("history_day") is Special.UNSET
        assert set((await stage.record("energy_history"))["normal"]) == {Special.NO_DATA}  # type: ignore[arg-type]
        stage.pass_time(minutes=20)
        assert (await stage.record("energy_slot"))["normal"] == 208  # 100 kWh in counts of 0.48 kWh
        assert (await stage.record("demand_slot"))["normal"] is Special.NO_DATA, "not a whole slot"
        stage.pass_time(minutes=30)
        assert (await stage.record("demand_slot"))["normal"] == 625


async def test_cable_out_for_a_while() -> None:
    async with scene() as stage:
        stage.heard.clear()
        stage.fault("cable-out=3000")
        stage.pass_time(minutes=49)
        await stage.network.settled()
        assert stage.heard == [], "no half hour comes through"
        assert stage.site.switches.on == {"cable-out": (3000.0, None)}
        stage.pass_time(minutes=1)
        await stage.network.settled()
        assert [told.eoj for told in stage.heard] == [NODE_PROFILE], "the link is up again"
        assert not await no_answer(stage)
        stage.fault("cable-out=60")
        stage.fault("cable-out", on=False)
        stage.fault("cable-out")
        stage.pass_time(minutes=5)
        assert await no_answer(stage), "what was planned for the first time has been called off"


async def test_events_happen_when_planned_however_time_jumps() -> None:
    events = (
        PlannedEvent(after=timedelta(minutes=10), load_kw=60.0),
        PlannedEvent(after=timedelta(minutes=20), fault=parse_fault("coefficient-zero")),
        PlannedEvent(after=timedelta(minutes=20), load_kw=None),
    )
    async with scene(events=events) as stage:
        stage.pass_time(minutes=50)
        # 50 kWh, then 10 kWh, then 150 kWh after 10,400 kWh
        assert (await stage.record("energy_now"))["normal"] == 17_683
        assert await stage.read("coefficient") == 0


async def test_what_happens_once_cannot_be_switched_off() -> None:
    async with scene() as stage:
        with pytest.raises(UsageError, match="happens once"):
            stage.fault("reboot", on=False)
        with pytest.raises(UsageError, match="There is no meter 2"):
            stage.site.switches.turn(parse_fault("refuses"), meter=2)
        stage.fault("refuses")
        stage.fault("drop=3")
        stage.site.switches.all_off()
        assert stage.site.switches.on == {}
        assert not stage.site.objects[0].faults.refuses


async def test_a_closed_link_sends_nothing_late() -> None:
    from koatsu.emulator.faults import WireFaults

    network = Network(1)
    got: list[bytes] = []
    other = network.attach("192.0.2.9")
    other.set_receiver(lambda data, peer, multicast: got.append(data))
    link = FaultyLink(network.attach("192.0.2.2"), WireFaults(), answer_delay_s=0.01)
    link.send(b"late", Peer("192.0.2.9"))
    await link.close()
    await network.settled()
    assert got == []
    assert isinstance(Node(other), Node)
