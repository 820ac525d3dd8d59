"""Rights, decided on a case that was loaded: 404 for who takes no part, 403 for who may not."""

from __future__ import annotations

from auth import policy
from auth.principal import Principal
from auth.roles import Role
from hub.domain.audience import Sight, relations, sight, takes_part
from hub.domain.case import Case
from hub.errors import Forbidden, NoSuchCase, PreconditionFailed
from hub.ports.store import ReadSession

WRONG_ROLE = "wrong-role"


def there(case: Case | None) -> Case:
    """The case, or 404."""
    if case is None:
        raise NoSuchCase
    return case


def require_version(if_match: int | None, case: Case, frozen: int | None = None) -> None:
    """412 when the caller saw another version. `frozen`: the one that it sees the case in, where it has left
    it; it learns of no other."""
    version = case.state.version if frozen is None else frozen
    if if_match is not None and if_match != version:
        raise PreconditionFailed(
            f"The case is at version {version} now, not {if_match}; read it again.",
            extra={"version": version},
        )


def allow(principal: Principal, action: str, case: Case, part_id: str | None = None) -> policy.Verdict:
    """The verdict, if the action is allowed. Handler, sender and consulted are meant of the leg or the
    consultation `part_id` where it is given; 404 where that is no part of the kind that the action is for."""
    if part_id is not None:
        state = case.state
        named = state.consultation(part_id) if action == policy.Action.ADVISE else state.leg(part_id)
        if named is None:
            raise NoSuchCase
    held = relations_of(principal, case, part_id)
    return _allowed(policy.decide(action, held, principal.scopes, principal.role))


def relations_of(principal: Principal, case: Case, part_id: str | None = None) -> frozenset[str]:
    """What the agency is to the case; for whom that counts, also whether it is above one that takes part."""
    found = relations(case.state, principal.agency, part_id)
    return found | {policy.Relation.ABOVE} if _is_above(principal, case) else found


def sight_of(principal: Principal, case: Case) -> Sight:
    """What the caller may see of the case now, once reading it is allowed."""
    seen = sight(case.state, principal.agency)
    if not seen.whole and _is_above(principal, case):
        return Sight(principal.agency, True, case.state.version)
    return seen


def _is_above(principal: Principal, case: Case) -> bool:
    return any(takes_part(case.state, each) for each in principal.below)


def allowed_case(
    session: ReadSession, principal: Principal, action: str, case_id: str | None, leg_id: str | None
) -> Case:
    """The case that the id or the leg names, if the action on it is allowed."""
    found = case_id or (session.case_of_leg(leg_id) if leg_id else None)
    case = there(session.case(found) if found else None)
    allow(principal, action, case, leg_id)
    return case


def reading_of(principal: Principal, case: Case) -> policy.Reading:
    """How much of the case the caller's agency may see, whatever the token's scopes."""
    return policy.reading_of(relations_of(principal, case))


def sees_it_frozen(principal: Principal, case: Case) -> bool:
    """Whether the agency returned or lost its part, and sees the case as it stood then and no further."""
    return reading_of(principal, case) is policy.Reading.FROZEN


def allow_without_case(principal: Principal, action: str) -> None:
    """For what concerns no case yet: submitting, uploading."""
    _allowed(policy.decide(action, frozenset(), principal.scopes, principal.role))


def require_scope(principal: Principal, scope: str) -> None:
    """403 for a token that lacks the scope, or an officer whose role has no use for it."""
    if scope not in principal.scopes:
        if principal.role is not Role.SYSTEM:
            raise Forbidden(policy.role_sentence(principal.role, scope), code=WRONG_ROLE)
        raise Forbidden(
            f"The access token lacks the scope {scope}, which this needs.", code="insufficient-scope"
        )


def _allowed(verdict: policy.Verdict) -> policy.Verdict:
    if verdict.outcome is policy.Outcome.NOT_FOUND:
        raise NoSuchCase
    if verdict.missing_scope is not None:
        raise Forbidden(verdict.detail, code="insufficient-scope")
    if verdict.wrong_role:
        raise Forbidden(verdict.detail, code=WRONG_ROLE)
    if not verdict.allowed:
        raise Forbidden(verdict.detail)
    return verdict
