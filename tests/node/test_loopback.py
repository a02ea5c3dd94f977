"""The in-process network: who gets what, seeded fates, cables, counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koatsu.errors import UsageError
from koatsu.node.faults import FaultChanges, Faults
from koatsu.node.link import Link, Peer
from koatsu.node.loopback import Network

A, B, C = "127.0.0.1", "127.0.0.2", "fe80::3"


class Inbox:
    """What arrived at one link."""

    def __init__(self, link: Link) -> None:
        self.got: list[tuple[bytes, Peer, bool]] = []
        link.set_receiver(lambda data, peer, multicast: self.got.append((data, peer, multicast)))

    @property
    def data(self) -> list[bytes]:
        return [data for data, _, _ in self.got]


async def test_unicast_reaches_one_and_multicast_all_others() -> None:
    network = Network()
    links = [network.attach(host) for host in (A, B, C)]
    a, b, c = (Inbox(link) for link in links)
    links[0].send(b"to b", Peer(B))
    links[0].multicast(b"to all")
    assert not b.got, "delivery must not happen inside send"
    await network.settled()
    assert b.got == [(b"to b", Peer(A), False), (b"to all", Peer(A), True)]
    assert c.got == [(b"to all", Peer(A), True)]
    assert a.got == []


async def test_a_node_reaches_itself_by_unicast_and_ports_are_apart() -> None:
    network = Network()
    link, other = network.attach(A), network.attach(A, port=40000)
    inbox, beside = Inbox(link), Inbox(other)
    link.send(b"self", Peer(A))
    link.send(b"beside", Peer(A, 40000))
    await network.settled()
    assert inbox.data == [b"self"]
    assert beside.data == [b"beside"]


async def test_the_sender_may_reuse_its_buffer() -> None:
    network = Network()
    link, inbox = network.attach(A), Inbox(network.attach(B))
    buffer = bytearray(b"one")
    link.send(buffer, Peer(B))
    buffer[:] = b"two"
    await network.settled()
    assert inbox.data == [b"one"]


async def test_nobody_there_no_receiver_and_too_long_are_lost() -> None:
    network = Network()
    link = network.attach(A)
    network.attach(B)
    link.send(b"x", Peer("127.0.0.9"))
    link.send(b"x", Peer(B))
    link.send(bytes(65_508), Peer(B))
    await network.settled()
    assert (network.counters.sent, network.counters.lost) == (3, 3)


async def test_a_pulled_cable_loses_what_goes_in_what_comes_out_and_what_is_under_way() -> None:
    network = Network()
    a, b = network.attach(A), network.attach(B)
    at_a, at_b = Inbox(a), Inbox(b)
    a.send(b"under way", Peer(B))
    network.unplug(B)
    a.send(b"in", Peer(B))
    b.send(b"out", Peer(A))
    b.multicast(b"out to all")
    await network.settled()
    assert (at_a.got, at_b.got) == ([], [])
    assert network.counters.lost == 4
    network.replug(B)
    a.send(b"again", Peer(B))
    await network.settled()
    assert at_b.data == [b"again"]


async def test_close_frees_the_address_and_ends_sending() -> None:
    network = Network()
    a, b = network.attach(A), network.attach(B)
    old = Inbox(b)
    a.send(b"late", Peer(B))
    await b.close()
    await b.close()
    b.send(b"from the grave", Peer(A))
    new = Inbox(network.attach(B))
    await network.settled()
    assert old.got == []
    assert new.data == [b"late"]  # the address has a new owner, as on a real network
    assert network.counters.sent == 1
    assert network.hosts == (Peer(A), Peer(B))


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (lambda network: network.attach("meter"), "not an IP address"),
        (lambda network: network.attach("0:0:0:0:0:0:0:1"), "taken"),
        (lambda network: network.unplug("10.0.0.1"), "nobody is attached"),
        (lambda _: Network(loss=1.5), "loss is a probability"),
        (lambda _: Network(corrupt=-0.1), "corrupt is a probability"),
        (lambda _: Network(delay_s=(2.0, 1.0)), "delay_s"),
        (lambda _: Network(delay_s=(-1.0, 1.0)), "delay_s"),
    ],
)
def test_wrong_use_is_one_sentence(wrong: Callable[[Network], object], word: str) -> None:
    network = Network()
    network.attach("::1")
    with pytest.raises(UsageError, match=word):
        wrong(network)


def test_the_typed_keywords_are_the_fields_of_faults() -> None:
    assert set(FaultChanges.__annotations__) == set(Faults.__slots__)


def _run(seed: int, messages: list[tuple[int, bytes]], **faults: object) -> tuple[list[list[bytes]], Network]:
    """Send (from A or B, data) to C one by one; what C got from each, and the network."""

    async def run() -> tuple[list[list[bytes]], Network]:
        network = Network(seed, **faults)
        links = [network.attach(host) for host in (A, B)]
        inbox = Inbox(network.attach(C))
        for sender, data in messages:
            links[sender].send(data, Peer(C))
        await network.settled()
        return [[d for d, peer, _ in inbox.got if peer.host == host] for host in (A, B)], network

    return asyncio.run(run())


MESSAGES = st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=20)), max_size=20)
ROUGH = {"loss": 0.2, "duplicate": 0.2, "corrupt": 0.2, "reorder": 0.2}


# A held-back datagram waits 50 ms of real time: fewer examples, no deadline.
PATIENT = settings(max_examples=40, deadline=None)


@PATIENT
@given(seed=st.integers(), messages=MESSAGES)
def test_same_seed_same_datagrams_same_fates(seed: int, messages: list[tuple[int, bytes]]) -> None:
    first, network = _run(seed, messages, **ROUGH)
    again, other = _run(seed, messages, **ROUGH)
    assert first == again
    assert network.counters == other.counters


@PATIENT
@given(seed=st.integers(), messages=MESSAGES)
def test_the_fates_of_a_path_do_not_depend_on_other_paths(
    seed: int, messages: list[tuple[int, bytes]]
) -> None:
    both, _ = _run(seed, messages, **ROUGH)
    alone, _ = _run(seed, [m for m in messages if m[0] == 0], **ROUGH)
    assert both[0] == alone[0]


@PATIENT
@given(seed=st.integers(), messages=MESSAGES)
def test_every_datagram_is_accounted_for(seed: int, messages: list[tuple[int, bytes]]) -> None:
    got, network = _run(seed, messages, **ROUGH)
    counters = network.counters
    assert network.in_flight == 0
    assert counters.sent == len(messages)
    assert counters.delivered == sum(map(len, got))
    assert counters.sent + counters.duplicated == counters.delivered + counters.lost


@PATIENT
@given(seed=st.integers(), data=st.binary(max_size=60))
def test_corruption_always_changes_the_bytes(seed: int, data: bytes) -> None:
    got, _ = _run(seed, [(0, data)], corrupt=1.0)
    assert len(got[0]) == 1
    assert got[0][0] != data


def test_corruption_flips_cuts_and_extends() -> None:
    data = bytes(range(40))
    got, _ = _run(1, [(0, data)] * 60, corrupt=1.0)
    lengths = {(len(d) > 40) - (len(d) < 40) for d in got[0]}
    assert lengths == {-1, 0, 1}


def test_faults_come_about_as_often_as_asked() -> None:
    _, network = _run(7, [(0, b"x")] * 2000, loss=0.25, duplicate=0.1)
    assert 400 < network.counters.lost < 600
    assert 100 < network.counters.duplicated < 200  # of the three quarters that were not lost


def test_reordering_changes_the_order_and_nothing_else() -> None:
    messages = [(0, bytes([n])) for n in range(100)]
    got, network = _run(3, messages, reorder=0.3)
    assert sorted(got[0]) == [data for _, data in messages]
    assert got[0] != [data for _, data in messages]
    assert network.counters.reordered > 0


def test_a_held_datagram_that_nothing_overtakes_still_arrives() -> None:
    got, network = _run(1, [(0, b"only")], reorder=1.0)
    assert got[0] == [b"only"]
    assert network.counters.reordered == 1


async def test_delay_is_kept() -> None:
    network = Network(delay_s=(0.03, 0.04))
    link, inbox = network.attach(A), Inbox(network.attach(B))
    loop = asyncio.get_running_loop()
    started = loop.time()
    link.send(b"x", Peer(B))
    await network.settled()
    assert inbox.data == [b"x"]
    assert loop.time() - started >= 0.03


async def test_faults_can_be_changed_while_running() -> None:
    network = Network(loss=1.0)
    link, inbox = network.attach(A), Inbox(network.attach(B))
    link.send(b"lost", Peer(B))
    network.change(loss=0.0)
    link.send(b"kept", Peer(B))
    await network.settled()
    assert inbox.data == [b"kept"]


async def test_settled_waits_for_answers_to_answers() -> None:
    network = Network()
    a, b = network.attach(A), network.attach(B)
    rounds = 0

    def bounce(data: bytes, peer: Peer, _: bool) -> None:
        nonlocal rounds
        rounds += 1
        if rounds < 50:
            (b if peer.host == A else a).send(data, peer)

    a.set_receiver(bounce)
    b.set_receiver(bounce)
    a.send(b"ball", Peer(B))
    await network.settled()
    assert rounds == 50
