"""The present personal values of a customer: kept sealed, read on purpose, found by digests.

Names and addresses are searched by keyed digests of their pairs of letters, folded as registers fold them: a
part of a name finds its case, and the table of digests tells nobody the name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from koatsu.desk.plain_text import folded, folded_words
from koatsu.desk.schema_cases import personal, search
from koatsu.desk.vault import Vault

__all__ = ["found_cases", "index_case", "keep_values", "names_of", "values_of"]

_SEARCHED: Final = ("customer_name", "customer_kana", "contact_name", "address")
_PAIR: Final = 2
_OF_OWNER: Final = select(personal.c.name, personal.c.value).where(personal.c.subject == bindparam("owner"))


def keep_values(connection: Connection, vault: Vault, owner: int, values: Mapping[str, str]) -> None:
    """Put values in the place of those of the same names; an empty one is taken out."""
    if not values:
        return
    there = (personal.c.subject == owner) & personal.c.name.in_(sorted(values))
    connection.execute(delete(personal).where(there))
    kept = {name: value for name, value in values.items() if value}
    if kept:
        sealer = vault.sealer(connection, owner)
        rows = [{"subject": owner, "name": name, "value": sealer.seal(value)} for name, value in kept.items()]
        connection.execute(insert(personal), rows)


def values_of(
    connection: Connection, vault: Vault, owner: int, names: Iterable[str] | None = None
) -> dict[str, str]:
    """The values of a customer, or those of some names; nothing once erased."""
    query = _OF_OWNER if names is None else _OF_OWNER.where(personal.c.name.in_(list(names)))
    rows = list(connection.execute(query, {"owner": owner}))
    if not rows:
        return {}
    sealer = vault.sealer(connection, owner)
    return {row.name: sealer.open(row.value).decode() for row in rows}


def names_of(connection: Connection, vault: Vault, owners: Collection[int]) -> dict[int, str]:
    """The names of several customers, in two questions; those who were erased have none."""
    query = select(personal.c.subject, personal.c.value).where(
        personal.c.subject.in_(owners), personal.c.name == "customer_name"
    )
    sealed = {row.subject: row.value for row in connection.execute(query)} if owners else {}
    return vault.open_many(connection, sealed)


def index_case(connection: Connection, vault: Vault, case_id: int, values: Mapping[str, str]) -> None:
    """Make a case findable by its present values, and by those alone."""
    connection.execute(delete(search).where(search.c.case_id == case_id))
    digests = {
        vault.digests.of("search", pair)
        for name in _SEARCHED
        for pair in _pairs(folded(values.get(name, "")))
    }
    if digests:
        rows = [{"digest": digest, "case_id": case_id} for digest in sorted(digests)]
        connection.execute(_ignoring(connection, search), rows)


def found_cases(connection: Connection, vault: Vault, text: str, limit: int) -> list[int]:
    """The cases whose values hold every word of ``text`` (of two letters at least), the newest first.

    Pairs of letters may stand apart in a value, so a rare case may be found that does not hold the word.
    """
    digests = {vault.digests.of("search", pair) for word in folded_words(text) for pair in _pairs(word)}
    if not digests:
        return []
    query = (
        select(search.c.case_id)
        .where(search.c.digest.in_(sorted(digests)))
        .group_by(search.c.case_id)
        .having(func.count() == len(digests))
        .order_by(search.c.case_id.desc())
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def _pairs(word: str) -> set[str]:
    return {word[at : at + _PAIR] for at in range(len(word) - _PAIR + 1)}


def _ignoring(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()
