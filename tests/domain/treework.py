"""A registry with a tree, and every command on a leg, for the lives of `test_ownership_machine.py`."""

from __future__ import annotations

from typing import Any

from hub.domain.agency import HUB, Agency
from hub.domain.case import Leg
from hub.domain.commands import Accept, Answer, Progress, Reconsider, Return, Withdraw
from tests.domain.casework import CASE_ID, SOURCE

TREE = {
    HUB: (None, "hub"),
    "kemendagri": (None, "ministry"),
    "prov-kalteng": ("kemendagri", "province"),
    SOURCE: ("prov-kalteng", "regency"),
    "dinas-kotim": (SOURCE, "unit"),
    "kec-baamang": ("dinas-kotim", "unit"),
    "dinas-prov": ("prov-kalteng", "unit"),
    "kemenpu": (None, "ministry"),
    "balai": ("kemenpu", "agency"),
    "satker": ("balai", "unit"),
}
REGISTRY = {
    name: Agency(name, name, kind, region="62" if kind in ("province", "regency") else None, parent=parent)
    for name, (parent, kind) in TREE.items()
}


def leg_commands(leg: Leg) -> list[Any]:
    return [
        Accept(CASE_ID, leg.id),
        Return(CASE_ID, leg.id, "not_ours"),
        Progress(CASE_ID, leg.id, "Tim di lokasi."),
        Answer(CASE_ID, leg.id, "Sudah diperbaiki."),
        Withdraw(CASE_ID, leg.id, "Salah alamat."),
        Reconsider(CASE_ID, leg.id, "Bukan wewenang kami."),
    ]
