"""Rights, decided on a case that was loaded: 404 for who takes no part, 403 for who may not."""

from __future__ import annotations

from auth import policy
from auth.principal import Principal
from hub.domain.audience import relations
from hub.domain.case import Case
from hub.errors import Forbidden, NotFound
from hub.ports.store import ReadSession

NOTHING = "There is no such case, or your agency takes no part in it."


def there(case: Case | None) -> Case:
    """The case, or 404."""
    if case is None:
        raise NotFound(NOTHING)
    return case


def allow(principal: Principal, action: str, case: Case, part_id: str | None = None) -> policy.Verdict:
    """The verdict, if the action is allowed. Handler, sender and consulted are meant of the leg or the
    consultation `part_id` where it is given; 404 where that is no part of the kind that the action is for."""
    if part_id is not None:
        state = case.state
        named = state.consultation(part_id) if action == policy.Action.ADVISE else state.leg(part_id)
        if named is None:
            raise NotFound(NOTHING)
    return _allowed(policy.decide(action, relations(case.state, principal.agency, part_id), principal.scopes))


def allowed_case(
    session: ReadSession, principal: Principal, action: str, case_id: str | None, leg_id: str | None
) -> Case:
    """The case that the id or the leg names, if the action on it is allowed."""
    found = case_id or (session.case_of_leg(leg_id) if leg_id else None)
    case = there(session.case(found) if found else None)
    allow(principal, action, case, leg_id)
    return case


def sees_it_frozen(principal: Principal, case: Case) -> bool:
    """Whether the agency returned or lost its part, and sees the case as it stood then and no further."""
    return policy.reading_of(relations(case.state, principal.agency)) is policy.Reading.FROZEN


def allow_without_case(principal: Principal, action: str) -> None:
    """For what concerns no case yet: submitting, uploading."""
    _allowed(policy.decide(action, frozenset(), principal.scopes))


def require_scope(principal: Principal, scope: str) -> None:
    """403 for a token that lacks the scope."""
    if scope not in principal.scopes:
        raise Forbidden(
            f"The access token lacks the scope {scope}, which this needs.", code="insufficient-scope"
        )


def _allowed(verdict: policy.Verdict) -> policy.Verdict:
    if verdict.outcome is policy.Outcome.NOT_FOUND:
        raise NotFound(NOTHING)
    if verdict.missing_scope is not None:
        raise Forbidden(verdict.detail, code="insufficient-scope")
    if not verdict.allowed:
        raise Forbidden(verdict.detail)
    return verdict
