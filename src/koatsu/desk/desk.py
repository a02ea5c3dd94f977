"""The open desk: its database, its key, and everything that can be done with it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from koatsu.clock import Clock
from koatsu.desk.cases import Cases
from koatsu.desk.chores import Chores
from koatsu.desk.data_list import DataLists
from koatsu.desk.database import DeskDatabase
from koatsu.desk.documents import Documents
from koatsu.desk.enquiries import Enquiries
from koatsu.desk.errors import DeskSettingError
from koatsu.desk.faults import Faults
from koatsu.desk.notices import Notices
from koatsu.desk.outbox import Outbox
from koatsu.desk.probe import LinkProbe
from koatsu.desk.registers import Registers
from koatsu.desk.settings import DeskSettings
from koatsu.desk.staff import Staff
from koatsu.desk.terms import Terms
from koatsu.desk.trail import Trail
from koatsu.desk.vault import Vault, key_in
from koatsu.desk.words import Words
from koatsu.desk.worklists import Worklists

__all__ = ["Desk", "key_path"]


def key_path(store: str | Path) -> Path:
    """Where the key of a store is unless told otherwise: ``desk.db`` has ``desk.key`` beside it.

    Raises:
        DeskSettingError: the store is on a server, so the file of the key has to be named.
    """
    if isinstance(store, str) and "://" in store:
        raise DeskSettingError(
            Words(
                "データベースサーバーを使うときは、鍵のファイルを key で指定してください。",
                "With a database server the file of the key has to be named.",
            ),
            Words('[store] に key = "desk.key" のように書きます。', 'Write key = "desk.key" under [store].'),
        )
    return Path(store).absolute().with_suffix(".key")


class Desk:
    """An open desk; make one with :meth:`open`, and close it. Safe to use from any thread."""

    def __init__(
        self,
        database: DeskDatabase,
        vault: Vault,
        settings: DeskSettings,
        clock: Clock,
        probe: LinkProbe | None,
    ) -> None:
        self.database, self.vault, self.settings, self.clock, self.probe = (
            database,
            vault,
            settings,
            clock,
            probe,
        )
        self.cases = Cases(database, vault, settings, clock)
        self.lists = Worklists(database, vault, clock)
        self.registers = Registers(database, settings, clock, vault)
        self.trail = Trail(database, vault)
        self.staff = Staff(database)
        self.terms = Terms(database, clock, vault)
        self.data_lists = DataLists(database, clock, vault)
        self.documents = Documents(database, vault, settings, clock)
        self.enquiries = Enquiries(database, vault, settings, clock, self.cases)
        self.faults = Faults(database, vault, clock)
        self.notices = Notices(database, vault, settings, clock)
        self.outbox = Outbox(database, settings, clock)
        self.chores = Chores(database, self.cases, self.lists, settings, clock)

    @classmethod
    def open(
        cls,
        store: str | Path,
        *,
        settings: DeskSettings,
        clock: Clock,
        key: bytes | Path | None = None,
        probe: LinkProbe | None = None,
        busy_s: float = 5.0,
    ) -> Self:
        """Open or make a desk.

        Args:
            store: path or URL of its database.
            settings: what the utility has decided.
            clock: the time of everything that happens.
            key: the desk's own key, or its file; beside an SQLite store unless told otherwise.
            probe: asks terminals, where sites' links can be reached.
            busy_s: how long a call waits for a lock that another program holds, in seconds.

        Raises:
            DeskStoreError: locked, read-only, not ours, of a newer version or out of reach.
            DeskSettingError: the key is missing or another one's.
        """
        vault = Vault(key if isinstance(key, bytes) else key_in(key or key_path(store)))
        database = DeskDatabase(store, busy_s)
        try:
            with database.writing() as connection:
                vault.check(connection)
            return cls(database, vault, settings, clock, probe)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Let go of the database; closing twice does no harm."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
