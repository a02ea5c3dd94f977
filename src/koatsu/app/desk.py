"""The service desk as a running program: configuration in; stores, work and page up; closed at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from pathlib import Path

from koatsu.app.certificate import tls_of
from koatsu.app.desk_opening import open_desk
from koatsu.app.desk_people import people_of_desk
from koatsu.app.desk_probe import WireProbe
from koatsu.app.desk_sending import Sending
from koatsu.app.desk_settings import desk_config
from koatsu.app.desk_work import working
from koatsu.app.exposure import address_of, check_exposure, names_of
from koatsu.app.holding import hold_store
from koatsu.app.listening import PageServer, listen, through_proxy
from koatsu.app.logs import faults_logged, start_logs
from koatsu.clock import Clock
from koatsu.config import DeskConfig
from koatsu.web.desk import create_desk_app
from koatsu.web.program import DemoLogin

__all__ = ["Say", "overruled", "run_config", "run_desk"]

Say = Callable[[str], object]
PEOPLE = "koatsu desk people"  #: the command that makes the owner


async def run_config(
    path: Path, *, port: int | None, store: str | None, clock: Clock, say: Say, lang: str
) -> None:
    """Run the desk that the file describes, until it is stopped.

    Args:
        path: the file.
        port: of the page, where it shall be another one.
        store: path or URL of the store, where it shall be another one.
        clock: our time.
        say: tells a person what is where.
        lang: "ja" or "en".

    Raises:
        ConfigError: the file is wrong; every problem is in the message.
        ExposureError: the page may not be where the file wants it.
        UnreachableError: an address or port cannot be had.
        UsageError: another program serves this store.
        DeskStoreError, PeopleStoreError: a store cannot be used.
        DeskSettingError: the key is missing or another one's.
    """
    config = overruled(desk_config(path), port=port, store=store)
    start_logs(config.log, lang=lang)
    with faults_logged():
        await run_desk(config, clock=clock, say=say, lang=lang)


def overruled(config: DeskConfig, *, port: int | None = None, store: str | None = None) -> DeskConfig:
    """The configuration with what was said on the command line."""
    if port is not None:
        config = replace(config, web=replace(config.web, port=port))
    if store is not None:
        placed = store if "://" in store else str(Path(store).absolute())
        config = replace(config, store=replace(config.store, path=placed))
    return config


async def run_desk(
    config: DeskConfig, *, clock: Clock, say: Say, lang: str, demo: Sequence[DemoLogin] | None = None
) -> None:
    """Run the desk until SIGINT or SIGTERM. ``demo``: who can log in at it, where this is one."""
    web = config.web
    tls = tls_of(web, say, lang)
    probe = WireProbe(config.links, clock) if config.links else None
    async with AsyncExitStack() as stack:
        stack.enter_context(hold_store(config.store.path))
        desk = stack.enter_context(open_desk(config, clock, probe=probe))
        people = stack.enter_context(people_of_desk(config))
        check_exposure(web, people, program=PEOPLE)
        listener = stack.enter_context(listen(web.host, web.port))
        sending = stack.enter_context(closing(Sending(desk)))
        await stack.enter_async_context(working(desk, sending, several="://" in config.store.path))
        app = create_desk_app(
            desk,
            people,
            settings=desk.settings,
            names=names_of(web),
            secure=web.tls or web.behind_proxy,
            demo=demo,
        )
        server = PageServer(through_proxy(app, web), lambda: None, tls)
        url = address_of(web, listener.getsockname()[1])
        say(f"画面: {url}  (止めるには Ctrl-C)" if lang == "ja" else f"Page: {url}  (stop with Ctrl-C)")
        await server.run(listener)
