"""What the machine must offer: a store that opens and is sound, space on the disk, a port for the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from koatsu.app.doctor.findings import Finding, Step
from koatsu.app.doctor.health import Health
from koatsu.app.listening import listen
from koatsu.clock import JST
from koatsu.config import Config
from koatsu.errors import KoatsuError, UnreachableError

if TYPE_CHECKING:
    from koatsu.ems.store.looking import StoreLook

__all__ = ["LEAST_FREE", "OLD", "Machine"]

LEAST_FREE: Final = 200 * 1024 * 1024  #: bytes; below this a store may fill the disk before anybody looks
OLD: Final = timedelta(hours=1, minutes=10)  #: two slots and some minutes: the newest count should be younger
_MIB: Final = 1024 * 1024


class Machine:
    """The store and the page of one configuration."""

    def __init__(self, config: Config, health: Health | None) -> None:
        self._config, self._health = config, health
        self._look: StoreLook | None = None

    async def store(self) -> Finding:
        """The store opens, or can be made."""
        from koatsu.ems.store.looking import look  # brings the database: loaded when it is needed

        path = self._config.store.path
        if "://" not in path:
            refused = _refused(Path(path))
            if refused is not None:
                return refused
        try:
            self._look = look(path)
        except KoatsuError as error:
            return Finding.of_error(Step.STORE, error)
        if self._look is None:
            return Finding.ok(
                Step.STORE, f"{path} is not there yet; koatsu run makes it.",
                f"{path} はまだありません。koatsu run が作ります。",
            )  # fmt: skip
        old = "" if self._look.current else "; koatsu run brings it up to date"
        old_ja = "" if self._look.current else "(koatsu run が新しい形に移します)"
        return Finding.ok(
            Step.STORE, f"{self._look.where} opens (version {self._look.version}{old}).",
            f"{self._look.where} を開けます(版 {self._look.version}{old_ja})。",
            version=self._look.version, bytes=self._look.size,
        )  # fmt: skip

    async def integrity(self) -> Finding:
        """The pages of the store fit together."""
        if self._look is None:
            return Finding.unknown(Step.INTEGRITY, "there is no store yet", "保存先がまだありません")
        if self._look.damage:
            return Finding.wanting(
                Step.INTEGRITY,
                f"The store is damaged: {self._look.damage[0]}.",
                f"保存先が壊れています({self._look.damage[0]})。",
                hint="Stop koatsu run, keep a copy of the file, and restore a backup: koatsu restore.",
                hint_ja="koatsu run を止めてファイルを控え、koatsu restore でバックアップを戻してください。",
            )
        return Finding.ok(Step.INTEGRITY, "The store is sound.", "保存先に異常はありません。")

    async def disk(self) -> Finding:
        """There is space where the store is."""
        path = self._config.store.path
        if "://" in path:
            return Finding.unknown(
                Step.DISK, "the store is on a database server", "保存先はデータベースサーバーです"
            )
        folder = _existing(Path(path).parent)
        usage = shutil.disk_usage(folder)
        free = f"{usage.free // _MIB:,} MiB"
        if usage.free < LEAST_FREE:
            return Finding.wanting(
                Step.DISK,
                f"Only {free} are free at {folder}.",
                f"{folder} の空きが {free} しかありません。",
                hint="Make space: nothing is stored on a full disk, and the meter keeps 99 days at most.",
                hint_ja="空きを増やしてください。満杯では保存できず、計器の履歴は最長 99 日です。",
                free_bytes=usage.free,
            )
        return Finding.ok(
            Step.DISK,
            f"{free} are free at {folder}.",
            f"{folder} の空きは {free} です。",
            free_bytes=usage.free,
        )

    async def ages(self, now: datetime, only: frozenset[str] | None = None) -> Iterator[Finding]:
        """For each meter, how old its newest half hour in the store is."""
        return iter([self._age(one.id, now) for one in self._config.meters if only is None or one.id in only])

    def _age(self, meter: str, now: datetime) -> Finding:
        newest = self._look.newest.get(meter) if self._look else None
        if newest is None:
            return Finding.unknown(
                Step.AGE, "nothing has been recorded yet", "まだ記録がありません", meter=meter
            )
        shown = f"{newest.astimezone(JST):%Y-%m-%d %H:%M}"
        if now - newest > OLD:
            return Finding.wanting(
                Step.AGE,
                f"The newest half hour on file ends at {shown}.",
                f"保存されている最後の時限は {shown} までです。",
                hint="Start koatsu run: it fetches what the meter keeps. If it runs, mend what is above.",
                hint_ja="koatsu run を起動すると取り戻します。起動中なら上の項目を直してください。",
                meter=meter,
                until=newest.astimezone(JST).isoformat(),
            )
        return Finding.ok(
            Step.AGE, f"The newest half hour on file ends at {shown}.",
            f"保存されている最後の時限は {shown} までです。", meter=meter,
            until=newest.astimezone(JST).isoformat(),
        )  # fmt: skip

    async def page(self) -> Finding:
        """The page is up and well, or its port is free."""
        web, health = self._config.web, self._health
        if health is None:
            try:
                with listen(web.host, web.port):
                    pass
            except UnreachableError as error:
                return Finding.of_error(Step.PAGE, error)
            return Finding.ok(
                Step.PAGE, f"{web.host} port {web.port} is free for the page.",
                f"画面用の {web.host} ポート {web.port} は空いています。",
            )  # fmt: skip
        if health.status != "ok":
            codes = ", ".join(health.reasons) or health.status
            return Finding.wanting(
                Step.PAGE,
                f"{health.url} answers and says that not all is well: {codes}.",
                f"{health.url} は動いていますが、問題を知らせています({codes})。",
                hint="The page and the log of koatsu run say more.",
                hint_ja="画面と koatsu run のログに詳しく出ています。",
                reasons=codes,
            )
        return Finding.ok(
            Step.PAGE, f"{health.url} answers, and all is well there.", f"{health.url} は正常に動いています。"
        )


def _existing(folder: Path) -> Path:
    return next((one for one in (folder, *folder.parents) if one.is_dir()), Path("/"))


def _refused(path: Path) -> Finding | None:
    """The finding when this user may not read or write what is there."""
    place = path if path.exists() else _existing(path.parent)
    needs = os.R_OK | os.W_OK if path.exists() else os.W_OK
    if os.access(place, needs) and not _mounted_read_only(place):
        return None
    return Finding.wanting(
        Step.STORE,
        f"This user may not write {place}.",
        f"この利用者は {place} に書き込めません。",
        hint="Give the user that runs Koatsu the right to write the file and its folder.",
        hint_ja="Koatsu を動かす利用者に、ファイルとフォルダーへの書き込み権限を付けてください。",
    )


def _mounted_read_only(place: Path) -> bool:
    return bool(os.statvfs(place).f_flag & os.ST_RDONLY)
