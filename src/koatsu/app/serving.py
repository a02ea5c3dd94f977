"""The EMS as a running program: configuration in, store, collectors and page up, all closed at the end."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn

from koatsu.app.addresses import check_family, local_address, open_link
from koatsu.app.causes import cause_of
from koatsu.app.holding import hold
from koatsu.app.reader import StoredSite
from koatsu.clock import Clock
from koatsu.config import Config, MeterConfig, load_config
from koatsu.echonet import Eoj
from koatsu.ems.collector import Collector, MeterTarget
from koatsu.ems.live import LiveHub, LiveState
from koatsu.ems.store import Store, StoredMeter
from koatsu.errors import UnreachableError, UsageError
from koatsu.node import LinkProfile, Node, Peer, load_profile, profile_names
from koatsu.web import Limits, create_app

__all__ = ["Say", "open_ems", "run_config", "run_ems"]

Say = Callable[[str], object]


async def run_config(path: Path, *, clock: Clock, say: Say, lang: str) -> None:
    """Run the EMS that the file describes, until it is stopped.

    Raises:
        ConfigError: the file is wrong; every problem is in the message.
        UnreachableError: an address or port cannot be had.
        StoreError: the store cannot be used.
    """
    config = load_config(path, profiles=profile_names())
    await run_ems(config, clock=clock, say=say, lang=lang)


async def run_ems(config: Config, *, clock: Clock, say: Say, lang: str, demo: bool = False) -> None:
    """Run the EMS until SIGINT or SIGTERM."""
    async with open_ems(config, clock) as site:
        listener = _listen(config.web.host, config.web.port)
        limits = {
            meter.id: Limits(target_kw=config.site.target_kw, contract_kw=config.site.contract_kw)
            for meter in config.meters
            if meter.role == "buy"
        }
        server = _Server(create_app(site, demo=demo, limits=limits), site.end_streams)
        url = f"http://{config.web.host}:{listener.getsockname()[1]}/"
        say(f"画面: {url}  (止めるには Ctrl-C)" if lang == "ja" else f"Page: {url}  (stop with Ctrl-C)")
        await server.run(listener)


@asynccontextmanager
async def open_ems(
    config: Config,
    clock: Clock,
    *,
    profile_of: Callable[[MeterConfig], LinkProfile] = lambda meter: load_profile(meter.profile),
) -> AsyncIterator[StoredSite]:
    """Store and collectors of a configuration, running while the block is open."""
    live, hub = LiveState(), LiveHub()
    async with AsyncExitStack() as stack:
        stack.callback(hub.close)
        stack.enter_context(_only_one(config.site.store))
        page = f"http://{config.web.host}:{config.web.port}/"
        stack.enter_context(hold((Peer(*meter.address) for meter in config.meters), page=page))
        store = stack.enter_context(Store.open(config.site.store))
        nodes: dict[str, Node] = {}
        collectors = []
        for meter in config.meters:
            peer = Peer(*meter.address)
            profile = profile_of(meter)
            source = str(config.node.address) if config.node.address else local_address(peer)
            check_family(source, [peer])
            if source not in nodes:
                link = await open_link(peer, source, config.node.interface or "")
                nodes[source] = await stack.enter_async_context(Node(link, profile))
            node = nodes[source]
            node.use_profile(peer, profile)
            store.put_meter(_stored(meter), at=clock.now())
            target = MeterTarget(
                id=meter.id, peer=peer, eoj=Eoj.of(meter.class_number, meter.instance), profile=profile
            )
            collectors.append(Collector(target, node, store, live, hub, clock))
        async with _running(collectors):
            yield StoredSite(config.site.name, store, live, hub, clock)


@asynccontextmanager
async def _running(collectors: list[Collector]) -> AsyncIterator[None]:
    """The collectors at work; one that ends by an error ends the block with that error."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one.run(), name=f"collector {one.target.id}") for one in collectors]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
    except BaseExceptionGroup as errors:
        raise cause_of(errors) from None


def _stored(meter: MeterConfig) -> StoredMeter:
    return StoredMeter(
        id=meter.id,
        label=meter.label,
        role=meter.role,
        class_code=meter.class_number,
        address=str(meter.address),
        ceiling_kw=meter.ceiling_kw,
    )


@contextmanager
def _only_one(store: str) -> Iterator[None]:
    """Hold the store's lock file: two programs collecting into one store would fight over the meter.

    Raises:
        UsageError: another program holds it.
    """
    if "://" in store:
        yield
        return
    path = Path(f"{store}.lock")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be made: {error.strerror}.", ja=f"{path} を作れません({error.strerror})。"
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(handle, 20, 0).decode(errors="replace").strip() or "?"
            raise UsageError(
                f"{store} is in use by another koatsu (process {owner}).",
                ja=f"{store} は別の koatsu (プロセス {owner}) が使用中です。",
                hint="Stop that one, or name another store.",
                hint_ja="そちらを止めるか、別の保存先を指定してください。",
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _listen(host: str, port: int) -> socket.socket:
    """The page's socket, opened by us so that a taken port is one sentence."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)  # from now on a browser may come: the page is announced next
    except OSError as error:
        listener.close()
        raise UnreachableError(
            f"The page cannot use {host} port {port}: {error.strerror}.",
            ja=f"画面のアドレス {host} ポート {port} を使えません({error.strerror})。",
            hint="Stop the program that uses it, or choose another port.",
            hint_ja="使っているプログラムを止めるか、別のポートを選んでください。",
        ) from error
    return listener


class _Server(uvicorn.Server):
    """uvicorn that ends when asked to, and leaves no traceback behind."""

    def __init__(self, app: object, end_streams: Callable[[], None]) -> None:
        self._end_streams = end_streams
        super().__init__(
            uvicorn.Config(
                app,  # type: ignore[arg-type] # any ASGI application
                log_level="warning",
                lifespan="off",
                timeout_graceful_shutdown=2,
                server_header=False,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Our own loop handles the signals."""
        yield

    async def run(self, listener: socket.socket) -> None:  # type: ignore[override] # awaited, not blocking
        """Serve until SIGINT or SIGTERM."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        try:
            await self.serve(sockets=[listener])
        except asyncio.CancelledError:
            if self.started:  # a collector failed: let the page's connections end in order
                await self.shutdown(sockets=[listener])
            raise
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close in order: open streams end by themselves once they are told to."""
        self._end_streams()
        await super().shutdown(sockets)

    def _stop(self) -> None:
        self.force_exit = self.should_exit  # the second time at once
        self.should_exit = True
