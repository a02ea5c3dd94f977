"""Two nodes over real UDP sockets on loopback: every service, both roles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from addresses import fresh_address

from koatsu.devices import Special, Value, device_class
from koatsu.echonet import (
    CONTROLLER,
    Announced,
    Duplicate,
    Eoj,
    Esv,
    Event,
    Frame,
    Late,
    Malformed,
    Stray,
    decode,
)
from koatsu.node import (
    HostedObject,
    LinkError,
    NoAnswerError,
    Node,
    Notification,
    Peer,
    RefusedError,
    RemoteObject,
    UdpLink,
    discover,
    load_profile,
)

METER = Eoj(0x028A01)


def make_meter() -> HostedObject:
    """A meter with a few fixed values; E1 can be set."""
    return HostedObject(
        METER,
        {
            "coefficient": 120,
            "energy_unit": device_class(0x028A).property("energy_unit").decode(b"\x02"),
            "energy_digits": 6,
            "fixed_day": 1,
            "monthly_max_demand": Special.NO_DATA,
            "history_day": Special.UNSET,
            "serial_number": b"KOATSU-00001",
        },
        settable=["history_day"],
    )


class Pair:
    """A controller and a meter, each a node of its own."""

    def __init__(self, controller: Node, meter: Node) -> None:
        self.controller = controller
        self.meter = meter
        self.peer = meter.link.local
        self.remote = RemoteObject(controller, self.peer, METER)

    def epc(self, name: str) -> int:
        return device_class(0x028A).property(name).epc


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    profile = load_profile("fast")
    controller = Node(await UdpLink.open(fresh_address()), profile)
    meter = Node(await UdpLink.open(fresh_address()), profile, [make_meter()])
    async with controller, meter:
        yield Pair(controller, meter)


async def test_get_gives_typed_values(pair: Pair) -> None:
    values = await pair.remote.read("coefficient", "energy_digits", "monthly_max_demand")
    assert values == {"coefficient": 120, "energy_digits": 6, "monthly_max_demand": Special.NO_DATA}


async def test_refused_properties_are_listed_and_the_rest_is_kept(pair: Pair) -> None:
    answer = await pair.controller.get(pair.peer, METER, [pair.epc("coefficient"), pair.epc("energy_now")])
    assert answer.values == {pair.epc("coefficient"): (120).to_bytes(4, "big")}
    assert answer.refused == (pair.epc("energy_now"),)
    assert not answer.complete
    assert answer.frame.esv is Esv.GET_SNA


async def test_set_then_get(pair: Pair) -> None:
    await pair.remote.write(history_day=7)
    assert await pair.remote.read("history_day") == {"history_day": 7}


@pytest.mark.parametrize("edt", [b"", b"\x64", b"\x01\x02"])
async def test_a_value_out_of_range_is_refused_and_changes_nothing(pair: Pair, edt: bytes) -> None:
    answer = await pair.controller.set(pair.peer, METER, [(pair.epc("history_day"), edt)])
    assert answer.frame.esv is Esv.SETC_SNA
    assert await pair.remote.read("history_day") == {"history_day": Special.UNSET}


async def test_a_property_that_cannot_be_set_is_refused(pair: Pair) -> None:
    with pytest.raises(RefusedError, match="coefficient"):
        await pair.remote.write(coefficient=1)


async def test_set_get_does_both_in_one_exchange(pair: Pair) -> None:
    answer = await pair.controller.set_get(
        pair.peer, METER, [(pair.epc("history_day"), b"\x05")], [pair.epc("history_day")]
    )
    assert answer.frame.esv is Esv.SETGET_RES
    assert answer.values == {pair.epc("history_day"): b"\x05"}


async def test_set_without_response_is_done_silently(pair: Pair) -> None:
    await pair.controller.set(pair.peer, METER, [(pair.epc("history_day"), b"\x09")], response=False)
    assert await pair.remote.read("history_day") == {"history_day": 9}


async def test_a_request_to_no_object_is_not_answered() -> None:
    profile = load_profile("fast")
    async with (
        Node(await UdpLink.open(fresh_address()), profile) as controller,
        Node(await UdpLink.open(fresh_address()), profile, [make_meter()]) as meter,
    ):
        controller.use_profile(meter.link.local, replace(profile, timer_one_s=0.05, retries=1))
        with pytest.raises(NoAnswerError, match="does not answer"):
            await controller.get(meter.link.local, Eoj(0x028F01), [0x80])


async def test_instance_zero_asks_all_objects_of_the_class(pair: Pair) -> None:
    answer = await pair.controller.get(pair.peer, Eoj(0x028A00), [pair.epc("coefficient")])
    assert answer.frame.seoj == METER


async def test_maps_tell_what_is_offered(pair: Pair) -> None:
    offered = await pair.remote.offered()
    assert {pair.epc("coefficient"), pair.epc("history_day"), pair.epc("get_map")} <= offered
    assert pair.epc("energy_now") not in offered
    maps = await pair.remote.read("set_map", "announce_map")
    assert maps["set_map"] == frozenset({pair.epc("history_day")})


async def test_discovery_finds_the_meter_by_multicast_and_by_address(pair: Pair) -> None:
    found = await discover(pair.controller, also=[pair.peer], wait_s=0.3)
    meters = [node for node in found if node.peer == pair.peer]
    assert [one.eoj for one in meters[0].objects] == [METER]
    assert meters[0].objects[0].serial == "KOATSU-00001"
    assert meters[0].objects[0].name["en"] == device_class(0x028A).en


async def test_a_change_is_announced_to_all(pair: Pair) -> None:
    heard: asyncio.Queue[Notification] = asyncio.Queue()
    pair.controller.subscribe(heard.put_nowait)
    pair.meter.objects[0].update(fault_status=b"\x41")
    while True:
        note = await asyncio.wait_for(heard.get(), 5)
        if note.peer == pair.peer and note.eoj == METER:
            break
    assert note.values == {pair.epc("fault_status"): b"\x41"}


async def test_a_confirmed_announcement_is_receipted(pair: Pair) -> None:
    served = pair.meter.objects[0]
    to = pair.controller.link.local
    answer = await pair.meter.notify_confirmed(served, [pair.epc("coefficient")], to, CONTROLLER)
    assert answer.frame.esv is Esv.INFC_RES
    assert answer.complete


async def test_a_requested_announcement_comes_by_multicast(pair: Pair) -> None:
    """Whoever listens hears it too, not only the node that asked."""
    heard: asyncio.Queue[Notification] = asyncio.Queue()
    async with Node(await UdpLink.open(fresh_address()), load_profile("fast")) as listener:
        listener.subscribe(lambda note: heard.put_nowait(note) if note.peer == pair.peer else None)
        answer = await pair.controller.request_notification(pair.peer, METER, [pair.epc("fault_status")])
        assert answer.frame.esv is Esv.INF
        assert answer.values == {pair.epc("fault_status"): b"\x42"}
        async with asyncio.timeout(5):
            note = await heard.get()
            while note.eoj != METER:
                note = await heard.get()
        assert note.values == answer.values


def watch_answers(node: Node, seen: asyncio.Queue[Event]) -> None:
    """Put what arrives into ``seen``, but for announcements: those of any test on this machine reach us."""
    node.watch(lambda event, _: None if isinstance(event, Announced) else seen.put_nowait(event))


async def test_what_nobody_asked_for_is_reported_and_answers_nothing(pair: Pair) -> None:
    seen: asyncio.Queue[Event] = asyncio.Queue()
    watch_answers(pair.controller, seen)
    to = pair.controller.link.local
    stray = Frame(4242, METER, CONTROLLER, Esv.GET_RES, [(0xD3, bytes(4))]).encode()
    for data, kind in ((stray, Stray), (b"\x10\x81\x00", Malformed), (b"", Malformed)):
        pair.meter.link.send(data, to)
        event = await asyncio.wait_for(seen.get(), 5)
        assert isinstance(event, kind)


async def test_a_late_answer_is_late_and_a_second_one_is_a_duplicate(pair: Pair) -> None:
    """The stranger here is a bare socket that answers twice, and after the time is over."""
    loop = asyncio.get_running_loop()
    host = fresh_address()
    requests: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    class Stranger(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            requests.put_nowait((data, addr))

    transport, _ = await loop.create_datagram_endpoint(Stranger, local_addr=(host, 3610))
    seen: asyncio.Queue[Event] = asyncio.Queue()
    watch_answers(pair.controller, seen)
    peer = Peer(host)

    def answer(data: bytes) -> bytes:
        asked = decode(data)
        assert isinstance(asked, Frame)
        return Frame(asked.tid, asked.deoj, asked.seoj, Esv.GET_RES, [(0xD3, bytes(4))]).encode()

    pair.controller.use_profile(peer, replace(load_profile("fast"), timer_one_s=0.05, retries=0))
    with pytest.raises(NoAnswerError):
        await pair.controller.get(peer, METER, [0xD3])
    data, addr = await requests.get()
    transport.sendto(answer(data), addr)
    assert isinstance(await asyncio.wait_for(seen.get(), 5), Late)

    pair.controller.use_profile(peer, load_profile("fast"))
    asking = asyncio.ensure_future(pair.controller.get(peer, METER, [0xD3]))
    data, addr = await requests.get()
    transport.sendto(answer(data), addr)
    transport.sendto(answer(data), addr)
    assert (await asking).values == {0xD3: bytes(4)}
    assert isinstance(await asyncio.wait_for(seen.get(), 5), Duplicate)
    transport.close()


async def test_a_taken_port_is_said_in_one_sentence(pair: Pair) -> None:
    with pytest.raises(LinkError, match=r"port 3610 is taken by .*process \d+") as caught:
        await UdpLink.open(pair.peer.host)
    assert "使われています" in caught.value.text("ja")
    assert caught.value.exit_status == 3


@pytest.mark.parametrize(
    ("host", "sentence"),
    [("192.0.2.7", "is not an address of this machine"), ("fe80::1%nosuch0", "cannot be opened")],
)
async def test_an_address_that_is_not_ours(host: str, sentence: str) -> None:
    with pytest.raises(LinkError, match=sentence):
        await UdpLink.open(host)


def test_a_hosted_object_refuses_what_does_not_fit() -> None:
    wrong: dict[str, Value] = {"energy_digits": 9}
    with pytest.raises(ValueError, match="energy_digits"):
        HostedObject(METER, wrong)
    with pytest.raises(ValueError, match="no_such"):
        HostedObject(METER, {"no_such": 1})


async def test_a_second_try_goes_where_the_first_went(pair: Pair) -> None:
    """The stranger listens on a port of its own and is deaf to the first datagram."""
    loop = asyncio.get_running_loop()
    host = fresh_address()
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    class Stranger(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            heard.put_nowait(data)
            if heard.qsize() == 2:
                asked = decode(data)
                assert isinstance(asked, Frame)
                answer = Frame(asked.tid, asked.deoj, asked.seoj, Esv.GET_RES, [(0xD3, bytes(4))])
                transport.sendto(answer.encode(), addr)

    transport, _ = await loop.create_datagram_endpoint(Stranger, local_addr=(host, 3611))
    peer = Peer(host, 3611)
    pair.controller.use_profile(peer, replace(load_profile("fast"), timer_one_s=0.1, retries=1))
    assert (await pair.controller.get(peer, METER, [0xD3])).values == {0xD3: bytes(4)}
    assert heard.get_nowait() == heard.get_nowait(), "the same question, the same transaction number"
    transport.close()
