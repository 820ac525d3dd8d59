"""What is personal in a complaint, found and taken out of the text; pure functions (`DECISIONS.md` 19)."""

from hub.domain.privacy.complaint import ComplaintParts, join_complaint, split_complaint, takes_long
from hub.domain.privacy.finding import Finding, Kind
from hub.domain.privacy.masking import Masked, mask, mask_all
from hub.domain.privacy.own import own_values
from hub.domain.privacy.plain import is_plain
from hub.domain.privacy.references import names_a_nik, reference_flaws

__all__ = [
    "ComplaintParts",
    "Finding",
    "Kind",
    "Masked",
    "is_plain",
    "join_complaint",
    "mask",
    "mask_all",
    "names_a_nik",
    "own_values",
    "reference_flaws",
    "split_complaint",
    "takes_long",
]
