"""The page of data: who may do what, what is refused and how, in a browser on a phone and on a desk."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from data_site import data_app, energy_of, wide_csv
from people_site import NAMES, PASSWORD, Visitor
from playwright.async_api import Page, async_playwright, expect
from web_site import served

from koatsu.ems.exchange import FileChoice, import_archive
from koatsu.ems.store import Store
from koatsu.meter import Slot
from koatsu.people import Role

JUNE = date(2026, 6, 1)
SOON = 20_000  # ms; two cores are shared with other tests
WRONG = Slot(date(2026, 6, 9), 20)


def upload(visitor: Visitor, name: str, data: bytes, *, prefix: str = "", **fields: str) -> object:
    """Send the form of the page with a file."""
    fields = {"csrf": visitor.secret(f"{prefix}/data"), "meter": "buy", **fields}
    parts = [
        f'--mark\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    parts.append(
        f'--mark\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode() + data
    )
    body = b"".join(parts) + b"\r\n--mark--\r\n"
    return visitor.request(
        "POST",
        f"{prefix}/data/import",
        content=body,
        headers={"Content-Type": "multipart/form-data; boundary=mark"},
    )


def test_slots_and_archives_are_downloaded(tmp_path: Path) -> None:
    with data_app(tmp_path, Role.OWNER, Role.VIEWER) as (app, _, _people):
        visitor = Visitor(app)
        visitor.log_in(Role.VIEWER)
        answer = visitor.get("/data/export?form=csv&meter=buy&from=2026-06-01&to=2026-06-02")
        assert answer.headers["content-disposition"] == (
            'attachment; filename="koatsu_buy_2026-06-01_2026-06-02.csv"'
        )
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(rows) == 96
        assert Decimal(rows[19]["energy_kwh"]) == energy_of(Slot(JUNE, 20))
        packed = visitor.get("/data/export?form=archive&from=&to=")
        assert packed.headers["content-type"] == "application/zip"
        assert int(packed.headers["content-length"]) == len(packed.content)
        assert zipfile.ZipFile(io.BytesIO(packed.content)).testzip() is None
        with Store.open(tmp_path / "copy.db") as copy:
            assert import_archive(copy, io.BytesIO(packed.content), "a.zip").adopted
        for wrong in ("from=2026-06-32", "meter=nobody", "from=2026-06-02&to=2026-06-01"):
            assert visitor.get(f"/data/export?meter=buy&{wrong}").status_code == 422


def test_a_file_is_brought_in_once_and_taken_out_again(tmp_path: Path) -> None:
    with data_app(tmp_path, Role.OWNER, Role.OPERATOR) as (app, desk, people):
        visitor = Visitor(app)
        visitor.log_in(Role.OPERATOR)
        data = wide_csv(JUNE, 30, wrong={WRONG: "99.5"}).encode("cp932")
        tried = upload(visitor, "2026-06.csv", data, dry_run="1")
        assert tried.status_code == 200
        assert "試しに読んだ結果" in tried.text
        assert desk.files() == ()
        done = upload(visitor, "2026-06.csv", data)
        assert done.headers["location"] == "/data/file/1?done=imported"
        page = visitor.get(done.headers["location"]).text
        assert "取り込みました" in page
        assert "99.5" in page
        assert "1,439" in page
        again = upload(visitor, "other name.csv", data)
        assert again.headers["location"] == "/data/file/1?done=known"
        assert "2026-06.csv" in visitor.get("/en/data").text
        entry = people.audit.entries(limit=1)[0]
        assert (entry.action, entry.subject) == ("file_imported", "meter:buy")
        assert desk.files()[0].file.author == entry.author == "person:2"
        kept = visitor.send("/data/forget", "/data/file/1", number="1")
        assert kept.headers["location"] == "/data/file/1", "not without saying so"
        gone = visitor.send("/data/forget", "/data/file/1", number="1", sure="1")
        assert gone.headers["location"] == "/data?done=forgotten"
        assert desk.files() == ()
        assert visitor.get("/data/file/1").status_code == 404
        assert people.audit.entries(limit=1)[0].action == "import_forgotten"


def test_an_archive_is_brought_in_and_contradictions_are_shown(tmp_path: Path) -> None:
    with data_app(tmp_path, Role.OWNER, Role.OPERATOR) as (app, desk, _):
        visitor = Visitor(app)
        visitor.log_in(Role.OPERATOR)
        archive = visitor.get("/data/export?form=archive&from=2026-06-01&to=2026-06-03").content
        with desk.store.writing() as connection:
            connection.exec_driver_sql("UPDATE reading SET count = 7 WHERE count = 5000000")
        answer = upload(visitor, "a.zip", archive)
        assert answer.status_code == 200
        assert "5000000" in answer.text
        assert "違うものが 2 件" in answer.text


def test_what_is_refused_is_said_in_the_language_of_the_page(tmp_path: Path) -> None:
    with data_app(tmp_path, Role.OWNER, Role.OPERATOR) as (app, desk, _):
        visitor = Visitor(app)
        visitor.log_in(Role.OPERATOR)
        broken = wide_csv(JUNE, 30).replace("2026/06/12,", "2026/06/32,").encode()
        for prefix, words in (("", "13 行目 B 列 「年月日」"), ("/en", "row 13, column B, “年月日”")):
            answer = upload(visitor, "<b>.csv", broken, prefix=prefix)
            assert answer.status_code == 422
            assert words in answer.text
            assert "&lt;b&gt;.csv" in answer.text
            assert "<b>.csv" not in answer.text
        assert upload(visitor, "", b"").status_code == 422
        assert upload(visitor, "x.csv", b"", meter="nobody").status_code == 422
        assert upload(visitor, "x.csv", bytes(11 << 20)).status_code == 413
        assert desk.files() == ()


@pytest.mark.parametrize("role", [Role.VIEWER, None])
def test_who_may_not_import_does_not(tmp_path: Path, role: Role | None) -> None:
    with data_app(tmp_path, Role.OWNER, Role.VIEWER) as (app, desk, _):
        visitor = Visitor(app)
        if role is not None:
            visitor.log_in(role)
            page = visitor.get("/data").text
            assert 'type="file"' not in page
            assert "操作者か管理者" in page
        answer = upload(visitor, "x.csv", wide_csv(JUNE, 1).encode())
        assert answer.status_code in (303, 403)
        assert desk.files() == ()


def test_a_form_of_another_page_imports_nothing(tmp_path: Path) -> None:
    with data_app(tmp_path, Role.OWNER, Role.OPERATOR) as (app, desk, _):
        visitor = Visitor(app)
        visitor.log_in(Role.OPERATOR)
        for path in ("/data/import", "/data/forget"):
            assert visitor.request("POST", path, data={"csrf": "forged"}).status_code == 403
        assert desk.files() == ()


def test_a_file_of_several_months_is_shown_month_by_month(tmp_path: Path) -> None:
    with data_app(tmp_path, Role.OWNER) as (app, desk, _):
        desk.take_in(
            io.BytesIO(wide_csv(JUNE, 44).encode()), "two.csv", FileChoice(meter_id="buy"), author="person:1"
        )
        visitor = Visitor(app)
        visitor.log_in(Role.OWNER)
        july, june = visitor.get("/data/file/1").text, visitor.get("/data/file/1?month=2026-06").text
        assert "2026年7月" in july
        assert "672" in july
        assert "2026年6月" in june
        assert "1,440" in june
        assert visitor.get("/data/file/1?month=nonsense").status_code == 200
        assert visitor.get("/data/file/x").status_code == 404


# --- in a browser ---------------------------------------------------------------------------------------


@asynccontextmanager
async def logged_in(folder: Path, width: int, prefix: str) -> AsyncIterator[Page]:
    """The page of data for an operator; leaving asserts that the console stayed quiet."""
    complaints: list[str] = []
    with data_app(folder, Role.OWNER, Role.OPERATOR) as (app, _, _people):
        async with served(app) as base, async_playwright() as play:
            browser = await play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            try:
                page = await browser.new_page(viewport={"width": width, "height": 844})
                page.on("console", lambda said: complaints.append(said.text))
                page.on("pageerror", lambda error: complaints.append(str(error)))
                await page.goto(f"{base}{prefix}/login")
                await page.fill("#name", NAMES[Role.OPERATOR])
                await page.fill("#password", PASSWORD)
                await page.click("main button")
                await page.wait_for_url(f"{base}{prefix}/")
                await page.goto(f"{base}{prefix}/data")
                yield page
            finally:
                await browser.close()
    assert [said for said in complaints if "422" not in said] == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("prefix", ["", "/en"])
async def test_a_broken_file_and_then_a_good_one(tmp_path: Path, width: int, prefix: str) -> None:
    broken, good = tmp_path / "broken.csv", tmp_path / "2026-06.csv"
    good.write_bytes(wide_csv(JUNE, 30, wrong={WRONG: "99.5"}).encode("cp932"))
    broken.write_bytes(good.read_bytes().replace(b"2026/06/12,", b"2026/06/32,"))
    async with logged_in(tmp_path, width, prefix) as page:
        await page.set_input_files("#file", broken)
        await page.click("button.primary")
        await expect(page.locator("#wrong")).to_contain_text("2026/06/32", timeout=SOON)
        await expect(page.locator("#wrong")).to_contain_text("row 13" if prefix else "13 行目", timeout=SOON)
        await page.set_input_files("#file", good)
        await page.click("button.primary")
        await expect(page.locator("h1")).to_have_text("2026-06.csv", timeout=SOON)
        await expect(page.locator(".seen")).to_contain_text("99.5", timeout=SOON)
        await page.wait_for_load_state()
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        await page.check("[name=sure]")
        await page.click("button.danger")
        await expect(page.locator("h1")).to_have_text(
            "Import and export" if prefix else "データの出し入れ", timeout=SOON
        )
        await page.wait_for_load_state()
        assert await page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.browser
async def test_a_file_is_downloaded(tmp_path: Path) -> None:
    async with logged_in(tmp_path, 1280, "") as page:
        await page.fill("#from", "2026-06-01")
        await page.fill("#to", "2026-06-30")
        async with page.expect_download() as waiting:
            await page.click("form[action$='/data/export'] button")
        download = await waiting.value
        assert download.suggested_filename == "koatsu_buy_2026-06-01_2026-06-30.csv"
        lines = Path(await download.path()).read_text(encoding="utf-8-sig").splitlines()
        assert len(lines) == 1 + 30 * 48
