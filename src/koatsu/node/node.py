"""A node: it asks, it answers, it announces. A thin asyncio shell around the pure engine.

One exchange at a time goes to any one address unless the link profile allows more, with the profile's pause
between two. Times for the engine are the event loop's: steps of the wall clock move no timer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from itertools import repeat

from koatsu.echonet import (
    CONTROLLER,
    NODE_PROFILE,
    Announced,
    Answered,
    Engine,
    Eoj,
    Esv,
    Event,
    Exchange,
    Frame,
    Malformed,
    Property,
    Requested,
    Resend,
    TimedOut,
    confirm,
    respond,
)
from koatsu.node.answers import Answer, Notification, answer_of
from koatsu.node.errors import NoAnswerError
from koatsu.node.hosted import HostedObject, NodeProfile
from koatsu.node.lane import Lane
from koatsu.node.link import Link, Peer
from koatsu.node.profiles import LinkProfile, load_profile

__all__ = ["Node"]

log = logging.getLogger(__name__)


class Node:
    """One ECHONET Lite node on a link.

    Args:
        link: the network; the node owns it and closes it.
        profile: timers and limits towards nodes that have no profile of their own.
        objects: what this node hosts; a controller object 0x05FF when nothing is given.
        unique: 13 bytes that tell this node from others; random when not given.
    """

    def __init__(
        self,
        link: Link,
        profile: LinkProfile | None = None,
        objects: Iterable[HostedObject] = (),
        *,
        unique: bytes | None = None,
    ) -> None:
        self.link = link
        self.profile = profile or load_profile("lv-default")
        self.objects: tuple[HostedObject, ...] = tuple(objects) or (HostedObject(CONTROLLER),)
        self.node_profile = NodeProfile(self.objects, unique=unique or os.urandom(13))
        self.eoj = self.objects[0].eoj
        self._all = (self.node_profile, *self.objects)
        self._by_eoj = {one.eoj: (one,) for one in self._all}
        self._loop = asyncio.get_running_loop()
        self._engine = Engine(
            matching=self.profile.match_answer_properties,
            trailing=self.profile.accept_trailing,
            first_tid=int.from_bytes(os.urandom(2), "big") or 1,
        )
        self._waiting: dict[int, asyncio.Future[Answered]] = {}
        self._asked: dict[int, Peer] = {}  # by TID, for asking again
        self._collecting: dict[int, Callable[[Answered, Peer], None]] = {}
        self._lanes: dict[str, Lane] = {}
        self._profiles: dict[str, LinkProfile] = {}
        self._listeners: list[Callable[[Notification], None]] = []
        self._watchers: list[Callable[[Event, Peer], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._closed = False
        for one in self._all:
            one.on_change = self._changed
        link.set_receiver(self._received)

    async def __aenter__(self) -> Node:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Announce our instance list, as a node does when it joins (specification, part 2, 4.3.1)."""
        self.node_profile.announce("instance_list_notification")

    async def close(self) -> None:
        """Give up what is open and leave the network."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()
        await self.link.close()

    # -- asking ---------------------------------------------------------------------------------------------

    def use_profile(self, peer: Peer, profile: LinkProfile) -> None:
        """Use ``profile`` towards ``peer`` from now on."""
        self._profiles[peer.address] = profile
        self._lanes.pop(peer.address, None)

    def profile_of(self, peer: Peer) -> LinkProfile:
        """The profile in use towards ``peer``."""
        return self._profiles.get(peer.address, self.profile)

    async def get(self, peer: Peer, eoj: Eoj, epcs: Sequence[int]) -> Answer:
        """Read properties in one request. Refused ones are listed, not raised.

        Raises:
            NoAnswerError: no answer within the profile's time and tries.
        """
        return answer_of(await self._ask(peer, eoj, Esv.GET, _bare(epcs)), peer)

    async def set(
        self, peer: Peer, eoj: Eoj, properties: Sequence[Property], *, response: bool = True
    ) -> Answer:
        """Write properties; with ``response`` wait for the receipt, else return as soon as it is sent.

        Without response a refusal (SetI_SNA) may still come; watchers see it.

        Raises:
            NoAnswerError: a receipt was wanted and none came.
        """
        if not response:
            exchange = self._open(peer.address, self.profile_of(peer), eoj, Esv.SETI, properties)
            self.link.send(exchange.data, peer)
            return Answer({}, (), exchange.frame, peer, 0.0)
        return answer_of(await self._ask(peer, eoj, Esv.SETC, properties), peer)

    async def set_get(self, peer: Peer, eoj: Eoj, write: Sequence[Property], read: Sequence[int]) -> Answer:
        """Write, then read, in one request.

        Raises:
            NoAnswerError: no answer within the profile's time and tries.
        """
        return answer_of(await self._ask(peer, eoj, Esv.SETGET, write, _bare(read)), peer)

    async def request_notification(self, peer: Peer, eoj: Eoj, epcs: Sequence[int]) -> Answer:
        """Ask for an announcement (INF_REQ); the answer may come by multicast.

        Raises:
            NoAnswerError: none came.
        """
        return answer_of(await self._ask(peer, eoj, Esv.INF_REQ, _bare(epcs)), peer)

    async def collect(
        self,
        deoj: Eoj,
        epcs: Sequence[int],
        on_answer: Callable[[Answer], None],
        *,
        wait_s: float,
        also: Iterable[Peer] = (),
    ) -> None:
        """Ask every node by multicast, each of ``also`` by its address; hand on answers for ``wait_s``."""
        now = self._loop.time()
        exchange = self._engine.request(
            None, self.eoj, deoj, Esv.GET, _bare(epcs), now=now, timeout_s=wait_s, many=True
        )
        self._collecting[exchange.tid] = lambda answered, peer: on_answer(answer_of(answered, peer))
        done: asyncio.Future[Answered] = self._loop.create_future()
        self._waiting[exchange.tid] = done
        self.link.multicast(exchange.data)
        for peer in also:
            self.link.send(exchange.data, peer)
        self._rearm()
        try:
            await done
        except NoAnswerError:
            pass  # the usual end: its time is over
        finally:
            self._forget(exchange)
            self._collecting.pop(exchange.tid, None)

    # -- listening ------------------------------------------------------------------------------------------

    def subscribe(self, listener: Callable[[Notification], None]) -> Callable[[], None]:
        """Hand every announcement to ``listener``; returns the function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def watch(self, watcher: Callable[[Event, Peer], None]) -> Callable[[], None]:
        """Hand everything that arrives and is no plain answer to ``watcher``: for logs, counters, checks."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    async def listen(self, seconds: float) -> AsyncIterator[Notification]:
        """Yield announcements for ``seconds``."""
        queue: asyncio.Queue[Notification] = asyncio.Queue()
        end = self._loop.time() + seconds
        with contextlib.ExitStack() as stack:
            stack.callback(self.subscribe(queue.put_nowait))
            while (left := end - self._loop.time()) > 0:
                try:
                    async with asyncio.timeout(left):
                        note = await queue.get()
                except TimeoutError:
                    return
                yield note

    # -- announcing -----------------------------------------------------------------------------------------

    def notify(self, served: HostedObject, epcs: Sequence[int], *, to: Peer | None = None) -> None:
        """Announce the present values of ``epcs`` (INF), to all nodes or to one."""
        values = [(epc, edt) for epc in epcs if (edt := served.get(epc)) is not None]
        if not values or self._closed:
            return
        frame = Frame(self._engine.next_tid(), served.eoj, NODE_PROFILE, Esv.INF, values)
        if to is None:
            self.link.multicast(frame.encode())
        else:
            self.link.send(frame.encode(), to)

    async def notify_confirmed(
        self, served: HostedObject, epcs: Sequence[int], peer: Peer, eoj: Eoj
    ) -> Answer:
        """Announce to one node and wait for its receipt (INFC).

        Raises:
            NoAnswerError: no receipt came.
        """
        values = [(epc, edt) for epc in epcs if (edt := served.get(epc)) is not None]
        return answer_of(await self._ask(peer, eoj, Esv.INFC, values, seoj=served.eoj), peer)

    # -- inside ---------------------------------------------------------------------------------------------

    def _open(
        self,
        address: str,
        profile: LinkProfile,
        eoj: Eoj,
        esv: Esv,
        properties: Sequence[Property],
        second: Sequence[Property] | None = None,
        seoj: Eoj | None = None,
    ) -> Exchange:
        several = len(properties) + len(second or ()) > 1
        exchange = self._engine.request(
            address, seoj or self.eoj, eoj, esv, properties, second,
            now=self._loop.time(), timeout_s=profile.timer_many_s if several else profile.timer_one_s,
            retries=profile.retries, matching=profile.match_answer_properties,
        )  # fmt: skip
        if self._timer is None or exchange.deadline < self._timer_at:  # else the timer comes early enough
            self._rearm()
        return exchange

    async def _ask(
        self,
        peer: Peer,
        eoj: Eoj,
        esv: Esv,
        properties: Sequence[Property],
        second: Sequence[Property] | None = None,
        *,
        seoj: Eoj | None = None,
    ) -> Answered:
        address = peer.address
        profile = self._profiles.get(address, self.profile)
        lane = self._lanes.get(address)
        if lane is None:
            lane = self._lanes[address] = Lane(profile.outstanding)
        if lane.free:
            lane.free -= 1
        else:
            await lane.wait()
        try:
            if lane.open_at and (pause := lane.open_at - self._loop.time()) > 0:
                await asyncio.sleep(pause)
            exchange = self._open(address, profile, eoj, esv, properties, second, seoj)
            future: asyncio.Future[Answered] = self._loop.create_future()
            self._waiting[exchange.frame.tid] = future
            self._asked[exchange.frame.tid] = peer
            self.link.send(exchange.data, peer)
            try:
                return await future
            finally:
                self._forget(exchange)
                if profile.spacing_s:
                    lane.open_at = self._loop.time() + profile.spacing_s
        finally:
            lane.leave()

    def _forget(self, exchange: Exchange) -> None:
        self._waiting.pop(exchange.frame.tid, None)
        self._asked.pop(exchange.frame.tid, None)
        if not exchange.ended:
            self._engine.cancel(exchange)

    def _received(self, data: bytes, peer: Peer, multicast: bool) -> None:  # noqa: ARG002 - part of the Receiver
        address = peer.address
        own = self._profiles.get(address)
        event = self._engine.receive(
            data, address, self._loop.time(), trailing=own.accept_trailing if own else None
        )
        if type(event) is Answered:
            self._answered(event, peer)
        elif type(event) is Requested:
            self._serve(event.frame, peer)
        elif type(event) is Announced:
            self._announced(event.frame, peer)
        elif type(event) is Malformed:
            log.debug("%s sent what is no message: %s", peer, event.error)
        if self._watchers and type(event) is not Answered:
            for watcher in tuple(self._watchers):
                watcher(event, peer)

    def _answered(self, event: Answered, peer: Peer) -> None:
        tid = event.exchange.frame.tid
        collector = self._collecting.get(tid)
        if collector is not None:
            collector(event, peer)
            return
        future = self._waiting.get(tid)
        if future is not None and not future.done():
            future.set_result(event)

    def _serve(self, request: Frame, peer: Peer) -> None:
        all_of_class = (one for one in self._all if request.deoj.includes(one.eoj))
        for served in self._by_eoj.get(request.deoj, all_of_class):
            answer = respond(request, served)
            if answer is None:
                continue
            if answer.esv is Esv.INF:  # what was asked to be announced is announced to all
                self.link.multicast(answer.encode())
            else:
                self.link.send(answer.encode(), self._port_of(peer))

    def _announced(self, frame: Frame, peer: Peer) -> None:
        if frame.esv is Esv.INFC:
            for served in self._all:
                if frame.deoj.includes(served.eoj):
                    receipt = confirm(frame, served.eoj)
                    if receipt is not None:
                        self.link.send(receipt.encode(), self._port_of(peer))
        if self._listeners:
            notification = Notification(peer, frame.seoj, dict(frame.properties), frame)
            for listener in tuple(self._listeners):
                listener(notification)

    def _port_of(self, peer: Peer) -> Peer:
        """Answers go to the protocol's port, whatever port the question came from (part 2, 1.2)."""
        port = self.link.local.port
        return peer if peer.port == port else peer._replace(port=port)

    def _changed(self, served: HostedObject, epcs: tuple[int, ...]) -> None:
        self.notify(served, epcs)

    def _rearm(self) -> None:
        due = self._engine.next_due()
        if due is None:
            return
        if self._timer is not None:
            if self._timer_at <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._tick)
        self._timer_at = due

    def _tick(self) -> None:
        self._timer = None
        for event in self._engine.poll(self._loop.time()):
            if isinstance(event, Resend):
                peer = self._asked.get(event.exchange.tid)
                if peer is not None:
                    self.link.send(event.exchange.data, peer)
            elif isinstance(event, TimedOut):
                self._timed_out(event.exchange)
        self._rearm()

    def _timed_out(self, exchange: Exchange) -> None:
        future = self._waiting.pop(exchange.frame.tid, None)
        if future is None or future.done():
            return
        waited_s = self._loop.time() - exchange.started
        future.set_exception(NoAnswerError.of(exchange.address, exchange.frame.esv, waited_s))


def _bare(epcs: Sequence[int]) -> tuple[Property, ...]:
    """Properties without data, as a question names them."""
    return tuple(zip(epcs, repeat(b"")))
