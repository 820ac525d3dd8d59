"""Rights, versions and the registry as the transaction itself sees them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.agency import Agency
from hub.domain.commands import Accept, Answer, Close, Return, Verify
from hub.errors import Problem
from hub.service.rebuild import verify_chains
from hub.service.requests import ChangeAgency, RegisterAgency, Request
from tests.service.hubworld import KOTIM, MEDAN, PLN, PUPR, STRANGER, HubWorld, principal, statuses

# --- rights, versions, registry ---------------------------------------------------------------------


def test_rights_are_decided_on_the_loaded_state(world: HubWorld) -> None:
    case_id, leg = world.forwarded((PUPR, "lead"))
    narrow = principal(PUPR, frozenset({"cases:read"}))
    results = world.run(
        world.request(Accept(case_id, leg), STRANGER),
        world.request(Verify(case_id, "accept"), STRANGER),
        world.request(Verify(case_id, "accept"), PUPR),
        world.request(Close(case_id, "archived"), PUPR),
        world.request(Accept(case_id, leg), KOTIM),
        Request(narrow, Accept(case_id, leg)),
        world.request(Return(case_id, leg, "not_ours"), PUPR),
        world.request(Verify(case_id, "accept"), PUPR),
        world.request(Accept(case_id, leg), PUPR),
    )
    assert statuses(results) == [404, 404, 403, 403, 403, 403, 200, 403, 409]


def test_a_strangers_404_is_the_same_as_for_what_never_existed(world: HubWorld) -> None:
    case_id, _ = world.forwarded()
    hidden, absent = world.run(
        world.request(Verify(case_id, "accept"), STRANGER),
        world.request(Verify("0" * 36, "accept"), STRANGER),
    )
    assert hidden.document() == absent.document()


def test_if_match_is_the_version_in_the_transaction(world: HubWorld) -> None:
    case_id = world.submitted()
    results = world.run(
        world.request(Verify(case_id, "incomplete", "Kurang."), if_match=1),
        world.request(Verify(case_id, "accept"), if_match=1),
        world.request(Verify(case_id, "accept"), if_match=2),
    )
    assert statuses(results) == [200, 412, 200]
    assert results[1].extra == {"version": 2}


def test_checks_come_in_the_contracts_order(world: HubWorld) -> None:
    """404, 403, 422, 412, 409, each while everything after it would be wrong as well."""
    case_id = world.submitted()
    wrong = world.forwarding(case_id, ("tidak-ada", "lead"))
    right = world.forwarding(case_id, (PUPR, "lead"))
    results = world.run(
        world.request(wrong, STRANGER, if_match=9),
        Request(principal(KOTIM, frozenset()), wrong, if_match=9),
        world.request(wrong, if_match=9),
        world.request(right, if_match=9),
        world.request(right, if_match=1),
    )
    assert statuses(results) == [404, 403, 422, 412, 409]


def test_a_revoked_client_is_refused_inside_the_transaction(world: HubWorld) -> None:
    case_id = world.submitted()
    request = world.request(Verify(case_id, "accept"))
    world.core.rows.revoke_client(request.principal.client_id, "2025-03-14T02:00:00.000Z")
    unknown = replace(principal(KOTIM), client_id="client_unknown")
    results = world.run(request, Request(unknown, request.command), world.submission("X", MEDAN))
    assert statuses(results) == [401, 401, 201]


def test_an_inactive_agency_is_refused_inside_the_transaction(world: HubWorld) -> None:
    case_id = world.submitted()
    request = world.request(Verify(case_id, "accept"))
    world.core.operate(ChangeAgency(KOTIM, {"active": False}))
    (result,) = world.run(request)
    assert (result.status, result.type_code) == (403, "agency-inactive")


def test_a_suggested_agency_must_be_there(world: HubWorld) -> None:
    case_id, leg = world.forwarded()
    (result,) = world.run(world.request(Return(case_id, leg, "not_ours", None, "tidak-ada"), PUPR))
    assert [pointer for pointer, _ in result.flaws] == ["/suggested_agency"]


def test_a_file_must_have_been_uploaded(world: HubWorld) -> None:
    file = {"sha256": "ab" * 32, "media_type": "image/png", "size": 4}
    case_id, leg = world.forwarded()
    results = world.run(
        world.submission("F", attachments=[file | {"name": "foto.png"}]),
        world.request(Answer(case_id, leg, "Lihat foto.", (file,), ("foto.png",)), PUPR),
    )
    assert [[pointer for pointer, _ in r.flaws] for r in results] == [["/attachments/0/sha256"]] * 2


def test_only_who_may_registers_agencies(world: HubWorld) -> None:
    results = world.run(world.request(RegisterAgency(Agency("x", "X", "unit"))))
    assert statuses(results) == [403]


def test_an_agencys_events_are_a_chain_of_their_own(world: HubWorld) -> None:
    for name in ("Satu", "Dua", "Dua"):
        world.core.operate(ChangeAgency(PLN, {"name": name}))
    events = world.read(lambda s: s.stream(f"agency/{PLN}", 0, 9))
    assert [event.fact().type for event in events] == [
        "agency.registered",
        "agency.changed",
        "agency.changed",
    ]
    verify_chains(lambda after, limit: world.read(lambda s: s.events_after(after, limit)))
    with pytest.raises(Problem):
        world.core.operate(ChangeAgency("tidak-ada", {"name": "X"}))
