"""The EMS as a running program: configuration in, store, collectors and page up, all closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

from koatsu.app.certificate import tls_of
from koatsu.app.collecting import collecting, keep_hold
from koatsu.app.comparing import pulse_desk, recorders
from koatsu.app.daily import examine, keep_daily
from koatsu.app.event_log import events_logged, newest_event
from koatsu.app.exposure import address_of, check_exposure, names_of
from koatsu.app.holding import hold, hold_store
from koatsu.app.listening import PageServer, listen, through_proxy
from koatsu.app.logs import faults_logged, start_logs
from koatsu.app.metrics import operation_router
from koatsu.app.reader import StoredSites
from koatsu.app.recovery_log import recovery_told
from koatsu.clock import Clock, SystemClock
from koatsu.config import Config, MeterConfig, load_config
from koatsu.ems.clock_watch import watch_clock
from koatsu.ems.exchange import DataDesk
from koatsu.ems.live import LiveHub, LiveState
from koatsu.ems.store import Store, StoredMeter
from koatsu.node import LinkProfile, Peer, load_profile, profile_names
from koatsu.people import People
from koatsu.web import Limits, create_app

__all__ = ["Say", "limits_of", "open_ems", "open_store", "run_config", "run_ems"]

Say = Callable[[str], object]


async def run_config(path: Path, *, clock: Clock, say: Say, lang: str) -> None:
    """Run the EMS that the file describes, until it is stopped.

    Raises:
        ConfigError: the file is wrong; every problem is in the message.
        ExposureError: the page may not be where the file wants it.
        UnreachableError: an address or port cannot be had.
        StoreError: the store cannot be used.
    """
    config = load_config(path, profiles=profile_names())
    start_logs(config.log, lang=lang)
    with faults_logged():
        await run_ems(config, clock=clock, say=say, lang=lang)


async def run_ems(config: Config, *, clock: Clock, say: Say, lang: str, demo: bool = False) -> None:
    """Run the EMS until SIGINT or SIGTERM."""
    web = config.web
    tls = tls_of(web, say, lang)
    async with AsyncExitStack() as stack:
        store = stack.enter_context(open_store(config, clock))
        people = None if demo else stack.enter_context(People.open(config.store.path, clock=SystemClock()))
        check_exposure(web, people)
        listener = stack.enter_context(listen(web.host, web.port))
        before = newest_event(store)
        sites = await stack.enter_async_context(_at_work(config, clock, store))
        await stack.enter_async_context(events_logged(sites, lang, after=before))
        await stack.enter_async_context(recovery_told(sites, lang))
        app = create_app(
            sites,
            people=people,
            desk=DataDesk(store, clock),
            hands=sites.hands(),
            pulses=pulse_desk(config, store, clock),
            demo=demo,
            limits=limits_of(config),
            names=names_of(web),
            secure=web.tls or web.behind_proxy,
            extras=[operation_router(sites)],
        )
        server = PageServer(through_proxy(app, web), sites.end_streams, tls)
        url = address_of(web, listener.getsockname()[1])
        say(f"画面: {url}  (止めるには Ctrl-C)" if lang == "ja" else f"Page: {url}  (stop with Ctrl-C)")
        await server.run(listener)


@asynccontextmanager
async def open_ems(
    config: Config, clock: Clock, *, profile_of: Callable[[MeterConfig], LinkProfile] | None = None
) -> AsyncIterator[StoredSites]:
    """Store and collectors of a configuration, running while the block is open; no page.

    Args:
        config: the sites.
        clock: our time.
        profile_of: the link profile of a meter, where the named one will not do.

    Raises:
        UnreachableError: an address or port cannot be had.
        StoreError: the store cannot be used.
    """
    with open_store(config, clock) as store:
        async with _at_work(config, clock, store, profile_of) as sites:
            yield sites


@contextmanager
def open_store(config: Config, clock: Clock) -> Iterator[Store]:
    """The store of a configuration, ours alone, with its sites and meters put there; the meters are held.

    Raises:
        UsageError: another program collects into it.
        MeterHeldError: another program collects from one of the meters.
        StoreError: it cannot be used.
    """
    with ExitStack() as stack:
        stack.enter_context(hold_store(config.store.path))
        peers = (Peer(*meter.address) for meter in config.meters)
        stack.enter_context(hold(peers, page=address_of(config.web, config.web.port)))
        store = stack.enter_context(Store.open(config.store.path))
        stack.enter_context(store.hold())
        for site in config.sites:
            store.put_site(site.id, site.name, at=clock.now())
        for meter in config.meters:
            store.put_meter(_stored(meter), at=clock.now())
        yield store


@asynccontextmanager
async def _at_work(
    config: Config,
    clock: Clock,
    store: Store,
    profile_of: Callable[[MeterConfig], LinkProfile] | None = None,
) -> AsyncIterator[StoredSites]:
    """The collectors of every meter and the daily chores, and the reader for the pages."""
    live, hub = LiveState(), LiveHub()
    named = profile_of or (lambda meter: load_profile(meter.profile))
    async with AsyncExitStack() as stack:
        stack.callback(hub.close)
        beside = recorders(config, store, clock) | {
            "the store itself": partial(examine, store, hub, clock),
            "daily chores": partial(keep_daily, store, clock),
            "our clock": partial(watch_clock, store, hub, clock),
            "our hold": partial(keep_hold, store),
        }
        await stack.enter_async_context(collecting(config, store, live, hub, clock, named, beside=beside))
        yield StoredSites([site.id for site in config.sites], store, live, hub, clock)


def limits_of(config: Config) -> dict[str, Limits]:
    """Target and contract power of the site, for each of its buying meters."""
    limits = {}
    for meter in config.meters:
        if meter.role == "buy":
            site = config.site(meter.site)
            limits[meter.id] = Limits(target_kw=site.target_kw, contract_kw=site.contract_kw)
    return limits


def _stored(meter: MeterConfig) -> StoredMeter:
    return StoredMeter(
        id=meter.id,
        label=meter.label,
        role=meter.role,
        class_code=meter.class_number,
        address=str(meter.address),
        ceiling_kw=meter.ceiling_kw,
        site=meter.site,
    )
