"""Rights, decided on a case that was loaded: 404 for who takes no part, 403 for who may not."""

from __future__ import annotations

from auth import policy
from auth.principal import Principal
from hub.domain.audience import relations
from hub.domain.case import Case
from hub.errors import Forbidden, NotFound

NOTHING = "There is no such case, or your agency takes no part in it."


def there(case: Case | None) -> Case:
    """The case, or 404."""
    if case is None:
        raise NotFound(NOTHING)
    return case


def allow(principal: Principal, action: str, case: Case, leg_id: str | None = None) -> policy.Verdict:
    """The verdict, if the action is allowed. Handler and sender are meant of `leg_id` where it is given."""
    return _allowed(policy.decide(action, relations(case.state, principal.agency, leg_id), principal.scopes))


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
