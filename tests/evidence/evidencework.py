"""A hub on either engine whose evidence is exported, taken apart and put together again."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from auth import evidence_signing
from auth.evidence_signing import key_set
from auth.keys import SigningKey
from auth.scopes import DEFAULT_SCOPES
from hub.app_access import access, secret_box
from hub.app_core import open_core
from hub.cli.verify import trust
from hub.domain.commands import Accept, Progress, Verify
from hub.domain.evidence import EvidenceBroken, Signer, sealed_file
from hub.domain.evidence_check import Summary, Trust, verified
from hub.domain.limits import DEFAULT_LIMITS
from hub.ports.registry import ClientRow
from hub.service.access import Access
from hub.service.case_reading import CaseReading
from hub.service.evidence import EvidenceDesk
from hub.service.intake import ComplaintCodes, ComplaintDesk
from hub.service.readers import Readers
from hub.service.rendered import Rendering
from hub.service.requests import RegisterAgency
from hub.settings import Settings
from tests.service.hubworld import AGENCIES, KOTIM, PUPR, HubWorld, TurnedClock, client_of, principal


@dataclass
class Desks:
    evidence: EvidenceDesk
    reading: CaseReading


@dataclass
class EvidenceWorld(HubWorld):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.gate: Access = access(self.core, secret_box(self.core))
        self.gate.ensure_signing_key()

    @property
    def folder(self) -> Path:
        return self.core.settings.data_dir

    @property
    def trust(self) -> Trust:
        """The hub's keys of now, as the data folder has them."""
        return trust(key_set((self.folder / "jwks-all.json").read_text()))

    @contextmanager
    def desks(self) -> Iterator[Desks]:
        """Reading alone: what is written here is written without a server."""
        core, readers = self.core, Readers(self.core.store, 2)
        core.registry.refresh()
        rendering = Rendering(core.sealer, core.settings.issuer)
        reading = CaseReading(readers, core.sealer, rendering, self.clock, DEFAULT_LIMITS)
        evidence = EvidenceDesk(
            readers, core.sealer, rendering, self.clock, core.settings.issuer, core.registry.agencies
        )
        yield Desks(evidence, reading)
        readers.close()

    async def export(self, hub: Desks, agency: str, case_id: str) -> bytes:
        return await hub.evidence.export(principal(agency), case_id, self.gate.signer())

    async def history(self, hub: Desks, agency: str, case_id: str) -> list[dict[str, Any]]:
        events, more, _ = await hub.reading.history(principal(agency), case_id, 0, 1000)
        assert more is None
        return events

    def long_case(self, events: int, reference: str = "PGD-1") -> str:
        """A case with so many events, most of them progress that its handler reports."""
        case_id, leg = self.forwarded((PUPR, "lead"), reference=reference)
        self.do(self.request(Accept(case_id, leg), PUPR))
        for number in range(events - self.version(case_id)):
            self.do(self.request(Progress(case_id, leg, f"Hari ke-{number}: tim bekerja."), PUPR))
        assert self.version(case_id) == events
        return case_id

    def erase_key(self, case_id: str) -> None:
        self.sql("DELETE FROM stream_keys WHERE stream = ?", case_id)


def make_hub(settings: Settings, *, migrates: bool = False) -> None:
    """Agencies and their clients."""
    with open_core(settings, TurnedClock(), migrates=migrates) as core:
        for agency in AGENCIES:
            core.operate(RegisterAgency(agency))
            scopes = tuple(sorted(DEFAULT_SCOPES))
            core.rows.add_client(
                ClientRow(client_of(agency.id), agency.id, scopes, b"x", None, "2025-03-14T02:00:00.000Z")
            )


@contextmanager
def evidence_world(settings: Settings, codes: ComplaintCodes) -> Iterator[EvidenceWorld]:
    clock = TurnedClock()
    with open_core(settings, clock) as core:
        desk = ComplaintDesk(
            codes=codes, agencies=core.registry.agencies, sealing=core.sealer, ids=core.ids, clock=clock
        )
        yield EvidenceWorld(core, clock, desk)


def submitted_and_verified(world: EvidenceWorld, reference: str) -> str:
    case_id = world.submitted(reference)
    world.do(world.request(Verify(case_id, "accept"), KOTIM))
    return case_id


def signer_of(key: SigningKey) -> Signer:
    return Signer(key.kid, lambda purpose, message: evidence_signing.sign(key, purpose, message))


def document_of(file: bytes) -> dict[str, Any]:
    """Without what stands over the whole."""
    document: dict[str, Any] = orjson.loads(file)
    del document["sha256"], document["signature"]
    return document


def sealed_again(document: dict[str, Any], signer: Signer) -> bytes:
    return sealed_file(document, signer)


def headers(file: bytes) -> list[dict[str, Any]]:
    """Of the events that are shown with their bytes."""
    events = orjson.loads(file)["streams"][0]["events"]
    return [orjson.loads(base64.b64decode(event["header"])) for event in events if "header" in event]


def words(file: bytes, by: Trust) -> list[str]:
    """Every text that the file's keys open."""
    found: list[str] = []
    for event in orjson.loads(file)["streams"][0]["events"]:
        for part, key in event.get("keys", {}).items():
            header, sealed = (base64.b64decode(event[name]) for name in ("header", "sealed"))
            opened = by.open_part(base64.b64decode(key), orjson.loads(header)["id"], sealed, part)
            found += texts_in(orjson.loads(opened))
    return found


def texts_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in texts_in(each)]


def broken(file: bytes, by: Trust) -> str:
    """In words; the test fails when nothing is noticed."""
    try:
        found: Summary = verified(file, by)
    except EvidenceBroken as error:
        return str(error)
    raise AssertionError(f"nothing was noticed: {found}")
