"""Reporters' identities, opened for as long as a reader needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from hub.domain.case import CaseState
from hub.domain.privacy import own_values
from hub.ports.effects import Identity
from hub.ports.sealing import Sealing, StreamKey
from hub.ports.store import ReadSession


def identities(session: ReadSession, sealing: Sealing, case_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Opened; of those among the cases that have one and their key."""
    if not case_ids:
        return {}
    keys, rows, found = session.keys(case_ids), session.identities(case_ids), {}
    for case_id in keys.keys() & rows.keys():
        found[case_id] = opened(sealing, sealing.open_stream_key(keys[case_id]), rows[case_id], case_id)
    return found


def opened(sealing: Sealing, key: StreamKey, row: Identity, case_id: str) -> dict[str, Any]:
    identity: dict[str, Any] = orjson.loads(sealing.open_identity(key, case_id, row.sealed))
    return identity


def own_values_of(
    session: ReadSession, sealing: Sealing, state: CaseState, *, hidden: bool = False
) -> list[str]:
    """What in an officer's text would name the reporter (see `privacy.own_values`); `hidden`: as for a
    reporter who wants to stay unnamed, whatever the flags say."""
    return values_naming(identities(session, sealing, [state.id]).get(state.id, {}), state, hidden=hidden)


def values_naming(identity: dict[str, Any], state: CaseState, *, hidden: bool = False) -> list[str]:
    """The same of an identity that is open already."""
    return own_values(identity, hidden=hidden or state.anonymous or state.confidential)
