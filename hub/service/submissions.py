"""What an agency submitted, compared from both sides (`/v1/submissions`)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from auth.principal import Principal
from hub.ports.store import ReadSession
from hub.service.readers import Readers


async def submissions_digest(
    readers: Readers, principal: Principal, since: str, until: str
) -> dict[str, Any]:
    """SHA-256 over the lines `reference case_id\\n`, sorted by reference, of the agency's own complaints
    accepted in [since, until)."""

    def query(session: ReadSession) -> dict[str, Any]:
        sha256, count = hashlib.sha256(), 0
        for reference, case_id in session.submissions(principal.agency, since, until):
            sha256.update(f"{reference} {case_id}\n".encode())
            count += 1
        return {"from": since, "to": until, "count": count, "sha256": sha256.hexdigest()}

    return await readers.run(query)


async def missing_references(readers: Readers, principal: Principal, references: Sequence[str]) -> list[str]:
    """Those of the agency's own references that the hub lacks, in the order given, each once."""
    asked = list(dict.fromkeys(references))
    missing = set(await readers.run(lambda session: session.missing_references(principal.agency, asked)))
    return [reference for reference in asked if reference in missing]
