"""Named rules of the service that no step of a case asks: they hold by how the desk is made.

The rules that a step asks stand in :mod:`koatsu.desk.rules`. Each of these is kept by a table, a shape or an
engine, and a test cites it by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from koatsu.desk.words import Words

__all__ = ["PROMISES"]

PROMISES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "cost.free": Words(
            "申込み、利用、当社の作業は無料で、請求する手だてがこの窓口にはない。",
            "Application, use and the utility's works are free; the desk has no means to ask money for them.",
        ),
        "cost.customer": Words(
            "EMS と、端末から EMS までのケーブルと、その取付けはお客さまの負担である。",
            "The EMS, the cable from the terminal to it and their installation are on the customer's side.",
        ),
        "works.wired": Words(
            "端末と EMS はイーサネットケーブルでつなぐ。",
            "Terminal and EMS are connected by an Ethernet cable.",
        ),
        "sold.meter": Words(
            "売った電気は売電用のメーターで測り、表示できるかは EMS メーカーが答える。",
            "Sold energy is measured by the selling meter; whether an EMS shows it is its maker's answer.",
        ),
        "data.list": Words(
            "届けるデータの一覧には日付があり、当社のものでない間はそう書く。",
            "The list of data is dated, and says so as long as it is not the utility's own.",
        ),
        "fault.order": Words(
            "不通のときは、ケーブル、EMS メーカーの順にたずね、当社側とわかったときだけ工事を手配する。",
            "First the cable, then the EMS maker; works only for a fault on the utility's side.",
        ),
        "end.cable": Words(
            "終了のとき当社が端末からケーブルを外し、外したケーブルの処分はお客さまにお願いする。",
            "At the end the utility takes the cable out of the terminal; the customer disposes of it.",
        ),
        "end.contract": Words(
            "電気の契約が終わればサービスも終わり、届けは要らない。",
            "The service ends with the supply contract, without a form.",
        ),
        "change.name": Words(
            "名義が変わってもサービスは続く。",
            "The service goes on when the name changes.",
        ),
        "help.enquiry": Words(
            "どの答えも、解決しないときはお問い合わせに続く。",
            "Every help answer leads on to an enquiry where it did not help.",
        ),
    }
)
"""Rule -> what it says."""
