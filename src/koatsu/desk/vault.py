"""Personal data under a key of each person's own: erasing is destroying that key.

A subject is somebody whose data can be erased. Its key is random, wrapped by the desk's own key, which stands
in no database. Without the subject's key its values are noise and its digests can be traced to nobody, while
the history that refers to them still verifies. AES-256-GCM, each value bound to its subject.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from koatsu.desk.errors import DeskSettingError, UnknownError
from koatsu.desk.references import References
from koatsu.desk.schema_cases import info, personal, subject, text
from koatsu.desk.words import Words
from koatsu.people.keys import Digests

__all__ = ["KEY_BYTES", "Sealer", "Vault", "key_in"]

KEY_BYTES: Final = 32
_NONCE: Final = 12
_CHECK: Final = "key_check"
_KEEP_TEXT: Final = insert(text)
_KEY_OF: Final = select(subject.c.key).where(subject.c.id == bindparam("owner"))


def key_in(path: Path) -> bytes:
    """The desk's own key in a file of its own, made at the first use and readable by its owner only.

    Raises:
        DeskSettingError: the file is no key, or cannot be read or made.
    """
    try:
        try:
            opened = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            found = bytes.fromhex(path.read_text(encoding="ascii").strip())
        else:
            found = secrets.token_bytes(KEY_BYTES)
            with os.fdopen(opened, "w", encoding="ascii") as file:
                file.write(found.hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
    except (OSError, ValueError) as error:
        raise DeskSettingError(
            Words(
                f"デスクの鍵 {path} を読めません({error})。",
                f"The desk's key {path} cannot be read: {error}.",
            ),
            Words(
                "鍵のファイルを元の場所に戻してください。", "Put the file of the key back where it belongs."
            ),
        ) from error
    if len(found) != KEY_BYTES:
        raise DeskSettingError(
            Words(f"{path} はデスクの鍵ではありません。", f"{path} is not the key of a desk."),
            Words("key の設定を確かめてください。", "Check the setting key."),
        )
    return found


class Sealer:
    """Seals, opens and digests under the key of one subject; made for one transaction and thrown away."""

    def __init__(self, owner: int, key: bytes) -> None:
        self._key, self._cipher, self._bound = key, AESGCM(key), f"subject:{owner}"
        self.owner = owner

    def seal(self, value: str | bytes) -> bytes:
        """A value under the key."""
        data = value.encode() if isinstance(value, str) else value
        return _sealed(self._cipher, data, self._bound)

    def open(self, sealed: bytes) -> bytes:
        """A sealed value.

        Raises:
            DeskSettingError: it was sealed under another key, or tampered with.
        """
        return _opened(self._cipher, sealed, self._bound)

    def digest(self, kind: str, value: str) -> str:
        """A digest under the key: it shows that a value is the same, until the key is gone."""
        return hmac.digest(self._key, f"{kind}\0{value}".encode(), "sha256").hex()[:32]

    def keep_text(self, connection: Connection, value: str) -> int:
        """Keep a text to which an event refers; its number."""
        made = connection.execute(_KEEP_TEXT, {"subject": self.owner, "value": self.seal(value)})
        assert made.inserted_primary_key is not None
        return int(made.inserted_primary_key[0])


class Vault:
    """Seals and opens personal values; every method works in a transaction of the caller."""

    def __init__(self, key: bytes) -> None:
        self._own = AESGCM(key)
        self._key = key
        self.digests = Digests(hmac.digest(key, b"koatsu desk digests", "sha256").hex())
        self.references = References(hmac.digest(key, b"koatsu desk references", "sha512"))

    def check(self, connection: Connection) -> None:
        """Make sure that this key is the one of this database; the first key is noted.

        Raises:
            DeskSettingError: it is another one.
        """
        mine = hashlib.sha256(b"koatsu desk key\0" + self._key).hexdigest()
        noted = connection.execute(select(info.c.value).where(info.c.name == _CHECK)).scalar()
        if noted is None:
            connection.execute(insert(info).values(name=_CHECK, value=mine))
        elif noted != mine:
            raise DeskSettingError(
                Words("鍵がこの保存先のものではありません。", "The key does not belong to this store."),
                Words(
                    "この保存先を作ったときの鍵のファイルを戻してください。",
                    "Put back the key file with which the store was made.",
                ),
            )

    def new_subject(self, connection: Connection, now: datetime) -> int:
        """A new subject with a key of its own."""
        number: int = (connection.execute(select(func.max(subject.c.id))).scalar() or 0) + 1
        wrapped = _sealed(self._own, secrets.token_bytes(KEY_BYTES), f"key:{number}")
        connection.execute(
            insert(subject).values(id=number, key=wrapped, made_at=int(now.timestamp()), erased_at=None)
        )
        return number

    def sealer(self, connection: Connection, owner: int) -> Sealer:
        """The key of a subject at work, for several values of one transaction.

        Raises:
            UnknownError: there is no such subject, or it is erased.
        """
        wrapped = connection.execute(_KEY_OF, {"owner": owner}).scalar()
        if wrapped is None:
            raise UnknownError(
                Words("個人の情報は消去されています。", "The personal data has been erased."),
            )
        return Sealer(owner, _opened(self._own, wrapped, f"key:{owner}"))

    def seal(self, connection: Connection, owner: int, value: str | bytes) -> bytes:
        """A value under the key of its subject.

        Raises:
            UnknownError: there is no such subject, or it is erased.
        """
        return self.sealer(connection, owner).seal(value)

    def open(self, connection: Connection, owner: int, sealed: bytes) -> str | None:
        """A sealed text; ``None`` once its subject is erased."""
        found = self.open_bytes(connection, owner, sealed)
        return None if found is None else found.decode()

    def open_bytes(self, connection: Connection, owner: int, sealed: bytes) -> bytes | None:
        """A sealed value as bytes; ``None`` once its subject is erased."""
        try:
            return self.sealer(connection, owner).open(sealed)
        except UnknownError:
            return None

    def open_many(self, connection: Connection, sealed: Mapping[int, bytes]) -> dict[int, str]:
        """One sealed text of each of several subjects, in one question; erased ones are left out."""
        query = select(subject.c.id, subject.c.key).where(
            subject.c.id.in_(list(sealed)), subject.c.key.is_not(None)
        )
        keys = {row.id: _opened(self._own, row.key, f"key:{row.id}") for row in connection.execute(query)}
        return {
            owner: _opened(AESGCM(key), sealed[owner], f"subject:{owner}").decode()
            for owner, key in keys.items()
        }

    def keep_text(self, connection: Connection, owner: int, value: str) -> int:
        """Keep a text to which an event refers; its number."""
        return self.sealer(connection, owner).keep_text(connection, value)

    def text(self, connection: Connection, number: int) -> str | None:
        """A kept text; ``None`` once erased."""
        row = connection.execute(select(text).where(text.c.id == number)).first()
        return None if row is None else self.open(connection, row.subject, row.value)

    def digest(self, connection: Connection, owner: int, kind: str, value: str) -> str:
        """A digest under the subject's own key: it shows that a value is the same, until the key is gone.

        Raises:
            UnknownError: there is no such subject, or it is erased.
        """
        return self.sealer(connection, owner).digest(kind, value)

    def erase(self, connection: Connection, owner: int, now: datetime) -> None:
        """Destroy the key and what it has sealed; the subject's number stays."""
        connection.execute(
            update(subject).where(subject.c.id == owner).values(key=None, erased_at=int(now.timestamp()))
        )
        connection.execute(delete(personal).where(personal.c.subject == owner))
        connection.execute(delete(text).where(text.c.subject == owner))


def _sealed(cipher: AESGCM, data: bytes, bound: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, data, bound.encode())


def _opened(cipher: AESGCM, sealed: bytes, bound: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound.encode())
    except InvalidTag as error:
        raise DeskSettingError(
            Words("保存された値を復号できません。", "A stored value cannot be decrypted."),
            Words(
                "鍵が違うか、値が書き換えられています。",
                "The key is another one, or the value was tampered with.",
            ),
        ) from error
