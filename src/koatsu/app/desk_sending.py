"""What the desk sends out: webhooks over HTTP and letters as mail, each tried again by the outbox.

Sending blocks and is done beside the event loop, by one thread. An error is one sentence that the page of
stuck deliveries shows; no secret and nothing of a person stands in it.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from importlib.metadata import version
from typing import Final

import httpx

from koatsu.clock import JST
from koatsu.desk import Desk
from koatsu.desk.notices import MailText
from koatsu.desk.outbox import Delivery, signature
from koatsu.desk.settings import MailSettings

__all__ = ["Sending", "message_of"]

_WAIT_S: Final = 10.0  #: for a receiver to be reached, and again for its answer
_AGENT: Final = f"Koatsu/{version('koatsu')}"
_ADDRESS: Final = re.compile(r"[^\s<>]+@[^\s<>]+")


class SendError(Exception):
    """Why something did not go out, in one sentence."""


class StoppedError(BaseException):
    """The program ends: what has not gone out stays due. No ``Exception``, so that it counts as no try."""


class Sending:
    """Sends what is due of a desk; stop it, and close it once the thread that sends has returned.

    Args:
        desk: the open desk.
        wait_s: how long a receiver may take, in seconds.
    """

    def __init__(self, desk: Desk, *, wait_s: float = _WAIT_S) -> None:
        self._desk, self._wait_s = desk, wait_s
        self._ending = threading.Event()
        self._http = httpx.Client(
            timeout=wait_s,
            follow_redirects=False,  # whoever may redirect would learn what is meant for another
            headers={"User-Agent": _AGENT, "Content-Type": "application/json; charset=utf-8"},
        )

    def stop(self) -> None:
        """Send nothing more after what is under way; the rest is due at the next start."""
        self._ending.set()

    def close(self) -> None:
        """Let go of connections."""
        self.stop()
        self._http.close()

    def send_due(self) -> int:
        """Send what is due now; how many went out. Nothing is once it was stopped."""
        failed: dict[str, str] = {}

        def send(one: Delivery) -> None:
            if self._ending.is_set():
                raise StoppedError
            whom = one.target if one.way == "webhook" else one.way
            if whom in failed:  # one that is out of reach must not keep the others waiting, once for each
                raise SendError(failed[whom])
            try:
                self._send(one)
            except _OutOfReachError as error:
                failed[whom] = str(error)
                raise

        try:
            return self._desk.outbox.send_due(send)
        except StoppedError:
            return 0

    def _send(self, one: Delivery) -> None:
        if one.way == "webhook":
            self._call(one)
        else:
            self._mail(one)

    # --- webhooks ---------------------------------------------------------------------------------------

    def _call(self, one: Delivery) -> None:
        secret = self._desk.outbox.secret_of(one.target)
        if not secret:
            raise SendError("the settings no longer name this webhook")
        headers = {"Koatsu-Signature": signature(secret, one.body), "Koatsu-Delivery": str(one.id)}
        try:
            answer = self._http.post(one.target, content=one.body.encode(), headers=headers)
        except httpx.HTTPError as error:
            raise _OutOfReachError(f"{type(error).__name__}: {error}") from error
        if not answer.is_success:
            more = ", which is not followed" if answer.is_redirect else ""
            raise SendError(f"the receiver answered {answer.status_code}{more}")

    # --- mail -------------------------------------------------------------------------------------------

    def _mail(self, one: Delivery) -> None:
        settings, notice = self._desk.settings.mail, int(one.target)
        if settings is None:
            raise SendError("the settings no longer name a mail server")
        text = self._desk.notices.mail(notice)
        message = message_of(settings, text, one, self._desk.clock.now())
        with _told(text.address), _server(settings, self._wait_s) as server:
            server.send_message(message)
        self._desk.notices.mailed(notice)


class _OutOfReachError(SendError):
    """The receiver itself cannot be reached: no other message would fare better."""


def message_of(settings: MailSettings, text: MailText, one: Delivery, now: datetime) -> EmailMessage:
    """A letter as a mail: plain text in UTF-8, long lines safe, marked as sent by a program.

    Sent again it has the same ``Message-ID``: where the first one did arrive, a mailbox shows it once.
    """
    domain = parseaddr(settings.sender)[1].rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.sender
    message["To"] = text.address
    message["Subject"] = text.subject
    message["Date"] = format_datetime(now.astimezone(JST))
    message["Message-ID"] = f"<koatsu-{one.id}-{one.made_at:%Y%m%d%H%M%S}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence note comes back
    message.set_content(text.body, cte="base64")
    return message


@contextmanager
def _server(settings: MailSettings, wait_s: float) -> Iterator[smtplib.SMTP]:
    """The mail server, logged in."""
    context = ssl.create_default_context()
    if settings.tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, settings.port, timeout=wait_s, context=context)
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=wait_s)
    with server:
        if settings.tls == "starttls":
            server.starttls(context=context)
        if settings.user:
            server.login(settings.user, settings.password)
        yield server


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Errors of the mail server as sentences without the customer's address."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise SendError(f"the mail server refuses the recipient: {code} {_bare(said, address)}") from None
    except smtplib.SMTPResponseException as error:
        why = _bare(error.smtp_error, address)
        kind = SendError if isinstance(error, smtplib.SMTPDataError) else _OutOfReachError
        raise kind(f"the mail server answered {error.smtp_code} {why}") from None
    except smtplib.SMTPNotSupportedError as error:
        raise SendError(f"the mail server cannot do what is needed: {_bare(str(error), address)}") from None
    except (OSError, smtplib.SMTPException) as error:
        why = _bare(str(error), address) or type(error).__name__
        raise _OutOfReachError(f"the mail server cannot be reached: {why}") from None


def _bare(said: bytes | str, address: str) -> str:
    """What a server said, without any address in it."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(_ADDRESS.sub("…", text.replace(address, "…")).split())
