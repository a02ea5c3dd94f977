"""Customers of the sample: names, rare kanji and variants among them, and how to reach them."""

from __future__ import annotations

from random import Random
from typing import Final

from koatsu.desk.sample.registers import SamplePoint
from koatsu.desk.sample.tables import names, utility

__all__ = ["customer_of", "ems_of"]

_COMPANY, _BODY = 0.75, 0.15  # shares of companies and of other bodies; the rest are persons
_CERTIFIED: Final = 0.75
_ENGLISH: Final = 0.03


def customer_of(by_chance: Random, point: SamplePoint, number: int) -> dict[str, str]:
    """The values of an application that are about the customer."""
    table = names()
    family, given = by_chance.choice(table["family"]), by_chance.choice(table["given"])
    person = f"{family['ja']} {given['ja']}"
    head, kind = by_chance.choice(table["head"]), by_chance.random()
    values = {"contact_name": person, "department": by_chance.choice(table["texts"]["departments"])}
    if kind < _COMPANY:
        trade = by_chance.choice(table["trade"])
        values["customer_name"] = by_chance.choice(table["forms"]).format(head["ja"] + trade["ja"])
        values["customer_kana"] = head["kana"] + trade["kana"]
    elif kind < _COMPANY + _BODY:
        body = by_chance.choice(table["body"])
        values["customer_name"] = body["ja"].format(head["ja"])
        values["customer_kana"] = body["kana"].format(head["kana"])
    else:
        values = {"customer_name": person, "customer_kana": f"{family['kana']} {given['kana']}"}
    return values | {
        "organisation": "yes" if kind < _COMPANY + _BODY else "no",
        "phone": f"000-{by_chance.randrange(1000):03}-{by_chance.randrange(10_000):04}",
        "email": f"customer{number}@customers.example",
        "postal_code": point.postal_code,
        "address": f"ひばり県{point.municipality}{point.street}",
        "language": "en" if by_chance.random() < _ENGLISH else "ja",
    }


def ems_of(by_chance: Random) -> dict[str, str]:
    """The values that are about the energy management system; without a certificate where it has none."""
    installed = by_chance.choice(("yes", "planned"))
    if by_chance.random() < _CERTIFIED:
        one = by_chance.choice(utility()["certified"])
        return {
            "ems_installed": installed, "ems_maker": one["maker"], "ems_model": one["model"],
            "ems_certificate": one["number"],
        }  # fmt: skip
    one = by_chance.choice(utility()["uncertified"])
    return {"ems_installed": installed, "ems_maker": one["maker"], "ems_model": one["model"]}
