"""A complaint cut into what may lie open, what others may read, what only some may, and who sent it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hub.domain.privacy.document import gather_texts, mask_value
from hub.domain.privacy.own import own_values, plain_may_hold
from hub.domain.privacy.plain import is_plain

_CODES = (
    "classification",
    "category",
    "submitted_at",
    "occurred_on",
    "channel",
    "addressed_to",
)
_TEXTS = ("title", "description", "tags", "external_ids", "extensions")
_LONG = 2_000
"""Characters that are looked through in a moment, whatever they are."""
_BORDER = "\n^\n"
"""Between joined texts: the ^ keeps digits of two texts from looking like one number."""


@dataclass(slots=True)
class ComplaintParts:
    """The four parts of a complaint.

    clear: codes, ids, dates and flags, for an event's header; with `anonymous` taken from the reporter and
    attachments as [{sha256, media_type, size}]. masked: the words as other agencies read them; attachments
    as [{name, url?}] in the same order. original: those members of `masked` that masking changed, as the
    citizen wrote them. identity: the reporter, whole.
    """

    clear: dict[str, Any]
    masked: dict[str, Any] = field(repr=False)
    original: dict[str, Any] = field(repr=False)
    identity: dict[str, Any] = field(repr=False)


def split_complaint(document: dict[str, Any]) -> ComplaintParts:
    """Splits a complaint that fits the schema. The document is not changed, but its values are shared."""
    identity = document["reporter"]
    hidden = identity["anonymous"] or document.get("confidential", False)
    masked, original = _mask_words(_words(document), own_values(identity, hidden=hidden))
    return ComplaintParts(_clear(document, identity), masked, original, identity)


def takes_long(document: dict[str, Any]) -> bool:
    """Whether splitting a complaint that fits the schema may take a moment that others would feel: 20,000
    characters that are nothing but numbers take some 0.2 s."""
    if len(document["description"]) <= _LONG and "extensions" not in document:
        return False
    together = _together(_words(document))
    return len(together) > _LONG and not is_plain(together)


def join_complaint(clear: dict[str, Any], masked: dict[str, Any] | None) -> dict[str, Any]:
    """The complaint's shape again, without the reporter and with `confidential` (False where it was left
    out). `masked` None (its key is gone): no words, and
    "erased": True in their place."""
    complaint = {name: value for name, value in clear.items() if name != "anonymous"}
    if masked is None:
        complaint["erased"] = True
        return complaint
    for name, value in masked.items():
        if name == "attachments":
            complaint[name] = [{**a, **b} for a, b in zip(clear[name], value, strict=True)]
        elif name in ("source", "location"):
            complaint[name] = {**clear.get(name, {}), **value}
        else:
            complaint[name] = value
    return complaint


def _clear(document: dict[str, Any], identity: dict[str, Any]) -> dict[str, Any]:
    source = document["source"]
    clear: dict[str, Any] = {"source": {"agency": source["agency"], "reference": source["reference"]}}
    for name in _CODES:
        if name in document:
            clear[name] = document[name]
    # Both flags are always there: what travels on depends on them.
    clear["confidential"] = document.get("confidential", False)
    clear["anonymous"] = identity["anonymous"]
    location = document.get("location")
    if location is not None:
        clear["location"] = {"region": location["region"]} if "region" in location else {}
    if "attachments" in document:
        clear["attachments"] = [
            {"sha256": a["sha256"], "media_type": a["media_type"], "size": a["size"]}
            for a in document["attachments"]
        ]
    return clear


def _words(document: dict[str, Any]) -> dict[str, Any]:
    words = {name: document[name] for name in _TEXTS if name in document}
    if "url" in document["source"]:
        words["source"] = {"url": document["source"]["url"]}
    location = document.get("location")
    if location and (place := {name: location[name] for name in ("address", "point") if name in location}):
        words["location"] = place
    if "attachments" in document:
        words["attachments"] = [
            {name: a[name] for name in ("name", "url") if name in a} for a in document["attachments"]
        ]
    return words


def _mask_words(words: dict[str, Any], own: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Masked, and as they were those members that this changed. Almost every complaint holds nothing to
    mask: one cheap look at all its texts together says so."""
    together = _together(words)
    if is_plain(together) and not plain_may_hold(together, own):
        return words, {}
    masked = {name: _mask_member(name, value, own) for name, value in words.items()}
    if "point" in words.get("location", ()):
        masked["location"]["point"] = words["location"]["point"]  # GeoJSON has words of its own
    original = {name: value for name, value in words.items() if masked[name] != value}
    return masked, original


def _together(words: dict[str, Any]) -> str:
    texts: list[str] = []
    gather_texts(words, texts)
    return _BORDER.join(texts)


def _mask_member(name: str, value: Any, own: list[str]) -> Any:
    if name != "extensions":
        return mask_value(value, own, {})
    # An agency's id is no text; below it the agency's own names begin.
    return {agency: mask_value(member, own, {}, own) for agency, member in value.items()}
