"""What is personal in a complaint, found and taken out of the text; pure functions (DESIGN decision 11)."""

from hub.domain.privacy.complaint import ComplaintParts, join_complaint, split_complaint
from hub.domain.privacy.document import mask_document
from hub.domain.privacy.finding import Finding, Kind
from hub.domain.privacy.masking import Masked, mask
from hub.domain.privacy.plain import is_plain

__all__ = [
    "ComplaintParts",
    "Finding",
    "Kind",
    "Masked",
    "is_plain",
    "join_complaint",
    "mask",
    "mask_document",
    "split_complaint",
]
