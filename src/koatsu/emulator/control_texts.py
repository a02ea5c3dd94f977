"""The words on the control page, in Japanese and English."""

from __future__ import annotations

__all__ = ["texts"]

_TEXTS: dict[str, tuple[str, str]] = {
    "title": ("計器エミュレータ 操作盤", "Meter emulator control"),
    "emulated": ("これは模擬計器です", "These meters are emulated"),
    "now": ("模擬時刻", "Emulated time"),
    "other": ("English", "日本語"),
    "site": ("需要場所", "Site"),
    "contract": ("契約電力の目安", "contract about"),
    "meters": ("計器", "Meters"),
    "serial": ("製造番号", "Serial number"),
    "role": ("用途", "Role"),
    "buy": ("買電", "buying"),
    "sell": ("売電", "selling"),
    "sub": ("サブメータ", "submeter"),
    "power": ("いまの電力", "Power now"),
    "energy": ("積算電力量", "Energy"),
    "count": ("カウント", "count"),
    "demand": ("直前の時限", "Last slot"),
    "month_max": ("月間最大", "Month's maximum"),
    "clock": ("計器の時計", "Meter's clock"),
    "ahead": ("ずれ", "ahead by"),
    "terminal": ("伝送端末", "Terminal"),
    "cable_in": ("接続中", "connected"),
    "cable_out": ("ケーブル抜け", "cable out"),
    "booting": ("再起動中", "restarting"),
    "pull": ("ケーブルを抜く", "Pull the cable"),
    "plug": ("ケーブルを挿す", "Put the cable back"),
    "load": ("負荷", "Load"),
    "load_auto": ("負荷は自動 (需要場所の種別どおり)", "The site draws what its kind draws"),
    "load_set": ("手で設定:", "Set by hand:"),
    "set": ("設定", "Set"),
    "auto": ("自動に戻す", "Back to automatic"),
    "replace": ("計器を取り替える", "Replace a meter"),
    "new_coefficient": ("新しい係数 (空欄は同じ)", "New coefficient (empty: the same)"),
    "do_replace": ("取り替える", "Replace"),
    "clock_jump": ("時計をずらす (秒)", "Jump the clock (s)"),
    "do_jump": ("ずらす", "Jump"),
    "do_correct": ("時計を合わせる", "Set it right"),
    "faults": ("故障", "Faults"),
    "fault": ("故障", "Fault"),
    "value": ("値", "Value"),
    "state": ("状態", "State"),
    "on": ("発生中", "on"),
    "turn_on": ("起こす", "Switch on"),
    "turn_off": ("直す", "Switch off"),
    "once": ("一度だけ", "once"),
    "today": ("きょうの時限別電力 (kW)", "Today's demand by slot (kW)"),
    "lost": ("エミュレータから応答がありません", "The emulator does not answer"),
    "done": ("実行しました", "Done"),
    "nodata": ("データなし", "no data"),
}


def texts(lang: str) -> dict[str, str]:
    """All words in ``lang`` ("ja" or "en")."""
    place = 0 if lang == "ja" else 1
    return {name: pair[place] for name, pair in _TEXTS.items()}
