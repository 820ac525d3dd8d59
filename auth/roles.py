"""The roles of who acts for an agency: its systems, and its officers. `policy.py` says what each may do."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    SYSTEM = "system"
    """A machine client of the agency, by access token: all that the agency may do, within its scopes."""
    LIAISON = "liaison"
    """Pejabat penghubung: receives what is forwarded to the agency, and answers it."""
    COORDINATOR = "coordinator"
    """Admin koordinator: verifies, consults, forwards and closes for the agency."""
    ADMINISTRATOR = "administrator"
    """Admin utama: looks after the agency's officers and its connection; reads."""
    MONITOR = "monitor"
    """Pemantau: reads the cases of the agency and of those below it, and changes none."""
    OMBUDSMAN = "ombudsman"
    """Reads what was escalated to oversight."""
    HUB_ADMINISTRATOR = "hub_administrator"
    """Admin nasional: registers agencies, watches the hub."""


OFFICER_ROLES: Final = tuple(role for role in Role if role is not Role.SYSTEM)
"""What `simpul officer add --role` takes."""

ONLY_IN: Final = {Role.OMBUDSMAN: "oversight", Role.HUB_ADMINISTRATOR: "hub"}
"""Roles that only officers of an agency of this kind can have."""
