"""Who takes what the desk sends out, for tests: a program that is called, and a mail server."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer


@dataclass
class Call:
    """A request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Hook:
    """A program that is called; ``statuses`` are its next answers, then 204."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def hook() -> Iterator[Hook]:
    """A program on a port of its own."""
    one = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            one.calls.append(Call(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            status = one.statuses.pop(0) if one.statuses else 204
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{one.url}/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            """Whoever follows a redirect may ask so."""
            self.do_POST()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    one.url = f"http://127.0.0.1:{server.server_port}/koatsu"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield one
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mailbox:
    """A mail server (RFC 5321, as much as a client needs) that keeps what it is given.

    ``refusals``: the first word of a command -> the answer that it gets instead of "250".
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)


@contextmanager
def mailbox(tls: ssl.SSLContext | None = None, *, from_the_beginning: bool = False) -> Iterator[Mailbox]:
    """A mail server on a port of its own; with ``tls`` it offers STARTTLS, or speaks TLS all the time."""
    one = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.secure = False
            self.sender, self.recipients = "", list[str]()
            try:
                if from_the_beginning and tls is not None:
                    self._encrypt(tls)
                self._say("220 mail.test ESMTP")
                while line := self.rfile.readline():
                    if not self._answered(line.decode().strip()):
                        return
            except (ssl.SSLError, OSError):
                pass  # the client does not believe our certificate, or has gone

        def finish(self) -> None:
            """Close what was put in the place of the plain connection."""
            if self.secure:
                self.wfile.close()
                self.rfile.close()
                self.request.close()
            else:
                super().finish()

        def _encrypt(self, context: ssl.SSLContext) -> None:
            self.request = context.wrap_socket(self.request, server_side=True)
            self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)
            self.secure = True

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def _answered(self, words: str) -> bool:
            """Answer a command; whether another one may follow."""
            verb = words.partition(" ")[0].upper()
            if verb in one.refusals:
                self._say(one.refusals[verb])
            elif verb == "EHLO":
                offered = ["mail.test", "SMTPUTF8", "8BITMIME", "AUTH PLAIN"]
                offered += ["STARTTLS"] if tls is not None and not self.secure else []
                for number, name in enumerate(offered, 1):
                    self._say(f"250{' ' if number == len(offered) else '-'}{name}")
            elif verb == "STARTTLS" and tls is not None:
                self._say("220 go on")
                self._encrypt(tls)
            elif verb == "AUTH":
                _, name, password = base64.b64decode(words.split(" ")[2]).decode().split("\0")
                one.logins.append((name, password))
                self._say("235 welcome")
            elif verb == "MAIL":
                self.sender = words.partition("<")[2].partition(">")[0]
                self._say("250 ok")
            elif verb == "RCPT":
                self.recipients.append(words.partition("<")[2].partition(">")[0])
                self._say("250 ok")
            elif verb == "DATA":
                self._take()
            elif verb == "QUIT":
                self._say("221 bye")
                return False
            else:
                self._say("250 ok")
            return True

        def _take(self) -> None:
            self._say("354 go on")
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            found = message_from_bytes(b"".join(lines), policy=policy.default)
            assert isinstance(found, EmailMessage)
            one.mails.append(found)
            one.envelopes.append((self.sender, self.recipients))
            one.encrypted.append(self.secure)
            self._say("250 taken")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    one.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield one
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
