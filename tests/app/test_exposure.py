"""Where the page may be: this machine, until somebody owns it and passwords travel under cover."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import trustme
from program import fresh_address, fresh_port, koatsu, running

from koatsu.app.certificate import CertificateError, load_certificate
from koatsu.app.exposure import ExposureError, address_of, check_exposure, names_of
from koatsu.app.listening import through_proxy
from koatsu.clock import SystemClock
from koatsu.config import WebConfig
from koatsu.people import Hashing, People

CHEAP = Hashing(passes=1, memory_kib=8, lanes=1)
TLS = {"tls_cert": "cert.pem", "tls_key": "key.pem"}
ELSEWHERE = "192.0.2.5"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    """Nobody yet."""
    with People.open(tmp_path / "koatsu.db", clock=SystemClock(), hashing=CHEAP) as opened:
        yield opened


def owned(people: People) -> People:
    people.create_owner("田中", "correct horse battery staple")
    return people


# --- the address ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_this_machine_asks_for_nobody(host: str, people: People) -> None:
    check_exposure(WebConfig(host=host), people)
    check_exposure(WebConfig(host=host), None)


@pytest.mark.parametrize("host", [ELSEWHERE, "0.0.0.0", "::", "2001:db8::1"])
def test_another_address_wants_an_owner_and_cover(host: str, people: People) -> None:
    for web in (WebConfig(host=host), WebConfig(host=host, names=("ems.example.jp",))):
        with pytest.raises(ExposureError, match="in clear") as caught:
            check_exposure(web, owned(people) if not people.has_owner() else people)
        assert host in caught.value.text("ja")
        assert "tls_cert" in caught.value.text("ja")
    check_exposure(WebConfig(host=host, **TLS), people)
    check_exposure(WebConfig(host=host, behind_proxy=True, names=("x",)), people)


@pytest.mark.parametrize(
    "web",
    [
        WebConfig(host=ELSEWHERE, **TLS),
        WebConfig(host=ELSEWHERE, behind_proxy=True, names=("x",)),
        WebConfig(behind_proxy=True, names=("x",)),
    ],
    ids=["TLS", "proxy", "proxy on this machine"],
)
def test_nobody_reaches_a_page_without_an_owner(web: WebConfig, people: People) -> None:
    for nobody in (people, None):
        with pytest.raises(ExposureError, match="no owner") as caught:
            check_exposure(web, nobody)
        assert "koatsu people add" in caught.value.text("en")
        assert "管理者" in caught.value.text("ja")
    check_exposure(web, owned(people))


def test_the_page_is_called_by_its_names() -> None:
    local = WebConfig(names=("ems.example.jp",))
    assert (names_of(local), address_of(local, 8028)) == (("ems.example.jp",), "http://127.0.0.1:8028/")
    named = WebConfig(host="0.0.0.0", names=("ems.example.jp", "x"), **TLS)
    assert names_of(named) == ("ems.example.jp", "x")
    assert address_of(named, 443) == "https://ems.example.jp:443/"
    assert address_of(WebConfig(host="0.0.0.0"), 1) == "http://127.0.0.1:1/"
    assert address_of(WebConfig(host="2001:db8::1"), 1) == "http://[2001:db8::1]:1/"
    assert names_of(WebConfig(host=ELSEWHERE, names=(ELSEWHERE,))) == (ELSEWHERE,)


# --- the proxy ------------------------------------------------------------------------------------------


def asked(web: WebConfig, caller: str, **headers: str) -> httpx.Response:
    """What somebody at ``caller`` is answered; the page tells whom it believes to talk to, and how."""

    async def page(scope: dict, receive: object, send: object) -> None:
        text = f"{scope['client'][0]} {scope['scheme']}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text})

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(through_proxy(page, web), client=(caller, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8028") as http:
            return await http.get("/", headers={name.replace("_", "-"): one for name, one in headers.items()})

    return asyncio.run(ask())


FORWARDED = {"X_Forwarded_For": "203.0.113.9", "X_Forwarded_Proto": "https"}
PROXIED = WebConfig(behind_proxy=True, names=("x",), proxies=("192.0.2.2",))


def test_without_a_proxy_nobody_is_believed() -> None:
    for caller in ("127.0.0.1", "192.0.2.2"):
        assert asked(WebConfig(), caller, **FORWARDED).text == f"{caller} http"


@pytest.mark.parametrize("caller", ["127.0.0.1", "127.0.0.9", "::1", "192.0.2.2"])
def test_a_proxy_is_believed(caller: str) -> None:
    assert asked(PROXIED, caller, **FORWARDED).text == "203.0.113.9 https"
    assert asked(PROXIED, caller).text == f"{caller} http"


@pytest.mark.parametrize("caller", ["192.0.2.3", "2001:db8::2", "", "unix"])
def test_beside_the_proxy_nobody_is_answered(caller: str) -> None:
    answer = asked(PROXIED, caller, **FORWARDED)
    assert answer.status_code == 403
    assert "プロキシ経由" in answer.text
    assert "through its proxy" in answer.text


def test_what_comes_from_further_away_is_the_proxy_s_word() -> None:
    """Of a chain, the address that the trusted proxy saw counts, not what the caller made up before it."""
    made_up = {"X_Forwarded_For": "127.0.0.1, 203.0.113.9"}
    assert asked(PROXIED, "192.0.2.2", **made_up).text == "203.0.113.9 http"


# --- the certificate ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Somebody who signs."""
    return trustme.CA()


def written(folder: Path, leaf: trustme.LeafCert) -> tuple[Path, Path]:
    """Certificate with chain, and key, as files."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return cert, key


def load(*paths: Path) -> object:
    cert, key = paths
    return load_certificate(str(cert), str(key))


def test_a_good_certificate_is_taken_and_its_names_are_known(authority: trustme.CA, tmp_path: Path) -> None:
    until = datetime.now(UTC) + timedelta(days=100)
    cert, key = written(
        tmp_path, authority.issue_cert("ems.example.jp", "*.b.example.jp", "192.0.2.5", not_after=until)
    )
    found = load_certificate(str(cert), str(key))
    assert set(found.names) == {"ems.example.jp", "*.b.example.jp", "192.0.2.5"}
    assert abs(found.until - until) < timedelta(seconds=2)
    now = datetime.now(UTC)
    assert not found.remarks(["ems.example.jp", "x.b.example.jp", "192.0.2.5"], now, "en")
    [warning] = found.remarks(["b.example.jp"], now, "en")
    assert "not for b.example.jp" in warning
    assert "警告" in found.remarks(["192.0.2.6"], now, "ja")[0]
    [soon] = found.remarks([], until - timedelta(days=5), "en")
    assert "expires on" in soon


def test_every_trouble_of_a_certificate_is_one_sentence(authority: trustme.CA, tmp_path: Path) -> None:
    good = written(tmp_path, authority.issue_cert("ems.example.jp"))
    other = tmp_path / "other"
    other.mkdir()
    strangers = written(other, authority.issue_cert("x.example.jp"))
    letter = tmp_path / "letter.pem"
    letter.write_text("Dear reader")
    now = datetime.now(UTC)
    expired, early = tmp_path / "expired", tmp_path / "early"
    expired.mkdir()
    early.mkdir()
    old = written(
        expired, authority.issue_cert("x", not_before=now - timedelta(9), not_after=now - timedelta(1))
    )
    new = written(
        early, authority.issue_cert("x", not_before=now + timedelta(1), not_after=now + timedelta(9))
    )
    cases = [
        ((tmp_path / "none.pem", good[1]), "none.pem cannot be read: No such file", "読めません"),
        ((good[0], tmp_path), "cannot be read: Is a directory", "読めません"),
        ((good[0], strangers[1]), "is not that of the certificate", "ものではありません"),
        ((letter, good[1]), "letter.pem is not a file with -----BEGIN CERTIFICATE-----", "CERTIFICATE"),
        ((good[0], letter), "letter.pem is not a file with -----BEGIN PRIVATE KEY-----", "PRIVATE KEY"),
        (old, "has expired", "有効期限"),
        (new, "not valid yet", "有効になっていません"),
    ]
    load(*good)
    for paths, sentence, japanese in cases:
        with pytest.raises(CertificateError) as caught:
            load(*paths)
        assert sentence in caught.value.text("en"), paths
        assert japanese in caught.value.text("ja"), paths
        assert "\n" not in caught.value.text("en")


def test_a_key_with_a_password_is_told_and_asks_nobody(authority: trustme.CA, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    cert, key = written(tmp_path, authority.issue_cert("x"))
    plain = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        plain.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(CertificateError, match="protected by a password"):
        load(cert, key)


# --- the program ----------------------------------------------------------------------------------------


def configured(folder: Path, web: str) -> Path:
    """A configuration of a meter that never answers."""
    path = folder / "koatsu.toml"
    path.write_text(
        f'[site]\nname = "works"\n[web]\n{web}\n[node]\naddress = "{fresh_address()}"\n'
        f'[[meter]]\nid = "main"\naddress = "127.0.99.99"\nprofile = "fast"\n'
    )
    return path


def test_the_program_refuses_to_be_open_to_everybody(tmp_path: Path) -> None:
    port = fresh_port()
    config = configured(tmp_path, f'host = "0.0.0.0"\nport = {port}')
    done = koatsu("run", "-c", str(config))
    assert (done.status, done.out) == (2, "")
    assert "The page is not opened on 0.0.0.0: passwords would travel there in clear." in done.err
    config.write_text(config.read_text().replace("[node]", 'behind_proxy = true\nnames = ["x"]\n[node]'))
    assert "it has no owner" in koatsu("run", "-c", str(config)).err
    assert "管理者がまだなく" in koatsu("run", "-c", str(config), KOATSU_LANG="ja").err


def test_the_page_speaks_https_with_its_own_certificate(authority: trustme.CA, tmp_path: Path) -> None:
    written(tmp_path, authority.issue_cert("127.0.0.1"))
    port = fresh_port()
    web = f'port = {port}\nnames = ["ems.example.jp"]\ntls_cert = "cert.pem"\ntls_key = "key.pem"'
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with running("run", "-c", str(configured(tmp_path, web))) as program:
        assert "not for ems.example.jp" in program.until("certificate")
        assert f"https://127.0.0.1:{port}/" in program.until("Page: ")
        answer = httpx.get(f"https://127.0.0.1:{port}/healthz", verify=trusting)
        assert answer.status_code == 200
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/healthz")


def test_a_wrong_certificate_stops_the_start(tmp_path: Path) -> None:
    web = 'tls_cert = "cert.pem"\ntls_key = "key.pem"'
    done = koatsu("run", "-c", str(configured(tmp_path, web)))
    assert done.status == 2
    assert f"{tmp_path / 'cert.pem'} cannot be read" in done.err
