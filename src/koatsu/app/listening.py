"""The page's socket and server: a taken port is one sentence, signals end it in order, proxies are known.

Who may open the page is decided elsewhere (:mod:`koatsu.app.exposure`); what it shows, in ``koatsu.web``.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, Final

import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from koatsu.config import WebConfig
from koatsu.errors import UnreachableError

__all__ = ["PageServer", "listen", "through_proxy"]

_LOOPBACK: Final = ("127.0.0.0/8", "::1")

_Scope = MutableMapping[str, Any]
_App = Callable[[_Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


def listen(host: str, port: int) -> socket.socket:
    """The page's socket, opened by us so that a taken port is one sentence.

    Raises:
        UnreachableError: the address or port cannot be had.
    """
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


def through_proxy(app: _App, web: WebConfig) -> _App:
    """The application as it stands behind a proxy; as it is where there is none.

    What a proxy says of whom it asks for (X-Forwarded-For, X-Forwarded-Proto) is believed from this machine
    and from the stated proxies. Nobody else is answered: the page would be open beside the proxy.
    """
    if not web.behind_proxy:
        return app
    believed = ProxyHeadersMiddleware(app, trusted_hosts=[*_LOOPBACK, *web.proxies])  # type: ignore[arg-type] # ASGI

    async def gate(
        scope: _Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        caller = (scope.get("client") or ("",))[0]
        if scope["type"] != "http" or _is_proxy(caller, web.proxies):
            await believed(scope, receive, send)  # type: ignore[arg-type] # ASGI
            return
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        text = "この画面はプロキシ経由で開いてください。\nThis page is opened through its proxy.\n"
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    return gate


def _is_proxy(caller: str, proxies: tuple[str, ...]) -> bool:
    try:
        address = ip_address(caller.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return address.is_loopback or str(address) in proxies


class PageServer(uvicorn.Server):
    """uvicorn that ends when asked to, and leaves no traceback behind.

    Args:
        app: what is served.
        end_streams: ends the open live pages, which otherwise never end.
        tls: speaks https by this; http without.
    """

    def __init__(self, app: _App, end_streams: Callable[[], None], tls: ssl.SSLContext | None = None) -> None:
        self._end_streams = end_streams
        config = uvicorn.Config(
            app,
            log_config=None,  # into the log of the whole program
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            server_header=False,
            proxy_headers=False,  # whom to believe is decided in through_proxy
        )
        config.load()
        config.ssl = tls
        super().__init__(config)

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
