"""What the desk sends out: signed calls to a real HTTP server, letters to a real mail server, tried again."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path

import pytest
import trustme
from desk_site import APPLICATION, COUNTER, KEY, POINTS, SETTINGS, START, drafted, open_desk
from program import fresh_port
from receivers import Hook, Mailbox, hook, mailbox
from sqlalchemy import update

from koatsu.app.desk_sending import Sending
from koatsu.clock import JST, ManualClock
from koatsu.desk import SYSTEM, Case, Desk, DeskSettings, Event, MailSettings, WebhookSettings
from koatsu.desk.letters import NoticeKind
from koatsu.desk.schema_cases import delivery

SECRET = "0123456789abcdef-only-for-tests"
Opened = Callable[..., Desk]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls go where they are addressed, whatever the machine's own settings."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def opened(tmp_path: Path, clock: ManualClock) -> Iterator[Opened]:
    """Opens a desk with settings changed."""
    with ExitStack() as stack:

        def open_it(**changes: object) -> Desk:
            settings: DeskSettings = replace(SETTINGS, **changes)  # type: ignore[arg-type]  # by name
            return stack.enter_context(open_desk(tmp_path / "desk.db", clock, settings))

        yield open_it


@pytest.fixture
def called() -> Iterator[Hook]:
    with hook() as one:
        yield one


def sent(desk: Desk) -> int:
    with closing(Sending(desk, wait_s=5)) as sending:
        return sending.send_due()


def submitted(desk: Desk, point: str = POINTS[0], **changes: str) -> Case:
    case = drafted(desk, point, **changes)
    return desk.cases.act(COUNTER, case.id, Event.SUBMIT)


# --- webhooks -------------------------------------------------------------------------------------------


def test_an_event_is_told_in_a_signed_call(opened: Opened, called: Hook) -> None:
    desk = opened(webhooks=(WebhookSettings(url=called.url, secret=SECRET, events=frozenset({"submit"})),))
    case = submitted(desk)
    assert sent(desk) == 1
    [call] = called.calls
    mark = hmac.new(SECRET.encode(), call.body, hashlib.sha256).hexdigest()
    assert call.headers["koatsu-signature"] == f"sha256={mark}"
    assert call.headers["content-type"] == "application/json; charset=utf-8"
    assert call.headers["user-agent"].startswith("Koatsu/")
    assert call.headers["koatsu-delivery"].isdigit()
    told = json.loads(call.body)
    assert (told["event"], told["case"], told["before"], told["after"]) == (
        "submit", case.number, "draft", "submitted",
    )  # fmt: skip
    assert told["at"] == START.isoformat()
    assert sent(desk) == 0
    assert len(called.calls) == 1


def test_nothing_of_a_person_is_told(opened: Opened, called: Hook) -> None:
    desk = opened(webhooks=(WebhookSettings(url=called.url, secret=SECRET),))
    submitted(desk)
    sent(desk)
    text = b"".join(call.body for call in called.calls).decode()
    for name in ("customer_name", "contact_name", "phone", "email", "address"):
        assert APPLICATION[name] not in text
    assert POINTS[0] not in text


def test_what_fails_is_tried_again_after_a_pause_and_not_before(
    opened: Opened, called: Hook, clock: ManualClock
) -> None:
    desk = opened(webhooks=(WebhookSettings(url=called.url, secret=SECRET, events=frozenset({"submit"})),))
    submitted(desk)
    called.statuses = [503, 500]
    assert sent(desk) == 0
    [stuck] = desk.outbox.stuck()
    assert stuck.error == "the receiver answered 503"
    clock.advance(timedelta(seconds=9))
    sent(desk)
    assert len(called.calls) == 1
    clock.advance(timedelta(seconds=1))
    assert sent(desk) == 0
    clock.advance(timedelta(minutes=1))
    assert sent(desk) == 1
    numbers = {call.headers["koatsu-delivery"] for call in called.calls}
    assert (len(called.calls), len(numbers)) == (3, 1)
    assert desk.outbox.stuck() == []


def test_a_redirect_is_not_followed(opened: Opened, called: Hook) -> None:
    desk = opened(webhooks=(WebhookSettings(url=called.url, secret=SECRET, events=frozenset({"submit"})),))
    submitted(desk)
    called.statuses = [307]
    assert sent(desk) == 0
    assert [call.path for call in called.calls] == ["/koatsu"]
    assert desk.outbox.stuck()[0].error == "the receiver answered 307, which is not followed"


def test_a_receiver_out_of_reach_keeps_nobody_else_waiting(opened: Opened, called: Hook) -> None:
    """It is tried once a round, and not again for each of its calls."""
    gone = f"http://127.0.0.1:{fresh_port()}/"
    hooks = (WebhookSettings(url=gone, secret=SECRET), WebhookSettings(url=called.url, secret=SECRET))
    desk = opened(webhooks=hooks)
    submitted(desk)
    due = [one.target for one in desk.outbox.due()]
    assert due.count(gone) >= 2
    assert sent(desk) == due.count(called.url) == len(called.calls)
    failed = desk.outbox.stuck()
    assert {one.target for one in failed} == {gone}
    assert all("ConnectError" in one.error for one in failed)


def test_a_receiver_that_does_not_answer_is_given_up_after_a_while(opened: Opened) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        desk = opened(webhooks=(WebhookSettings(url=url, secret=SECRET, events=frozenset({"submit"})),))
        submitted(desk)
        with closing(Sending(desk, wait_s=0.2)) as sending:
            assert sending.send_due() == 0
    assert "ReadTimeout" in desk.outbox.stuck()[0].error


def test_a_webhook_that_the_settings_no_longer_name_is_not_called(
    opened: Opened, called: Hook, clock: ManualClock, tmp_path: Path
) -> None:
    hooks = (WebhookSettings(url=called.url, secret=SECRET, events=frozenset({"submit"})),)
    submitted(opened(webhooks=hooks))
    with Desk.open(tmp_path / "desk.db", settings=SETTINGS, clock=clock, key=KEY) as desk:
        assert sent(desk) == 0
        assert desk.outbox.stuck()[0].error == "the settings no longer name this webhook"
    assert called.calls == []


def test_what_was_not_sent_when_the_program_ends_is_due_at_the_next_start(
    opened: Opened, called: Hook
) -> None:
    desk = opened(webhooks=(WebhookSettings(url=called.url, secret=SECRET),))
    submitted(desk)
    due = desk.outbox.due()
    assert len(due) >= 2
    with closing(Sending(desk)) as sending:
        sending.stop()
        assert sending.send_due() == 0
    assert called.calls == []
    assert desk.outbox.due() == due, "nothing counts as a try"
    assert sent(desk) == len(due)


# --- mail -----------------------------------------------------------------------------------------------


def mail_of(box: Mailbox, **more: object) -> MailSettings:
    plain = {
        "host": "localhost",
        "port": box.port,
        "tls": "none",
        "sender": "受付窓口 <broute@hibari.example>",
    }
    return MailSettings(**{**plain, **more})  # type: ignore[arg-type]  # by name


def test_a_letter_goes_out_as_a_mail_in_japanese(opened: Opened, clock: ManualClock) -> None:
    with mailbox() as box:
        desk = opened(mail=mail_of(box))
        case = submitted(desk)
        clock.advance(timedelta(minutes=3))
        assert sent(desk) == 1
    [mail], [(sender, recipients)] = box.mails, box.envelopes
    assert (sender, recipients) == ("broute@hibari.example", [APPLICATION["email"]])
    assert mail["To"] == APPLICATION["email"]
    assert parseaddr(mail["From"]) == ("受付窓口", "broute@hibari.example")
    [letter] = desk.notices.of_case(SYSTEM, case.id)
    text = desk.notices.mail(letter.id)
    assert (letter.kind, letter.mailed_at) == (NoticeKind.RECEIVED, clock.now())
    assert mail["Subject"] == text.subject
    assert case.number in mail["Subject"]
    assert mail.get_content().replace("\r\n", "\n").strip() == text.body.strip()
    assert f"{APPLICATION['contact_name']} 様" in mail.get_content()
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == clock.now().astimezone(JST)


def test_who_reads_english_gets_english(opened: Opened) -> None:
    with mailbox() as box:
        desk = opened(mail=mail_of(box))
        submitted(desk, language="en")
        assert sent(desk) == 1
    assert box.mails[0]["Subject"].startswith("High-voltage B-route service: ")
    assert f"Dear {APPLICATION['contact_name']}" in box.mails[0].get_content()


def test_no_mail_goes_to_who_gave_no_address(opened: Opened) -> None:
    with mailbox() as box:
        desk = opened(mail=mail_of(box))
        submitted(desk, email="")
        assert sent(desk) == 0
    assert box.mails == []


def test_a_mail_that_is_sent_again_bears_the_same_number(opened: Opened, clock: ManualClock) -> None:
    """The first one may have arrived although the answer did not."""
    with mailbox() as box:
        desk = opened(mail=mail_of(box))
        submitted(desk)
        sent(desk)
        first = box.mails[0]["Message-ID"]
        with desk.database.writing() as connection:
            connection.execute(update(delivery).values(done_at=None, next_at=0))
        clock.advance(timedelta(hours=1))
        sent(desk)
    assert [mail["Message-ID"] for mail in box.mails] == [first, first]
    assert first.endswith("@hibari.example>")


@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_a_mail_server_is_spoken_to_under_cover_and_logged_in_to(
    way: str, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with mailbox(context, from_the_beginning=way == "tls") as box:
        desk = opened(mail=mail_of(box, tls=way, user="broute", password="only for tests"))
        submitted(desk)
        assert sent(desk) == 1
    assert box.encrypted == [True]
    assert box.logins == [("broute", "only for tests")]


def test_a_certificate_that_nobody_vouches_for_keeps_the_password_here(opened: Opened) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with mailbox(context) as box:
        desk = opened(mail=mail_of(box, tls="starttls", user="broute", password="only for tests"))
        submitted(desk)
        assert sent(desk) == 0
    assert (box.logins, box.mails) == ([], [])
    assert "CERTIFICATE_VERIFY_FAILED" in desk.outbox.stuck()[0].error


@pytest.mark.parametrize(
    ("verb", "answer", "said"),
    [
        ("RCPT", "550 no <kobayashi@aoba.example>", "the mail server refuses the recipient: 550 no <…>"),
        ("MAIL", "451 try later", "the mail server answered 451 try later"),
        ("DATA", "554 kobayashi@aoba.example is full", "the mail server answered 554 … is full"),
        ("EHLO", "421 closing", "the mail server"),
    ],
)  # fmt: skip
def test_what_the_mail_server_says_is_told_without_the_address(
    verb: str, answer: str, said: str, opened: Opened
) -> None:
    with mailbox() as box:
        box.refusals[verb] = answer
        if verb == "EHLO":
            box.refusals["HELO"] = answer
        desk = opened(mail=mail_of(box))
        submitted(desk)
        assert sent(desk) == 0
    [stuck] = desk.outbox.stuck()
    assert stuck.error.startswith(said)
    assert "kobayashi" not in stuck.error


def test_a_mail_server_out_of_reach_is_tried_once_a_round(opened: Opened, clock: ManualClock) -> None:
    settings = MailSettings(host="127.0.0.1", port=fresh_port(), tls="none", sender="a@b.example")
    desk = opened(mail=settings)
    for point in POINTS[:3]:
        submitted(desk, point)
    assert sent(desk) == 0
    errors = [one.error for one in desk.outbox.stuck()]
    assert len(errors) == 3
    assert all(one.startswith("the mail server cannot be reached: ") for one in errors)


def test_one_recipient_who_is_refused_keeps_no_other_from_getting_mail(opened: Opened) -> None:
    with mailbox() as box:
        desk = opened(mail=mail_of(box))
        submitted(desk, POINTS[0], email="受付@aoba.example")
        submitted(desk, POINTS[1])
        assert sent(desk) == 2, "an address of other letters too, where the server takes it"
    assert {recipients[0] for _, recipients in box.envelopes} == {"受付@aoba.example", APPLICATION["email"]}
