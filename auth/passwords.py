"""Officers' passwords: which are taken, how they are kept, and one-time passwords.

Rules after NIST SP 800-63B, 5.1.1.2: length, and nothing that is easily guessed; no rules of composition."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

LEAST: Final = 12
MOST: Final = 256
GUESSES: Final = 10**8
"""What `zxcvbn` estimates from its lists of common passwords, words, names, dates and keyboard walks; below
it is "somewhat guessable" in its own words."""
ESTIMATED: Final = 64
"""So many characters are looked at: the estimate takes long for long ones, and these are long enough."""
LEFT: Final = 8
"""So many letters and digits must be there that are not the person's own name, address or agency."""
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS: Final = 6
_GROUP: Final = 5

# OWASP's first choice for argon2id: 19 MiB and some 20 ms of processor time a password.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)


def hash_password(password: str) -> str:
    """argon2id's own text, with salt and cost. Takes some 20 ms and 19 MiB: not on an event loop."""
    return _HASHER.hash(_normal(password))


def verify_password(password: str, known: str | None) -> bool:
    """Whether it is the password of the hash `known`. None takes as long as a wrong one."""
    try:
        _HASHER.verify(known or nobodys_hash(), _normal(password))
    except VerifyMismatchError:
        return False
    return known is not None


def outdated(known: str) -> bool:
    """Whether it was hashed at another cost than passwords are today."""
    return _HASHER.check_needs_rehash(known)


@cache
def nobodys_hash() -> str:
    """Of a password that nobody knows; made once a process."""
    return _HASHER.hash(secrets.token_urlsafe(32))


def flaw_of(password: str, about: Sequence[str] = ()) -> str | None:
    """Why the password cannot be taken, in words, or None. `about`: what a guesser tries first for this very
    person (e-mail, name, agency)."""
    text = _normal(password)
    if not LEAST <= len(text) <= MOST:
        return f"A password has {LEAST} to {MOST} characters; several words in a row are good."
    words = _words(about)
    if _guesses(text, words) < GUESSES or _left(text, words) < LEFT:
        return (
            "This password is easily guessed: it is common, repeats itself, or says who you are. Take four "
            "or more words that have nothing to do with each other."
        )
    return None


def new_one_time_password() -> str:
    """30 of 31 letters and digits that are not easily confused: 148 random bits, in groups of five."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _guesses(text: str, words: Sequence[str]) -> float:
    # loads its lists, a tenth of a second: only who sets a password needs them
    from zxcvbn import zxcvbn  # type: ignore[import-untyped]

    return float(zxcvbn(text[:ESTIMATED], user_inputs=list(words))["guesses"])


def _words(about: Sequence[str]) -> list[str]:
    """The words of the person's particulars, the longest first."""
    found = {word for each in about for word in _WORD.findall(each.casefold())}
    return sorted(found, key=len, reverse=True)


def _left(text: str, words: Sequence[str]) -> int:
    """How many letters and digits are no part of the person's particulars."""
    rest = text.casefold()
    for word in words:
        rest = rest.replace(word, " ")
    return sum(character.isalnum() for character in rest)


def _normal(password: str) -> str:
    """The same characters however a keyboard composed them."""
    return unicodedata.normalize("NFKC", password)
