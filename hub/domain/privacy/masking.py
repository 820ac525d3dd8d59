"""Free text without personal data: the one function that every text passes on its way in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hub.domain.privacy.addresses import direct_spans, house_number_spans, neighbourhood_spans
from hub.domain.privacy.disguised import encoded_parts, lookalike_nik_spans, spelled_email_spans
from hub.domain.privacy.emails import email_spans
from hub.domain.privacy.finding import Finding, Kind, Span, as_findings, joined, replace_spans
from hub.domain.privacy.letters import as_written, plain_letters
from hub.domain.privacy.numbers import number_spans
from hub.domain.privacy.own import may_stand, own_spans
from hub.domain.privacy.plain import is_plain

SCANS = (
    email_spans,
    spelled_email_spans,
    number_spans,
    lookalike_nik_spans,
    direct_spans,
    house_number_spans,
    neighbourhood_spans,
)
_MOST_ROUNDS = 8
"""A token may take away what kept its neighbour from being found ("kav 7RT 3 no 4"): so it is looked again,
until nothing is found. Two rounds are the rule."""


@dataclass(frozen=True, slots=True)
class Masked:
    """The text as others may read it, and what was taken out (kinds and counts, never values)."""

    text: str
    found: tuple[Finding, ...]

    @property
    def kinds(self) -> list[str]:
        return sorted({finding.kind for finding in self.found})


def mask_all(texts: Sequence[str], own_values: Sequence[str]) -> tuple[list[str], list[str]]:
    """Each text masked, and the kinds of what was found in any of them, sorted."""
    masked = [mask(text, own_values) for text in texts]
    return [each.text for each in masked], sorted({kind for each in masked for kind in each.kinds})


def mask(text: str, own_values: Sequence[str] = ()) -> Masked:
    """Masks NIK, telephone numbers, e-mails, house-level addresses and the reporter's own values.

    The rules are in `numbers`, `phones`, `emails`, `addresses`, `disguised` and `own`,
    and what is read in them in `letters`. Never raises, takes
    time linear in the text, and masking a masked text changes nothing.
    """
    counts: dict[Kind, int] = {}
    masked = mask_into(text, own_values, counts)
    return Masked(masked, as_findings(counts))


def mask_into(text: str, own_values: Sequence[str], counts: dict[Kind, int]) -> str:
    """`mask`, adding what was found to `counts`."""
    for _ in range(_MOST_ROUNDS):
        masked = _mask_once(text, own_values, counts)
        if masked == text:
            break
        text = masked
    return text


def _mask_once(text: str, own_values: Sequence[str], counts: dict[Kind, int]) -> str:
    if "%" in text:
        text = replace_spans(text, _encoded_spans(text, own_values), counts)
    return _mask_open(text, own_values, counts)


def _mask_open(text: str, own_values: Sequence[str], counts: dict[Kind, int]) -> str:
    if own_values and (standing := may_stand(text, own_values)):
        text = replace_spans(text, _own_in_emails(text, own_spans(text, standing)), counts)
    if is_plain(text):
        return text
    plain = plain_letters(text)
    for spans in SCANS:
        masked = replace_spans(text, as_written(text, spans(plain)), counts)
        if masked is not text:
            text, plain = masked, plain_letters(masked)
    return text


def _own_in_emails(text: str, own: list[Span]) -> list[Span]:
    """The reporter's values; an e-mail address of which one is only a part goes as a whole."""
    if own and not is_plain(text):
        plain = plain_letters(text)
        for spans in (email_spans, spelled_email_spans):
            own = joined(own, as_written(text, spans(plain)))
    return own


def _encoded_spans(text: str, own_values: Sequence[str]) -> Iterator[Span]:
    """A query string or path that holds something once decoded goes as a whole."""
    for start, end, decoded in encoded_parts(text):
        counts: dict[Kind, int] = {}
        _mask_open(decoded, own_values, counts)
        if counts:
            yield start, end, next(iter(counts))
