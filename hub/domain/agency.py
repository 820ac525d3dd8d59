"""Agencies: who takes part. An agency's events are its own stream; the registry is a projection of them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from hub.domain.events import Draft
from hub.domain.legible import PILED, is_blank, is_piled
from hub.domain.privacy import mask, names_a_nik
from hub.errors import Invalid, StateConflict

KINDS: Final = ("ministry", "agency", "province", "regency", "city", "unit", "oversight", "hub")
REGIONAL_KINDS: Final = frozenset({"province", "regency", "city"})
HUB: Final = "hub"
AGENCY_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
PERSONAL: Final = {
    "email": "an e-mail address", "nik": "a national ID number (NIK)", "phone": "a telephone number",
}  # fmt: skip
PUBLIC: Final = "Every agency reads it in the clear; leave that out."
DEFAULT_TIME_ZONE: Final = "Asia/Jakarta"


@dataclass(frozen=True, slots=True)
class Agency:
    """One agency as it stands. `region` is a Kemendagri code, `time_zone` an IANA name."""

    id: str
    name: str
    kind: str
    region: str | None = None
    parent: str | None = None
    time_zone: str = DEFAULT_TIME_ZONE
    active: bool = True
    kafka: bool = False
    days_off: dict[str, str] = field(default_factory=dict)
    """Its own days off (libur daerah): ISO date -> name."""

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def may_receive(self) -> bool:
        """Whether a case may be forwarded to it: oversight and the hub itself never handle cases."""
        return self.active and self.kind not in ("oversight", "hub")


def register(agency: Agency, existing: Agency | None, parent: Agency | None) -> Draft:
    """`agency.registered`, or a problem naming the field. `parent` is who `agency.parent` names."""
    if existing is not None:
        raise StateConflict(
            f"The agency {agency.id} is registered already, as {existing.name!r}.", code="agency-exists"
        )
    _check(agency, parent, is_named=True)
    return Draft("agency.registered", {"agency": agency.document()})


def change(agency: Agency, changed: Agency, parent: Agency | None) -> Draft | None:
    """`agency.changed`, or None when nothing would change."""
    if changed == agency:
        return None
    if agency.id == HUB and not changed.active:
        raise StateConflict("The agency hub cannot be deactivated: the hub itself acts in its name.")
    _check(changed, parent, is_named=changed.name != agency.name)
    return Draft("agency.changed", {"agency": changed.document()})


def evolve_agency(facts: dict[str, Any]) -> Agency:
    """The agency after an `agency.*` event."""
    return Agency(**facts["agency"])


def _check(agency: Agency, parent: Agency | None, *, is_named: bool) -> None:
    flaws: list[tuple[str, str]] = []
    if not AGENCY_ID.fullmatch(agency.id):
        flaws.append(("/id", "An id is 1 to 64 lower-case letters, digits and hyphens, not at either end."))
    elif is_named and names_a_nik(agency.id):
        flaws.append(("/id", f"The id holds a national ID number (NIK). {PUBLIC}"))
    if is_blank(agency.name):
        flaws.append(("/name", "A name is needed."))
    elif is_named and is_piled(agency.name):
        flaws.append(("/name", PILED))
    elif is_named and (found := [PERSONAL[kind] for kind in mask(agency.name).kinds if kind in PERSONAL]):
        flaws.append(("/name", f"The name holds {' and '.join(found)}. {PUBLIC}"))
    if agency.kind not in KINDS:
        flaws.append(("/kind", f"{agency.kind!r} is no kind; one of {', '.join(KINDS)} is needed."))
    if agency.kind in REGIONAL_KINDS and agency.region is None:
        flaws.append(("/region", f"A {agency.kind} needs its region code, such as 62.02."))
    if agency.kind == "hub" and agency.id != HUB:
        flaws.append(("/kind", "There is one agency of the kind hub, and it exists from the start."))
    if agency.parent is not None and parent is None:
        flaws.append(("/parent", f"No agency {agency.parent!r} is registered; register the parent first."))
    if agency.parent == agency.id:
        flaws.append(("/parent", "An agency cannot be its own parent."))
    if flaws:
        raise Invalid("; ".join(detail for _, detail in flaws), flaws=flaws)
