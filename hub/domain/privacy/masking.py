"""Free text without personal data: the one function that every text passes on its way in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.domain.privacy.addresses import direct_spans, house_number_spans
from hub.domain.privacy.emails import email_spans
from hub.domain.privacy.finding import Finding, Kind, as_findings, replace_spans
from hub.domain.privacy.numbers import number_spans
from hub.domain.privacy.own import may_hold, own_spans
from hub.domain.privacy.plain import is_plain


@dataclass(frozen=True, slots=True)
class Masked:
    """The text as others may read it, and what was taken out (kinds and counts, never values)."""

    text: str
    found: tuple[Finding, ...]


def mask(text: str, own_values: Sequence[str] = ()) -> Masked:
    """Masks NIK, telephone numbers, e-mails, house-level addresses and the reporter's own values.

    The rules are in `numbers`, `phones`, `emails`, `addresses` and `own`. Never raises, takes time linear
    in the text, and masking a masked text changes nothing.
    """
    counts: dict[Kind, int] = {}
    masked = mask_into(text, own_values, counts)
    return Masked(masked, as_findings(counts))


def mask_into(text: str, own_values: Sequence[str], counts: dict[Kind, int]) -> str:
    """`mask`, adding what was found to `counts`."""
    if own_values and may_hold(text, own_values):
        text = replace_spans(text, own_spans(text, own_values), counts)
    if is_plain(text):
        return text
    for spans in (email_spans, number_spans, direct_spans, house_number_spans):
        text = replace_spans(text, spans(text), counts)
    return text
