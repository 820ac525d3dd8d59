"""Reads an evidence file's JSON strictly: every member is there, of its kind, and written in its one way."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson

from hub.domain.evidence import EvidenceBroken


@dataclass(frozen=True, slots=True)
class Form:
    """One object of the file, and where it stands there."""

    members: dict[str, Any]
    place: str

    def has(self, name: str) -> bool:
        return name in self.members

    def text(self, name: str) -> str:
        return str(self._of(name, str, "a text"))

    def flag(self, name: str) -> bool:
        return bool(self._of(name, bool, "true or false"))

    def whole(self, name: str) -> int:
        found = self._of(name, int, "a whole number")
        if isinstance(found, bool) or not 0 <= found < 1 << 53:
            raise self._flaw(name, "a whole number")
        return int(found)

    def hash(self, name: str) -> bytes:
        """32 bytes as 64 lower-case hexadecimal digits."""
        text = self.text(name)
        try:
            found = bytes.fromhex(text)
        except ValueError:
            found = b""
        if len(found) != 32 or found.hex() != text:
            raise self._flaw(name, "a SHA-256 hash")
        return found

    def bytes(self, name: str) -> bytes:
        """Base64 (RFC 4648, 4), in the one way to write these bytes."""
        text = self.text(name)
        try:
            found = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            found = b""
        if not found or base64.b64encode(found).decode() != text:
            raise self._flaw(name, "base64")
        return found

    def inner(self, name: str) -> Form:
        return Form(self._of(name, dict, "an object"), f"{self.place}/{name}")

    def inners(self, name: str) -> list[Form]:
        found = self._of(name, list, "a list")
        if not all(isinstance(each, dict) for each in found):
            raise self._flaw(name, "a list of objects")
        return [Form(each, f"{self.place}/{name}/{place}") for place, each in enumerate(found)]

    def _of(self, name: str, kind: type, said: str) -> Any:
        found = self.members.get(name)
        if not isinstance(found, kind):
            raise self._flaw(name, said)
        return found

    def _flaw(self, name: str, said: str) -> EvidenceBroken:
        return EvidenceBroken(f"At {self.place}/{name} of the file {said} is needed.")


def of(data: bytes) -> Form:
    """The object that `data` is. EvidenceBroken when it is none."""
    try:
        found = orjson.loads(data)
    except ValueError as error:
        raise EvidenceBroken(
            f"The file cannot be read, it was cut or changed: it is no JSON ({error})."
        ) from None
    if not isinstance(found, dict):
        raise EvidenceBroken("The file cannot be read: it is no JSON object.")
    return Form(found, "")
