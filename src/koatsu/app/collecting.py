"""The collectors of all sites at work: one node for each own address, started one after the other, watched.

A hundred sites must not ask at once, and one that fails must not take the others along: what a collector
cannot deal with is told as an event of its meter, and tried again. A fault of the program ends everything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Final, NoReturn

from koatsu.app.addresses import check_family, local_address, open_link
from koatsu.app.causes import cause_of
from koatsu.clock import Clock
from koatsu.config import Config, MeterConfig
from koatsu.echonet import Eoj
from koatsu.ems.collector import Collector, MeterTarget
from koatsu.ems.live import LiveHub, LiveState, Signal
from koatsu.ems.store import Event, Level, Store, StoreError, StoreHeldError
from koatsu.errors import KoatsuError, UnreachableError
from koatsu.node import LinkProfile, Node, Peer

__all__ = ["RECOVERIES_AT_ONCE", "START_GAP_S", "collecting", "keep_hold", "watch_over"]

log = logging.getLogger(__name__)

START_GAP_S: Final = 0.1  #: between the starts of two collectors, in real seconds
RECOVERIES_AT_ONCE: Final = 16  #: days of history read at one time, over all meters: live polls go first
LOOK_EVERY_S: Final = 5.0  #: how often it is looked whether a store on a server is still ours, real seconds
_PAUSES_S: Final = (5.0, 15.0, 60.0)  # real seconds until a collector that failed is started again


@asynccontextmanager
async def collecting(
    config: Config,
    store: Store,
    live: LiveState,
    hub: LiveHub,
    clock: Clock,
    profile_of: Callable[[MeterConfig], LinkProfile],
    *,
    beside: Mapping[str, Callable[[], Coroutine[Any, Any, None]]],
) -> AsyncIterator[None]:
    """Collect from every meter of the configuration while the block is open; the store knows them all.

    Args:
        config: sites, meters and our own address.
        store: where readings go.
        live: what the pages show of the links.
        hub: where changes are announced.
        clock: our time.
        profile_of: the link profile of a meter.
        beside: other work for as long, by name.

    Raises:
        UnreachableError: no way to any meter, or our port cannot be had.
        UsageError: our address and a meter's are of two kinds.
    """
    turns = asyncio.Semaphore(RECOVERIES_AT_ONCE)
    async with AsyncExitStack() as stack:
        nodes = _Nodes(config, stack)
        work = dict(beside)
        problems: list[UnreachableError] = []
        for number, meter in enumerate(config.meters):
            peer, profile = Peer(*meter.address), profile_of(meter)
            try:
                await nodes.towards(peer, profile)
            except UnreachableError as error:
                problems.append(error)  # its collector tries again: a cable may come in later
            target = MeterTarget(
                id=meter.id, peer=peer, eoj=Eoj.of(meter.class_number, meter.instance), profile=profile
            )

            async def make(target: MeterTarget = target) -> Collector:
                node = await nodes.towards(target.peer, target.profile)
                return Collector(target, node, store, live, hub, clock, turns=turns)

            work[f"collector {meter.id}"] = partial(
                watch_over, make, meter.id, store, live, hub, clock, delay_s=number * START_GAP_S
            )
        if len(problems) == len(config.meters):
            raise problems[0]
        async with _working(work):
            yield


class _Nodes:
    """Our nodes: one for each own address, since each has but one port 3610."""

    def __init__(self, config: Config, stack: AsyncExitStack) -> None:
        self._config, self._stack = config, stack
        self._nodes: dict[str, Node] = {}
        self._opening = asyncio.Lock()

    async def towards(self, peer: Peer, profile: LinkProfile) -> Node:
        """The node that reaches ``peer``, which it asks by the habits of ``profile``.

        Raises:
            UnreachableError: no way there, or our port cannot be had.
            UsageError: our address and the peer's are of two kinds.
        """
        own = self._config.node
        source = str(own.address) if own.address else local_address(peer)
        check_family(source, [peer])
        async with self._opening:
            if source not in self._nodes:
                link = await open_link(peer, source, own.interface or "")
                self._nodes[source] = await self._stack.enter_async_context(Node(link, profile))
        node = self._nodes[source]
        if node.profile_of(peer) is not profile:
            node.use_profile(peer, profile)
        return node


@asynccontextmanager
async def _working(work: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]) -> AsyncIterator[None]:
    """Everything at work; what ends by an error ends the block with that error."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(begin(), name=name) for name, begin in work.items()]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as errors:
        raise cause_of(errors) from None


async def watch_over(
    make: Callable[[], Awaitable[Collector]],
    meter_id: str,
    store: Store,
    live: LiveState,
    hub: LiveHub,
    clock: Clock,
    *,
    delay_s: float = 0.0,
) -> NoReturn:
    """Run a collector until cancelled; a new one after each that failed for a reason we can name.

    Raises:
        StoreError: the store is damaged, or of a newer version: a matter of all collectors.
        Exception: a fault of the program, which nobody should hide.
    """
    await asyncio.sleep(delay_s)
    failures = 0
    while True:
        begun = asyncio.get_running_loop().time()
        try:
            await (await make()).run()
            raise RuntimeError(f"the collector of {meter_id} ended by itself")
        except (KoatsuError, BaseExceptionGroup) as error:
            cause = cause_of(error) if isinstance(error, BaseExceptionGroup) else error
            if not isinstance(cause, KoatsuError) or isinstance(cause, StoreError):
                raise cause from None
            trouble = cause
        if asyncio.get_running_loop().time() - begun > _PAUSES_S[-1]:
            failures = 0  # it had worked for a while
        _tell(trouble, meter_id, store, live, hub, clock)
        await asyncio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])
        failures += 1


async def keep_hold(store: Store) -> NoReturn:
    """See to it that nobody else collects into a store on a server, until cancelled.

    Raises:
        StoreHeldError: another program does: the server had ended our connection, and forgotten us.
    """
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await asyncio.to_thread(store.keep_hold)
        except StoreHeldError:
            raise
        except StoreError as error:  # the collectors tell of it
            log.debug("whether another program collects cannot be told: %s", error.message)


def _tell(
    trouble: KoatsuError, meter_id: str, store: Store, live: LiveState, hub: LiveHub, clock: Clock
) -> None:
    """Show that a collector has failed, and keep it as an event where the store lets us."""
    now = clock.now()
    log.warning("%s: collecting failed and is tried again: %s", meter_id, trouble.message)
    live.failed(meter_id, now)
    hub.publish(Signal("link", meter_id, now))
    params = {"en": trouble.message, "ja": trouble.ja or trouble.message}
    event = Event(at=now, meter_id=meter_id, level=Level.CAUTION, code="collector_failed", params=params)
    try:
        store.record_event(event)
    except KoatsuError as error:  # the store itself may be what failed
        log.warning("%s: the event could not be kept: %s", meter_id, error.message)
        return
    hub.publish(Signal("event", meter_id, now))
