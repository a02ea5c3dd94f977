"""Writing pcapng, reading pcapng and pcap, replaying; Wireshark's own tools are the judges."""

from __future__ import annotations

import asyncio
import io
import shutil
import struct
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.clock import JST, ManualClock
from koatsu.errors import UsageError
from koatsu.node.capture import Capture, CapturingLink
from koatsu.node.capture_reader import CaptureError, CaptureReader, read_capture
from koatsu.node.link import Peer
from koatsu.node.loopback import Network
from koatsu.node.packets import Datagram, NotADatagram, build_packet, parse_packet
from koatsu.node.replay import ReplayLink, replay

AT = datetime(2026, 4, 1, 0, 30, 0, 123456, tzinfo=UTC)
# A Get of 0xE2 of a high-voltage meter, and an answer whose length is odd.
GET = bytes.fromhex("1081000105FF01028A016201E200")
ODD = bytes.fromhex("10810001028A0105FF017201800130")

V4 = Datagram(at=AT, source=Peer("192.0.2.1"), destination=Peer("192.0.2.2"), data=GET)
V6 = Datagram(
    at=AT, source=Peer("fe80::1", 3610, "eth0"), destination=Peer("fe80::2", 3610, "eth0"), data=ODD
)
GROUP4 = Datagram(at=AT, source=Peer("192.0.2.2"), destination=Peer("224.0.23.0"), data=ODD)
GROUP6 = Datagram(at=AT, source=Peer("fe80::2", 3610, "eth0"), destination=Peer("ff02::1"), data=b"")
OTHER_PORT = Datagram(at=AT, source=Peer("192.0.2.1", 41000), destination=Peer("192.0.2.2"), data=GET)
ALL = [V4, V6, GROUP4, GROUP6, OTHER_PORT]


def written(datagrams: list[Datagram]) -> bytes:
    file = io.BytesIO()
    capture = Capture(file, process="test", host="here")
    for datagram in datagrams:
        capture.write(datagram)
    return file.getvalue()


def read(data: bytes, **options: int | None) -> list[Datagram]:
    return list(CaptureReader(io.BytesIO(data), **options))


# -- our writer and our reader ------------------------------------------------------------------------------

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=2_500_000)).map(lambda since: EPOCH + since)
PORTS = st.integers(0, 65535)
V4_ADDRESSES = st.ip_addresses(v=4).map(str)
V6_ADDRESSES = st.ip_addresses(v=6).map(str)
DATAGRAMS = st.sampled_from([V4_ADDRESSES, V6_ADDRESSES]).flatmap(
    lambda addresses: st.builds(
        Datagram,
        at=MOMENTS,
        source=st.builds(Peer, addresses, PORTS, zone=st.just("")),
        destination=st.builds(Peer, addresses, PORTS, zone=st.just("")),
        data=st.binary(max_size=300),
    )
)


@given(st.lists(DATAGRAMS, max_size=4))
def test_what_is_written_is_read(datagrams: list[Datagram]) -> None:
    assert read(written(datagrams), port=None) == datagrams


def test_zones_come_back_as_interface_names() -> None:
    assert read(written(ALL)) == ALL


def test_only_the_port_asked_for() -> None:
    stranger = Datagram(at=AT, source=Peer("192.0.2.1", 53), destination=Peer("192.0.2.2", 53), data=b"?")
    reader = CaptureReader(io.BytesIO(written([V4, stranger, OTHER_PORT])))
    assert list(reader) == [V4, OTHER_PORT]
    assert reader.skipped == {"other port": 1}


def test_times_are_aware_and_kept_in_utc() -> None:
    at_the_edge = Datagram(at=AT.astimezone(JST), source=V4.source, destination=V4.destination, data=GET)
    assert at_the_edge.at.tzinfo is UTC
    with pytest.raises(ValueError, match="without zone"):
        Datagram(at=AT.replace(tzinfo=None), source=V4.source, destination=V4.destination, data=GET)
    with pytest.raises(ValueError, match="families"):
        Datagram(at=AT, source=V4.source, destination=V6.destination, data=GET)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: build_packet(Peer("192.0.2.1"), Peer("192.0.2.2"), bytes(65_508)),
        lambda: build_packet(Peer("::1"), Peer("::2"), bytes(65_528)),
        lambda: build_packet(Peer("192.0.2.1"), Peer("::2"), b""),
        lambda: build_packet(Peer("192.0.2.1", 65536), Peer("192.0.2.2"), b""),
        lambda: build_packet(Peer("meter"), Peer("192.0.2.2"), b""),
        lambda: written(
            [Datagram(at=AT.replace(year=1969), source=V4.source, destination=V4.source, data=b"")]
        ),
    ],
)
def test_what_cannot_be_a_packet_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError):
        wrong()


def test_the_largest_datagrams_fit() -> None:
    assert parse_packet(101, build_packet(Peer("192.0.2.1"), Peer("192.0.2.2"), bytes(65_507)))[2] == bytes(
        65_507
    )
    assert parse_packet(101, build_packet(Peer("::1"), Peer("::2"), bytes(65_527)))[2] == bytes(65_527)


# -- files of others: made by hand from the two specifications ----------------------------------------------


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + length + body + length


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str, major: int = 1) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, major, 0, -1))


def interface(order: str, link_type: int = 101, snap: int = 0, *options: tuple[int, bytes]) -> bytes:
    tail = b"".join(option(order, code, value) for code, value in options)
    return block(order, 1, struct.pack(f"{order}HHI", link_type, 0, snap) + tail)


def enhanced(order: str, packet: bytes, stamp: int, number: int = 0, original: int | None = None) -> bytes:
    length = len(packet) if original is None else original
    head = struct.pack(f"{order}IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, len(packet), length)
    return block(order, 6, head + packet + bytes(-len(packet) % 4))


PACKET = build_packet(V4.source, V4.destination, GET)
PACKET6 = build_packet(V6.source, V6.destination, ODD)
STAMP = 1_775_003_400_123_456  # AT in microseconds


@pytest.mark.parametrize("order", "<>")
def test_both_byte_orders(order: str) -> None:
    assert read(section(order) + interface(order) + enhanced(order, PACKET, STAMP)) == [V4]


def test_a_new_section_may_turn_the_byte_order_and_forgets_the_interfaces() -> None:
    half = section("<") + interface("<") + enhanced("<", PACKET, STAMP)
    assert read(half + section(">") + interface(">") + enhanced(">", PACKET, STAMP)) == [V4, V4]
    with pytest.raises(CaptureError, match="interface 0 is not described"):
        read(half + section(">") + enhanced(">", PACKET, STAMP))


@pytest.mark.parametrize(
    ("options", "stamp"),
    [
        ([(9, b"\x06")], STAMP),
        ([(9, b"\x09")], STAMP * 1000 + 999),  # finer than we keep: cut
        ([(9, b"\x03")], STAMP // 1000),
        ([(9, b"\x94")], (STAMP << 20) // 10**6 + 1),  # powers of two
        ([(14, struct.pack("<q", 3600)), (9, b"\x06")], STAMP - 3_600_000_000),
    ],
)
def test_units_and_offsets_of_time_stamps(options: list[tuple[int, bytes]], stamp: int) -> None:
    (datagram,) = read(section("<") + interface("<", 101, 0, *options) + enhanced("<", PACKET, stamp))
    assert abs(datagram.at - AT) < timedelta(milliseconds=1)


def test_a_simple_packet_has_no_time_of_its_own() -> None:
    simple = block("<", 3, struct.pack("<I", len(PACKET)) + PACKET)
    head = section("<") + interface("<")
    before, after = read(head + simple + enhanced("<", PACKET, STAMP) + simple)[::2]
    assert (before.at, before.stamped) == (datetime(1970, 1, 1, tzinfo=UTC), False)
    assert (after.at, after.stamped) == (AT, False)


def test_a_packet_cut_by_the_snap_length_is_passed_over_never_shortened() -> None:
    simple = block("<", 3, struct.pack("<I", len(PACKET)) + PACKET[:40])
    cut = enhanced("<", PACKET[:40], STAMP, original=len(PACKET))
    reader = CaptureReader(io.BytesIO(section("<") + interface("<", 101, 40) + simple + cut))
    assert list(reader) == []
    assert reader.skipped == {"cut packet": 2}


def test_the_obsolete_packet_block() -> None:
    body = struct.pack("<HHIIII", 0, 7, STAMP >> 32, STAMP & 0xFFFFFFFF, len(PACKET), len(PACKET)) + PACKET
    assert read(section("<") + interface("<") + block("<", 2, body)) == [V4]


def test_unknown_blocks_and_link_types_are_passed_over() -> None:
    data = section("<") + block("<", 0xBAD, b"????") + interface("<", 189) + interface("<")
    reader = CaptureReader(
        io.BytesIO(data + enhanced("<", b"usb", STAMP, 0) + enhanced("<", PACKET, STAMP, 1))
    )
    assert list(reader) == [V4]
    assert reader.skipped == {"link type 189": 1}


@pytest.mark.parametrize(
    ("link_type", "wrapped"),
    [
        (1, bytes(12) + b"\x08\x00" + PACKET),
        (1, bytes(12) + b"\x08\x00" + PACKET + bytes(6)),  # padded to the shortest Ethernet frame
        (1, bytes(12) + b"\x81\x00\x00\x05\x08\x00" + PACKET),
        (1, bytes(12) + b"\x88\xa8\x00\x05\x81\x00\x00\x06\x08\x00" + PACKET),
        (0, b"\x02\x00\x00\x00" + PACKET),
        (0, b"\x00\x00\x00\x02" + PACKET),
        (108, b"\x00\x00\x00\x02" + PACKET),
        (113, bytes(14) + b"\x08\x00" + PACKET),
        (228, PACKET),
        (276, b"\x08\x00" + bytes(18) + PACKET),
        (1, bytes(12) + b"\x86\xdd" + PACKET6),
        (0, b"\x1e\x00\x00\x00" + PACKET6),
        (229, PACKET6),
    ],
)
def test_link_types(link_type: int, wrapped: bytes) -> None:
    expected = V4 if PACKET in wrapped else V6
    name = (2, b"eth0")
    assert read(section("<") + interface("<", link_type, 0, name) + enhanced("<", wrapped, STAMP)) == [
        expected
    ]


def with_headers(packet: bytes, first: int, *headers: bytes) -> bytes:
    """An IPv6 packet with extension headers put in before UDP."""
    payload = b"".join(headers) + packet[40:]
    return packet[:4] + len(payload).to_bytes(2, "big") + bytes([first]) + packet[7:40] + payload


HOP_BY_HOP_THEN_UDP = bytes([17, 0, 1, 4, 0, 0, 0, 0])
ATOMIC_FRAGMENT = bytes([17, 0, 0, 0, 0, 0, 0, 1])
MORE_FRAGMENTS = bytes([17, 0, 0, 1, 0, 0, 0, 1])


@pytest.mark.parametrize(
    "packet",
    [with_headers(PACKET6, 0, HOP_BY_HOP_THEN_UDP), with_headers(PACKET6, 44, ATOMIC_FRAGMENT)],
)
def test_ipv6_extension_headers(packet: bytes) -> None:
    assert parse_packet(101, packet, "eth0") == (V6.source, V6.destination, ODD)


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"", "cut packet"),
        (b"\x50" + bytes(40), "not IP"),
        (PACKET[:-1], "cut packet"),
        (PACKET[:27], "cut packet"),
        (PACKET[:9] + b"\x06" + PACKET[10:], "not UDP"),
        (PACKET[:6] + b"\x20\x00" + PACKET[8:], "fragment"),
        (PACKET[:6] + b"\x00\x01" + PACKET[8:], "fragment"),
        (b"\x44" + PACKET[1:], "cut packet"),  # a header shorter than a header
        (PACKET[:24] + b"\x00\x07" + PACKET[26:], "cut packet"),  # UDP shorter than its own header
        (PACKET[:24] + b"\x01\x00" + PACKET[26:], "cut packet"),  # UDP longer than IP
        (PACKET6[:6] + b"\x3a" + PACKET6[7:], "not UDP"),
        (PACKET6[:-1], "cut packet"),
        (with_headers(PACKET6, 44, MORE_FRAGMENTS), "fragment"),
        (with_headers(PACKET6, 0, *[bytes([0, 0, 1, 4, 0, 0, 0, 0])] * 100), "not UDP"),
    ],
)
def test_what_is_no_datagram_says_why(packet: bytes, reason: str) -> None:
    with pytest.raises(NotADatagram, match=f"^{reason}$"):
        parse_packet(101, packet)


@given(st.sampled_from([0, 1, 101, 108, 113, 228, 229, 276]), st.binary(max_size=120))
def test_any_packet_gives_a_datagram_or_the_reason(link_type: int, packet: bytes) -> None:
    try:
        parse_packet(link_type, packet)
    except NotADatagram:
        pass


def pcap(
    order: str, packet: bytes, *, magic: int = 0xA1B2C3D4, link: int = 101, fraction: int = 123456
) -> bytes:
    head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    return head + struct.pack(f"{order}IIII", STAMP // 10**6, fraction, len(packet), len(packet)) + packet


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("link", [101, 12, 0x1400_0065])
def test_classic_pcap(order: str, link: int) -> None:
    assert read(pcap(order, PACKET, link=link)) == [V4]
    assert read(pcap(order, PACKET, link=link, magic=0xA1B23C4D, fraction=123456789)) == [V4]


# -- damaged files ------------------------------------------------------------------------------------------

GOOD = section("<") + interface("<", 101, 0, (9, b"\x06")) + enhanced("<", PACKET, STAMP)


@pytest.mark.parametrize(
    ("data", "offset", "word"),
    [
        (b"", 0, "empty or too short"),
        (b"GIF89a", 0, "neither pcapng nor pcap"),
        (GOOD[:-1], len(GOOD) - 1, "ends in the middle"),
        (GOOD[:-4] + b"\xff\xff\xff\xff", len(GOOD) - 4, "two lengths"),
        (GOOD[:8] + b"abcd" + GOOD[12:], 8, "byte-order"),
        (section("<", major=2), 12, "version 2"),
        (section("<") + struct.pack("<II", 5, 13), 32, "a block of 13 bytes"),
        (section("<") + struct.pack("<II", 5, 0xFFFFFFFC), 32, "cannot be"),
        (section("<") + block("<", 1, b"1234"), 36, "too short"),
        (section("<") + block("<", 1, struct.pack("<HHIHH", 101, 0, 0, 2, 99)), 44, "option is longer"),
        (section("<") + interface("<", 101, 0, (14, b"1234")), 48, "too short"),
        (section("<") + interface("<") + enhanced("<", b"", 2**64 - 1), 56, "out of range"),
        (section("<") + interface("<") + block("<", 3, struct.pack("<I", 99)), 56, "longer than its block"),
        (pcap("<", b"", link=127), 20, "link type 127"),
        (pcap("<", b"", fraction=10**6), 28, "fraction"),
        (pcap("<", PACKET)[:30], 30, "ends in the middle"),
        (pcap("<", b"")[:32] + b"\xff\xff\xff\x7f" + bytes(4), 32, "cannot be"),
    ],
)
def test_a_damaged_file_is_one_error_with_its_place(data: bytes, offset: int, word: str) -> None:
    with pytest.raises(CaptureError, match=word) as caught:
        read(data)
    assert caught.value.offset == offset
    assert f"byte {offset} " in caught.value.text("en")
    assert str(offset) in caught.value.text("ja")


def test_what_stands_before_the_damage_is_read() -> None:
    datagrams = iter(CaptureReader(io.BytesIO(GOOD + b"\x06\x00")))
    assert next(datagrams) == V4
    with pytest.raises(CaptureError):
        next(datagrams)


def read_or_refused(data: bytes) -> None:
    offset = 0
    try:
        read(data, port=None)
    except CaptureError as error:
        offset = error.offset
    assert 0 <= offset <= len(data)


@given(st.binary(max_size=200))
def test_any_bytes_give_datagrams_or_the_one_error(data: bytes) -> None:
    for magic in (b"", GOOD[:12], section("<"), section(">") + interface(">"), pcap("<", b"")[:24]):
        read_or_refused(magic + data)


@given(st.data())
def test_any_mutant_of_a_good_file_gives_datagrams_or_the_one_error(data: st.DataObject) -> None:
    good = bytearray(data.draw(st.sampled_from([written(ALL), GOOD, pcap(">", PACKET) * 2])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(good) - 1))
        good[at] = data.draw(st.integers(0, 255))
    read_or_refused(bytes(good[: data.draw(st.integers(0, len(good)))]))


def test_a_missing_file_and_an_unwritable_place(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="cannot be opened"):
        list(read_capture(tmp_path / "nothing.pcapng"))
    with pytest.raises(UsageError, match="cannot be written"):
        Capture.open(tmp_path / "no folder" / "a.pcapng")


# -- a link that writes down --------------------------------------------------------------------------------


async def test_a_capturing_link_shows_both_directions_and_the_group(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    network = Network()
    clock = ManualClock(AT)
    link = CapturingLink(network.attach("192.0.2.1"), Capture.open(path), clock)
    other = network.attach("192.0.2.2")
    heard: list[tuple[bytes, Peer, bool]] = []
    link.set_receiver(lambda data, peer, multicast: heard.append((data, peer, multicast)))
    link.send(GET, Peer("192.0.2.2"))
    clock.advance(timedelta(seconds=1))
    link.multicast(GET)
    other.send(ODD, link.local)
    other.multicast(ODD)
    await network.settled()
    assert heard == [(ODD, other.local, False), (ODD, other.local, True)]
    # Readable before it is closed: a killed process leaves a good file.
    seen = [(d.at, d.source, d.destination, d.data) for d in read_capture(path)]
    later = AT + timedelta(seconds=1)
    assert seen == [
        (AT, link.local, other.local, GET),
        (later, link.local, Peer("224.0.23.0"), GET),
        (later, other.local, link.local, ODD),
        (later, other.local, Peer("224.0.23.0"), ODD),
    ]
    await link.close()
    assert network.hosts == (other.local,)


async def test_a_node_of_one_family_hears_the_other() -> None:
    file = io.BytesIO()
    network = Network()
    link = CapturingLink(network.attach("::1"), Capture(file), ManualClock(AT))
    link.set_receiver(lambda *_: None)
    network.attach("192.0.2.2").send(GET, Peer("::1"))
    await network.settled()
    (datagram,) = read(file.getvalue())
    assert (datagram.source, datagram.destination) == (Peer("192.0.2.2"), Peer("0.0.0.0"))
    await link.close()


async def test_a_full_disk_ends_the_capture_and_not_the_traffic(caplog: pytest.LogCaptureFixture) -> None:
    class FullDisk(io.BytesIO):
        full = False

        def write(self, data: object) -> int:
            if self.full:
                raise OSError(28, "No space left on device")
            return super().write(data)

        def close(self) -> None:
            raise OSError(28, "No space left on device")

    disk = FullDisk()
    network = Network()
    link = CapturingLink(network.attach("192.0.2.1"), Capture(disk), ManualClock(AT))
    heard: list[bytes] = []
    network.attach("192.0.2.2").set_receiver(lambda data, *_: heard.append(data))
    disk.full = True
    link.send(GET, Peer("192.0.2.2"))
    link.send(ODD, Peer("192.0.2.2"))
    await network.settled()
    assert heard == [GET, ODD]
    assert link.failure is not None
    assert caplog.text.count("The capture has ended") == 1
    await link.close()


async def test_what_no_datagram_can_carry_is_not_captured_but_handed_on() -> None:
    file = io.BytesIO()
    network = Network()
    link = CapturingLink(network.attach("192.0.2.1"), Capture(file))
    link.send(bytes(70_000), Peer("192.0.2.2"))
    assert network.counters.sent == 1
    assert read(file.getvalue()) == []
    await link.close()


# -- replay -------------------------------------------------------------------------------------------------


def at(seconds: float, datagram: Datagram) -> Datagram:
    return Datagram(
        at=AT + timedelta(seconds=seconds),
        source=datagram.source,
        destination=datagram.destination,
        data=datagram.data,
    )


async def test_replay_keeps_order_and_tells_groups() -> None:
    heard: list[tuple[bytes, Peer, bool]] = []
    count = await replay([V4, GROUP4], lambda *call: heard.append(call), speed=None)
    assert count == 2
    assert heard == [(GET, V4.source, False), (ODD, GROUP4.source, True)]


@pytest.mark.parametrize(("speed", "shortest"), [(1.0, 0.06), (2.0, 0.03)])
async def test_replay_keeps_gaps_and_a_clock_set_back_is_none(speed: float, shortest: float) -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []
    recorded = [at(0, V4), at(-3600, V4), at(-3600 + 0.06, V4)]
    await replay(recorded, lambda *_: times.append(loop.time()), speed=speed)
    assert times[-1] - times[0] >= shortest - 0.002  # the loop's timer resolution


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
async def test_replay_refuses_a_speed_that_is_none(speed: float) -> None:
    with pytest.raises(UsageError, match="speed"):
        await replay([], lambda *_: None, speed=speed)


async def test_a_replay_link_lets_a_node_relive_its_part() -> None:
    stranger = Datagram(at=AT, source=V4.source, destination=Peer("192.0.2.77"), data=b"not ours")
    own = Datagram(at=AT, source=Peer("192.0.2.2"), destination=V4.source, data=b"what it said then")
    link = ReplayLink([V4, stranger, own, GROUP4, V4], Peer("192.0.2.2"), speed=None)

    def answer(data: bytes, peer: Peer, multicast: bool) -> None:
        link.send(b"answer to " + data[:2], peer)
        link.multicast(b"to all")

    link.set_receiver(answer)
    assert await link.play() == 2  # GROUP4 was sent by the node itself
    assert link.sent == [(b"answer to \x10\x81", V4.source), (b"to all", Peer("224.0.23.0"))] * 2


async def test_closing_a_replay_link_ends_the_replay() -> None:
    link = ReplayLink([V4, V4, V4], Peer("192.0.2.2"), speed=None)
    heard: list[bytes] = []
    closing: list[asyncio.Task[None]] = []

    def once(data: bytes, *_: object) -> None:
        heard.append(data)
        closing.append(asyncio.get_running_loop().create_task(link.close()))

    link.set_receiver(once)
    await link.play()
    assert heard == [GET]
    link.send(b"too late", V4.source)
    assert link.sent == []


# -- Wireshark's tools are the judges -----------------------------------------------------------------------


def tool(name: str) -> str:
    """One of the small programs that Debian installs beside tshark."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed; apt-get install -y tshark")
    return path


def run(*command: str | Path, **options: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, input=options.get("input")
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_tshark_reads_our_file(tmp_path: Path, tshark: str) -> None:
    path = tmp_path / "ours.pcapng"
    with Capture.open(path, process="koatsu test", host="a machine") as capture:
        for datagram in ALL:
            capture.write(datagram, sent=datagram is V4)
    fields = (
        "frame.time_epoch", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "udp.srcport", "udp.dstport",
        "udp.checksum.status", "ip.checksum.status", "udp.payload", "frame.packet_flags_direction",
        "frame.interface_name", "_ws.expert.severity", "_ws.malformed",
    )  # fmt: skip
    # No dissector above UDP: what is judged is the packet, not the payload.
    table = run(
        tshark, "-r", path, "-T", "fields", *(part for field in fields for part in ("-e", field)),
        "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "--disable-protocol", "echonet",
    )  # fmt: skip
    rows = [dict(zip(fields, line.split("\t"), strict=True)) for line in table.splitlines()]
    assert len(rows) == len(ALL)
    for row, datagram in zip(rows, ALL, strict=True):
        family = "ipv6" if datagram.source.is_ipv6 else "ip"
        assert row["frame.time_epoch"] == f"{STAMP // 10**6}.{STAMP % 10**6:06d}000"
        assert row[f"{family}.src"] == datagram.source.host
        assert row[f"{family}.dst"] == datagram.destination.host
        assert (row["udp.srcport"], row["udp.dstport"]) == (
            str(datagram.source.port),
            str(datagram.destination.port),
        )
        assert row["udp.checksum.status"] == "1", "1 is good"
        assert row["ip.checksum.status"] == ("" if datagram.source.is_ipv6 else "1")
        assert row["udp.payload"].replace(":", "") == datagram.data.hex()
        # Wireshark shows the description where an interface has no name.
        assert row["frame.interface_name"] == (datagram.source.zone or "koatsu test on a machine")
        assert row["frame.packet_flags_direction"] == ("0x00000002" if datagram is V4 else "0x00000001")
        assert row["_ws.malformed"] == ""
        # Severities: 2097152 chat, 4194304 note, 6291456 warning, 8388608 error.
        assert int(row["_ws.expert.severity"] or 0) < 6291456
    assert "koatsu" in run(tool("capinfos"), path)


@pytest.mark.parametrize("kind", ["pcap", "nsecpcap", "pcapng"])
def test_editcap_converts_our_file_and_we_read_the_result(tmp_path: Path, kind: str) -> None:
    editcap = tool("editcap")
    same = [V4, GROUP4, OTHER_PORT]  # one interface: classic pcap has no more
    ours, theirs = tmp_path / "ours.pcapng", tmp_path / f"theirs.{kind}"
    ours.write_bytes(written(same))
    run(editcap, "-F", kind, ours, theirs)
    assert list(read_capture(theirs)) == same


def test_text2pcap_writes_ethernet_and_we_read_it(tmp_path: Path) -> None:
    text2pcap = tool("text2pcap")
    dump = "0000 " + " ".join(f"{byte:02x}" for byte in GET) + "\n"
    theirs = tmp_path / "theirs.pcapng"
    run(text2pcap, "-4", "192.0.2.1,192.0.2.2", "-u", "41000,3610", "-", theirs, input=dump)
    (datagram,) = read_capture(theirs)
    assert (datagram.source, datagram.destination) == (Peer("192.0.2.1", 41000), Peer("192.0.2.2"))
    assert datagram.data == GET


def test_tshark_splits_our_file_and_we_read_the_result(tmp_path: Path, tshark: str) -> None:
    ours, theirs = tmp_path / "ours.pcapng", tmp_path / "theirs.pcapng"
    ours.write_bytes(written(ALL))
    run(tshark, "-r", ours, "-Y", "udp.port == 3610", "-w", theirs)
    assert list(read_capture(theirs)) == ALL
