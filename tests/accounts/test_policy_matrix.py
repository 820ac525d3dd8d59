"""Every cell of the policy, role x action x relation, through the real API: by tokens and by sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from auth.cookies import csrf_token, new_cookie, session_id
from auth.policy import TABLE, Action, Relation
from auth.policy_table import policy_markdown
from auth.roles import OFFICER_ROLES, Role
from auth.scopes import SCOPES
from hub.api.routes import ROUTES
from hub.domain.agency import Agency
from hub.domain.case import (
    CaseState,
    Consultation,
    Leg,
    Room,
)
from hub.ports.accounts import OfficerRow, SessionRow
from hub.ports.clock import rfc3339
from hub.service.requests import RegisterAgency
from hub.store.accounts import AccountTables
from tests.accounts.conftest import Browser, problem_of
from tests.accounts.matrix import (
    CASE_ROWS,
    COLUMNS,
    LETTERS,
    OTHER_ROWS,
    OTHER_TRIES,
    Try,
    case_tries,
    expected,
    expected_anywhere,
)
from tests.api.checking import Reply
from tests.api.conftest import Caller, House, running

ROOT = Path(__file__).parents[2]
WHEN = "2026-11-02T01:00:00.000Z"


def agency_of(relation: str) -> str:
    return "instansi-" + relation.replace("_", "-")


@dataclass
class Stage:
    """A case to which each of eleven agencies is exactly one thing, and who acts for them."""

    house: House
    tries: dict[str, Try]
    callers: dict[tuple[str, str], Caller | Browser]

    async def send(self, role: str, relation: str, given: Try) -> Reply:
        caller, body, headers = self.callers[role, relation], given.body, dict(given.headers)
        return await caller.send(given.method, given.path, body, headers=headers)


@pytest.fixture
async def stage(folder: Path) -> AsyncIterator[Stage]:
    async with running(folder) as house:
        for relation in sorted(COLUMNS):  # above comes before who stands below it
            parent = agency_of("above") if relation == "handler" else None
            agency = Agency(agency_of(relation), f"Instansi {relation}", "agency", parent=parent)
            house.core.operate(RegisterAgency(agency))
        first, second = [await staged_case(house) for _ in range(2)]
        tries = case_tries(first["id"], second["id"], first["leg"], first["consultation"])
        callers: dict[tuple[str, str], Caller | Browser] = {}
        for relation in COLUMNS:
            callers["system", relation] = await house.caller(agency_of(relation), frozenset(SCOPES))
            for role in OFFICER_ROLES:
                callers[str(role), relation] = signed_in(house, agency_of(relation), role)
        yield Stage(house, tries, callers)


async def staged_case(house: House) -> dict[str, str]:
    """A real case whose stored state is then set so that no agency is two things at once, which no history of
    a single case gives."""
    app = await house.caller("kab-kotim")
    case_id = (await app.submit())["id"]
    named = {relation: agency_of(relation) for relation in COLUMNS}
    ids = [house.core.ids.new() for _ in range(3)]
    legs = (
        Leg(ids[0], named["sender"], named["handler"], "lead", "sent", WHEN, WHEN),
        replace(
            Leg(ids[1], named["owner"], named["former"], "support", "returned", WHEN, WHEN), ended_sequence=1
        ),
    )
    asked = Consultation(ids[2], named["owner"], named["consulted"], "open", WHEN, WHEN)
    with house.core.store.read() as session:
        case = session.case(case_id)
    assert case is not None
    state: CaseState = replace(
        case.state,
        status="forwarded",
        source=named["source"],
        owner=named["owner"],
        legs=legs,
        consultations=(asked,),
        former_owners=(named["former_owner"],),
        overseers=(named["overseer"],),
        rooms=(Room(house.core.ids.new(), {named["participant"]: WHEN, named["source"]: WHEN}),),
        clocks=(),
    )
    with house.core.store.writing() as db:
        db.execute(
            "UPDATE cases SET state = ?, next_wake = NULL WHERE id = ?", (orjson.dumps(state), case_id)
        )
        for part in (ids[0], ids[1], ids[2]):
            db.execute("INSERT INTO legs (id, case_id) VALUES (?, ?)", (part, case_id))
    return {"id": case_id, "leg": ids[0], "consultation": ids[2]}


def signed_in(house: House, agency: str, role: Role) -> Browser:
    """An officer with a session, made as the store makes them: 77 passwords would take their time."""
    core, rows = house.core, AccountTables(house.core.store)
    now, email = core.clock.now(), f"{role}@{agency}.go.id"
    officer = OfficerRow(
        core.ids.new(), agency, email, email, "Petugas", role, None, None, None, None, None, None, 0, None,
        rfc3339(now), rfc3339(now),
    )  # fmt: skip
    assert rows.add_officer(officer)
    digest = core.sealer.hub_digest
    cookie = new_cookie(digest)
    found = session_id(cookie, digest)
    assert found is not None
    until = rfc3339(now + timedelta(hours=1))
    assert rows.add_session(SessionRow(found, officer.id, rfc3339(now), rfc3339(now), until))
    return Browser(house, {"simpul_session": cookie}, csrf_token(found, digest))


def meaning(given: Try, reply: Reply) -> str:
    if reply.status in given.allowed and not (reply.status == 404 and given.path.startswith("/v1/cases")):
        return "y"
    return {403: "3", 404: "4"}.get(reply.status, f"{reply.status} {reply.text}")


async def test_every_cell_that_concerns_a_case(stage: Stage) -> None:
    wrong, walked = [], 0
    for role in ("system", *LETTERS):
        for action, given in stage.tries.items():
            for relation in COLUMNS:
                reply = await stage.send(role, relation, given)
                found, wanted = meaning(given, reply), expected(role, action, relation)
                walked += 1
                if found != wanted:
                    wrong.append(f"{role} {action} {relation}: {found} instead of {wanted}")
                elif found == "3" and problem_of(reply) == "wrong-role":
                    assert role in reply.json["detail"]
    assert wrong == []
    assert walked == 7 * 21 * 11


async def test_every_cell_that_concerns_none(stage: Stage) -> None:
    wrong = []
    for role in ("system", *LETTERS):
        for action, given in OTHER_TRIES.items():
            reply = await stage.send(role, "none", given)
            found = True if reply.status in given.allowed else False if reply.status == 403 else reply.text
            if found != expected_anywhere(role, action):
                wrong.append(f"{role} {action}: {reply.status}")
    assert wrong == []


def test_the_walk_goes_to_every_row_and_column() -> None:
    assert set(CASE_ROWS) | set(OTHER_ROWS) == {str(action) for action in Action}
    assert set(COLUMNS) == {str(relation) for relation in Relation} | {"none"}
    assert set(LETTERS) == {str(role) for role in OFFICER_ROLES}
    assert set(OTHER_TRIES) == set(OTHER_ROWS)
    assert {str(action) for action, rule in TABLE.items() if rule.relations is None} == set(OTHER_ROWS)


def test_every_scope_of_a_route_is_of_an_action() -> None:
    """Else no officer could ever be allowed what the route does."""
    assert {route.scope for route in ROUTES if route.scope} <= {rule.scope for rule in TABLE.values()}


def test_architecture_shows_the_policy_of_today() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    shown = text.partition("<!-- policy: made by auth/policy_table.py -->\n")[2]
    assert shown.partition("\n<!-- end of policy")[0] == policy_markdown()


async def test_actions_follow_the_role(stage: Stage) -> None:
    async def actions(role: str) -> Any:
        return (await stage.send(role, "owner", stage.tries["read"])).json["actions"]

    everything = await actions("system")
    assert {"consult", "forward"} <= set(everything)
    assert await actions("coordinator") == everything
    assert await actions("liaison") == []
    assert await actions("monitor") == []
