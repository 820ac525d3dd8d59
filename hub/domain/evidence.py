"""Evidence: a case's events with their chains, a proof that a signed checkpoint of the whole hub knows them,
and a signature over every byte. Here its form is; `evidence_check.py` verifies it, with no hub at hand.

The file is one JSON object as orjson writes it, its last two members being

    ,"sha256":"<64 hex digits>","signature":{"kid":"<43>","value":"<86>"}}

The digest is over every byte before them, the signature over the digest: what a reader of JSON would pass
over (blanks, a member twice, another way to write a number) is covered like everything else.

Hashes: an event's `chain` is `hub.domain.events.chain`. A stream is a leaf of the checkpoint's tree, with its
length and its last chain hash; leaves and nodes are told apart as in RFC 9162, 2.1.1.

A header is given whole or not at all, since the chain is over the whole of it: the account of the officer who
acted, where one did, stands there as an opaque id. No route says to another agency whose it is, though who
signed a message in a thread that both share can be known by it; whoever has to know asks the agency, the hub
or the Ombudsman. To leave such headers out would leave others without the bytes of whatever people did.

A handover stands in the stream of the agency that handed over, among those of other cases. The file gives its
event with the link before it, so that its bytes are checked and its place there is named; the stream's other
events, and how many they are, are not the reader's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from hub.errors import SimpulError

FORMAT: Final = "simpul-evidence"
VERSION: Final = 1
WHOLE: Final = "evidence/1"
"""The purpose of the signature over a file."""
CHECKPOINT: Final = "checkpoint/1"
"""The purpose of the signature over a checkpoint."""
LEFT, RIGHT = "left", "right"
_LEAF: Final = b"\x00simpul/head/1\0"
_NODE: Final = b"\x01"

Path = list[tuple[str, bytes]]
"""From a leaf to the root: where the neighbour stands, and its hash."""


class EvidenceBroken(SimpulError):
    """An evidence file was touched or cannot be read. The message names the first broken link."""


@dataclass(frozen=True, slots=True)
class Signer:
    """`sign(purpose, message)` with the key whose id is `kid`."""

    kid: str
    sign: Callable[[str, bytes], str]


def leaf(stream: str, length: int, head: bytes) -> bytes:
    """A stream's place in the tree: no id holds a zero byte."""
    return hashlib.sha256(_LEAF + stream.encode() + b"\0" + length.to_bytes(8, "big") + head).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def climb(found: bytes, path: Sequence[tuple[str, bytes]]) -> bytes:
    """The root that a leaf and its path lead to."""
    for side, other in path:
        found = node(other, found) if side == LEFT else node(found, other)
    return found


def checkpoint(
    *, hub: str, incarnation: str, made_at: str, position: int, streams: int, root: bytes, signer: Signer
) -> dict[str, Any]:
    """What the hub says of its whole log at one moment: `streams` streams, `position` events, one root."""
    said = {
        "hub": hub,
        "incarnation": incarnation,
        "made_at": made_at,
        "position": position,
        "streams": streams,
        "root": root.hex(),
    }
    value = signer.sign(CHECKPOINT, checkpoint_bytes(said))
    return said | {"signature": {"kid": signer.kid, "value": value}}


def checkpoint_bytes(said: dict[str, Any]) -> bytes:
    """What a checkpoint's signature is over: it is signed on its own, to be kept and compared on its own."""
    return orjson.dumps({name: value for name, value in said.items() if name != "signature"})


def sealed_file(document: dict[str, Any], signer: Signer) -> bytes:
    """The file: `document` with digest and signature as its last members."""
    body = orjson.dumps(document)[:-1]
    digest = hashlib.sha256(body).hexdigest()
    value = signer.sign(WHOLE, digest.encode())
    return (
        body + b"," + orjson.dumps({"sha256": digest, "signature": {"kid": signer.kid, "value": value}})[1:]
    )


def path_document(path: Path) -> list[dict[str, str]]:
    return [{"side": side, "hash": other.hex()} for side, other in path]
