"""The masked words of a case: what erasure drops. Nothing that is decided depends on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hub.domain.copies import read


@dataclass(frozen=True)
class LegTexts:
    """What officers wrote on a leg, masked on entry."""

    note: str | None = None
    answer: str | None = None
    names: list[str] | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ConsultationTexts:
    """Question and answer, masked on entry."""

    question: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class CaseTexts:
    """The masked words of a case; `complaint` is what `privacy.join_complaint` takes."""

    complaint: dict[str, Any] = field(default_factory=dict)
    legs: dict[str, LegTexts] = field(default_factory=dict)
    consultations: dict[str, ConsultationTexts] = field(default_factory=dict)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> CaseTexts:
        legs = {leg_id: read(LegTexts, texts) for leg_id, texts in document["legs"].items()}
        asked = document.get("consultations", {}).items()
        return cls(
            document["complaint"], legs, {name: read(ConsultationTexts, texts) for name, texts in asked}
        )
