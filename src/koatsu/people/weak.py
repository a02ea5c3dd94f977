"""Which new passwords are refused, and the sentence that says why.

Length is what protects: twelve characters at least, and of those not one word, one row of the keyboard, one
pattern repeated or the person's own name. Nothing is asked about kinds of characters.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from koatsu.people.errors import PasswordRefusedError
from koatsu.people.names import name_key

__all__ = ["LONGEST", "SHORTEST", "normalised", "refuse_weak"]

SHORTEST: Final = 12  #: characters, after NFKC
LONGEST: Final = 256  #: characters, after NFKC
_FEWEST_DIFFERENT: Final = 5
_LONGEST_PATTERN: Final = 5  # a password made of one pattern of at most so many characters is refused
_OWN: Final = 8  # so many characters must be left when the name is taken out

# The words that people build passwords of; what is left after digits and signs are taken off must not be one
# of them, or two of them.
_WORD_TEXT: Final = """
    password passwort passphrase passcode pass word admin administrator root system server operator owner
    viewer user guest login logon welcome hello letmein changeme change default secret test testing tester
    sample example demo temp temporary qwerty azerty asdf zxcv iloveyou love baby princess dragon monkey
    football baseball soccer master shadow sunshine superman batman michael jordan computer internet
    network office company japan nippon tokyo osaka nagoya yokohama kyoto sapporo fukuoka hiroshima sendai
    sakura fuji fujisan arigatou konnichiwa ohayou daisuki himitsu aikotoba pasuwado
    january february march april may june july august september october november december
    spring summer autumn winter monday tuesday wednesday thursday friday saturday sunday
    koatsu energy electric electricity power meter smartmeter demand denki denryoku broute echonet factory
    パスワード ぱすわーど ひみつ 秘密 管理者 でんき 電気 電力 さくら あいうえお
    """
_WORDS: Final = frozenset(_WORD_TEXT.split())
_ROWS: Final = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん",
    "いろはにほへとちりぬるをわかよたれそつねならむ",
)
_SIGNS: Final = str.maketrans("@$0135", "asoies")  # as in p@$$w0rd


def normalised(password: str) -> str | None:
    """The password as it is hashed, NFKC; ``None`` where no password can look like that."""
    kept = unicodedata.normalize("NFKC", password)
    if len(kept) > LONGEST or any(unicodedata.category(one) in ("Cc", "Cs") for one in kept):
        return None
    return kept


def refuse_weak(password: str, name: str) -> str:
    """The password as it is hashed, if it may be the password of ``name``.

    Raises:
        PasswordRefusedError: it is too short, too long, too common, or too much like the name.
    """
    kept = normalised(password)
    if kept is None:
        raise PasswordRefusedError(
            f"A password has at most {LONGEST} characters, all of them printable.",
            ja=f"パスワードは表示できる文字{LONGEST}文字までです。",
        )
    if len(kept) < SHORTEST:
        raise PasswordRefusedError(
            f"A password needs at least {SHORTEST} characters.",
            ja=f"パスワードは{SHORTEST}文字以上にしてください。",
            hint="Some words in a row are easy to remember.",
            hint_ja="単語をいくつか並べると覚えやすくなります。",
        )
    plain = unicodedata.normalize("NFKC", kept.casefold())
    if _like_name(plain, name_key(name) or ""):
        raise PasswordRefusedError(
            "The password is too much like the name.", ja="パスワードが名前に似すぎています。"
        )
    if _one_pattern(plain) or _in_rows(plain) or _one_word(plain):
        raise PasswordRefusedError(
            "The password is too easy to guess.",
            ja="推測されやすいパスワードです。",
            hint="Take some words that do not belong together.",
            hint_ja="関係のない単語をいくつか並べてください。",
        )
    return kept


def _like_name(plain: str, key: str) -> bool:
    for part in {key, key[::-1], *key.split()}:
        if len(part) > 2 and part in plain and len(plain.replace(part, "")) < _OWN:
            return True
    return bool(key) and plain in (key, key[::-1])


def _one_pattern(plain: str) -> bool:
    if len(set(plain)) < _FEWEST_DIFFERENT:
        return True
    return any(
        plain == (plain[:length] * len(plain))[: len(plain)] for length in range(1, _LONGEST_PATTERN + 1)
    )


def _in_rows(plain: str) -> bool:
    """Whether all but a few characters are a walk along rows of the keyboard or the alphabet."""
    rest, at = 0, 0
    while at < len(plain):
        step = _walk(plain, at)
        rest += step == 1
        at += step
    return rest < _FEWEST_DIFFERENT


def _walk(plain: str, at: int) -> int:
    """How many characters from ``at`` follow each other in a row, forward or backward; 1 if under four."""
    longest = 1
    for row in (*_ROWS, *(row[::-1] for row in _ROWS)):
        length = 4
        while at + length <= len(plain) and plain[at : at + length] in row:
            longest = length
            length += 1
    return longest


def _one_word(plain: str) -> bool:
    """Whether there is nothing but one or two common words, with digits and signs around and instead."""
    core = plain.strip("".join(one for one in plain if not one.isalpha()))
    for text in (core, core.translate(_SIGNS)):
        letters = "".join(one for one in text if one.isalpha())
        if not letters or letters in _WORDS:
            return True
        if any(letters[:cut] in _WORDS and letters[cut:] in _WORDS for cut in range(1, len(letters))):
            return True
    return False
