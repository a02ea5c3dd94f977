"""What a request carries, over real sockets: too much and too slow end with a sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from people_site import HandClock, app_over, people_in
from web_site import served

from koatsu.people import Role
from koatsu.web import bodies
from koatsu.web.bodies import IMPORT_BYTES, PLAIN_BYTES, limit_of


async def exchange(base: str, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send bytes piece by piece and read until the other side has answered."""
    host, port = base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for piece in pieces:
            writer.write(piece.replace(b"HOST", f"{host}:{port}".encode()))
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(20):
            return await reader.readuntil(b"\r\n\r\n") + await reader.read(65536)
    finally:
        writer.close()


HEAD = b"POST /login HTTP/1.1\r\nHost: HOST\r\nOrigin: http://HOST\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


async def test_a_length_that_is_announced_is_refused_unread(tmp_path: Path) -> None:
    with people_in(tmp_path, HandClock(), *Role) as people:
        async with served(app_over(people)) as base:
            answer = await exchange(base, HEAD + FORM + b"Content-Length: 900000000\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 413")
            assert "大きすぎます".encode() in answer


async def test_a_length_that_is_not_announced_is_counted(tmp_path: Path) -> None:
    chunk = b"%x\r\n" % 16384 + b"a" * 16384 + b"\r\n"
    with people_in(tmp_path, HandClock(), *Role) as people:
        async with served(app_over(people)) as base:
            answer = await exchange(
                base, HEAD + FORM + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 5, b"0\r\n\r\n"
            )
            assert answer.startswith(b"HTTP/1.1 413")
            fits = await exchange(
                base, HEAD + FORM + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 3, b"0\r\n\r\n"
            )
            assert fits.startswith(b"HTTP/1.1 403"), "it is read, and found to be forged"


async def test_a_body_that_does_not_come_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "_PLAIN_S", 0.2)
    with people_in(tmp_path, HandClock(), *Role) as people:
        async with served(app_over(people)) as base:
            answer = await exchange(base, HEAD + FORM + b"Content-Length: 20\r\n\r\n", b"name=")
            assert answer.startswith(b"HTTP/1.1 408")
            assert b"connection: close" in answer.lower()
            assert "打ち切りました".encode() in answer


async def test_who_leaves_in_the_middle_leaves_no_trace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with people_in(tmp_path, HandClock(), *Role) as people:
        async with served(app_over(people)) as base:
            host, port = base.removeprefix("http://").split(":")
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write((HEAD + FORM + b"Content-Length: 20\r\n\r\nname=").replace(b"HOST", b"127.0.0.1"))
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            assert (
                await exchange(base, b"GET /healthz HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")
            )[:12] == b"HTTP/1.1 200"
    assert "could not be made" not in caplog.text


async def test_the_head_of_an_endless_page_ends(tmp_path: Path) -> None:
    with people_in(tmp_path, HandClock()) as people:
        async with served(app_over(people)) as base:
            asked = b"HEAD /events/stream?screen=now HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"
            answer = await exchange(base, asked)
            assert answer.startswith(b"HTTP/1.1 200")
            assert answer.endswith(b"\r\n\r\n"), "no body"


def test_files_come_in_at_import_alone() -> None:
    for path in ("/data/import", "/en/data/import/", "/api/v1/import"):
        assert limit_of(path) == IMPORT_BYTES
    for path in ("/data/importing", "/import/x", "/"):
        assert limit_of(path) == PLAIN_BYTES
