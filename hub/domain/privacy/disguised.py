"""What was written so that a machine may not know it: "budi (at) contoh.id", a NIK with O for 0 and l for 1,
an e-mail or a name percent-encoded inside a URL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_plus

from hub.domain.privacy.finding import Span
from hub.domain.privacy.numbers import is_plausible_nik

_TOP = (
    r"(?:id|com|net|org|info|biz|co|me|my|sg|edu|gov)"
    r"(?![^\W_])"
)
_DOT = r"(?:\s?[\[({<]\s?(?:dot|titik|\.)\s?[\])}>]\s?|\s(?:dot|titik)\s|\.)"
_PROVIDER = r"(?:gmail|googlemail|yahoo|ymail|rocketmail|hotmail|outlook|icloud)(?![^\W_])"
_DOMAIN = rf"(?:(?:[\w\-]{{1,63}}{_DOT}){{1,4}}{_TOP}|{_PROVIDER}(?:{_DOT}[a-z]{{2,3}}(?![^\W_])){{0,2}})"
_AT = re.compile(
    r"(?:\s?[\[({<]\s?(?:at|@)\s?[\])}>]\s?|\s(?:at|@)\s|[_\-](?:at)[_\-]|@\s?)(?=[\w])",
    re.IGNORECASE,
)
_AFTER = re.compile(_DOMAIN, re.IGNORECASE)
_LOOKALIKE = re.compile(r"(?<![^\W_])[0-9OoIil|]{16}(?![^\W_])")
_DIGIT_OF = str.maketrans("OoIil|", "001111")
_FEWEST_TRUE_DIGITS = 6
_ENCODED = re.compile(r"[^\s\[\]<>\"']+")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_HOST = re.compile(r"(?:[a-z][a-z0-9+.\-]*://)?[^/?#]*", re.IGNORECASE)
_LONGEST_NAME, _MOST_DECODINGS = 64, 3


def spelled_email_spans(text: str) -> Iterator[Span]:
    """E-mail addresses with the @ or the dots in words. Only with a domain that ends like one."""
    done = 0
    for at in _AT.finditer(text):
        domain = _AFTER.match(text, at.end())
        if domain is None:
            continue
        start, floor = at.start(), max(done, at.start() - _LONGEST_NAME)
        while start > floor and (text[start - 1].isalnum() or text[start - 1] in "._+%-"):
            start -= 1
        if start < at.start():
            yield start, domain.end(), "email"
            done = domain.end()


def lookalike_nik_spans(text: str) -> Iterator[Span]:
    """Sixteen characters that are a plausible NIK once O is read as 0, and I and l as 1."""
    for found in _LOOKALIKE.finditer(text):
        if sum(c.isdigit() for c in found[0]) >= _FEWEST_TRUE_DIGITS:
            digits = found[0].translate(_DIGIT_OF)
            if is_plausible_nik(digits):
                yield found.start(), found.end(), "nik"


def encoded_parts(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, decoded text) of each percent-encoded query string, path or word.

    A URL gives its query as one part and what stands between its host and the query as another."""
    for word in _ENCODED.finditer(text):
        if not _PERCENT.search(word[0]):
            continue
        host = _HOST.match(word[0])
        after_host = host.end() if host and "://" in word[0] else 0
        before, _, _ = word[0][after_host:].partition("?")
        query = after_host + len(before)
        for start, end in ((after_host, query), (query + 1, len(word[0]))):
            part = word[0][start:end]
            if _PERCENT.search(part):
                yield word.start() + start, word.start() + end, _decoded(part)


def _decoded(part: str) -> str:
    for _ in range(_MOST_DECODINGS):
        decoded = unquote_plus(part)
        if decoded == part:
            break
        part = decoded
    return part
