"""What can go wrong beside an agency's own system.

ConnectorError
├── ConfigRefused      the configuration cannot be used: names the key and the remedy
├── Away               a part cannot be reached now; the runner waits and tries again
│   ├── HubAway        no answer, 5xx, 429 or 503 from the hub
│   │   ├── ClientRefused  the hub answers, and does not know this client
│   │   ├── HubFailed      500: the hub answers, and fails at this one request
│   │   └── NoReply        the broker has a record, and no reply to it came
│   ├── BrokerAway     no connection to the broker
│   ├── DatabaseAway   no connection to the agency's database
│   │   └── LoginRefused   its server answers, and refuses the user, the password or the database's name
│   ├── SystemAway     the agency's own HTTP endpoint does not answer, or says that it cannot now
│   │   └── EndpointWrong  it answers, and not as one that takes events: somebody must mend its address
│   └── SystemBusy     the agency's own HTTP endpoint asks to wait
├── NotAllowed        the hub does not let this client do that; somebody must mend its rights
├── NotNow            this one thing cannot be done now; other things can
├── NotConfigured      the configuration does not say how this one takes effect; it waits until it does
├── AnswerFirst        an earlier answer of the case was set aside; its final status waits with it
├── StatementRefused   the database answered and refused a statement (grants, column names, data)
│   └── ValueNotTaken  because the column's type does not take the value
├── HubRefused         the hub answered with a problem document
├── ReceiptTooEarly    the connector may hold copies of that case itself
├── SpoolInUse         another connector works with this spool
└── SpoolFailed        the spool cannot be opened now
WrongAgency            the client belongs to another agency than the configuration's: ends the program
"""

from __future__ import annotations

from dataclasses import dataclass, field


class ConnectorError(Exception):
    """Something a person beside the connector must or may know; its text is the message."""


class ConfigRefused(ConnectorError):
    """The configuration cannot be used. `key` is the dotted TOML key, `remedy` says what to write instead."""

    def __init__(self, key: str, problem: str, remedy: str) -> None:
        super().__init__(f"{key}: {problem}; {remedy}" if key else f"{problem}; {remedy}")
        self.key = key


class ReceiptTooEarly(ConnectorError):
    """Nobody can say yet that the copies of a case are gone."""


RETRY_AFTER_CAP_S = 3600.0
"""The longest that a part may ask to wait; as the hub has it for webhook endpoints."""


class Away(ConnectorError):
    """A part does not answer now. `retry_after_s` is what it asked for, when it did."""

    part = "part"
    until_woken = False
    """Whether something new may be tried before the pause is over: what failed is known to fail alone."""

    def __init__(self, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s

    @property
    def asked_s(self) -> float:
        """How long it is left alone because it asked for it."""
        return min(self.retry_after_s or 0.0, RETRY_AFTER_CAP_S)


class HubAway(Away):
    """The hub cannot be reached, or says that it cannot work now."""

    part = "hub"


class ClientRefused(HubAway):
    """The hub answers and refuses the client's id, secret or key; somebody may register it meanwhile."""

    part = "client"


class HubFailed(HubAway):
    """The hub failed at this one request (500). Whoever sends many of a kind lets the others go on
    (sending.py, routing.py, reply_teller.py, applying.py)."""


class NoReply(HubAway):
    """A record was written to the inbound topic, and the hub has not replied to it yet."""

    part = "hub's inbound role"


class BrokerAway(Away):
    """The broker where the agency's topics are cannot be reached."""

    part = "broker"


class WrongAgency(Exception):
    """The client belongs to another agency. No ConnectorError: nothing may wait for it or go on."""

    def __init__(self, agency: str, owner: str) -> None:
        remedy = "use a client of that agency, or mend `agency`; nothing was sent"
        super().__init__(f"agency = '{agency}', but this client belongs to '{owner}'; {remedy}")


class DatabaseAway(Away):
    """The agency's database cannot be reached."""

    part = "database"


class LoginRefused(DatabaseAway):
    """The database's server answers and lets this user not in, or has no such database: somebody must mend
    that, here or there."""

    part = "database login"


class SystemAway(Away):
    """The agency's own HTTP endpoint cannot be reached, or cannot work now; it may be this one event at which
    it fails (system_health.py)."""

    part = "agency system"


class EndpointWrong(SystemAway):
    """What answers at its address takes no events, or not from this connector: somebody must mend that."""

    part = "agency endpoint"


class SystemBusy(Away):
    """The agency's own HTTP endpoint asks to wait."""

    part = "agency system"


class NotAllowed(ConnectorError):
    """A right is missing, for everything of this kind and not for one complaint; trying again may help."""


class NotNow(ConnectorError):
    """Trying again later helps this one; it waits without end, and nothing else waits for it."""


class NotConfigured(ConnectorError):
    """Set aside at once, and tried again at a start: somebody must first say how it takes effect."""


class AnswerFirst(ConnectorError):
    """Set aside at once, and tried again with the answer of the case that was set aside before it."""


class StatementRefused(ConnectorError):
    """The database understood the connection and refused the statement. `said` is the part of the message
    that is the database's own: names in it are the app's."""

    def __init__(self, text: str, said: str | None = None) -> None:
        super().__init__(text)
        self.said = text if said is None else said


class ValueNotTaken(StatementRefused):
    """The type of the column that `said` names does not take the value."""


class SpoolInUse(ConnectorError):
    """Another connector process holds this spool's lock."""


class SpoolFailed(ConnectorError):
    """The spool's file is refused by the operating system or by SQLite; it may pass."""


@dataclass
class HubRefused(ConnectorError):
    """A problem document of the hub (RFC 9457): final for the request that it answers."""

    status: int
    type: str
    title: str
    detail: str
    errors: list[dict[str, str]] = field(default_factory=list)
    first: int | None = None
    """410 of a mailbox: the first position that is still kept."""
    state: str = ""
    """409: the present state, where the problem document names it."""
    case_id: str = ""
    """409 of a complaint: the case that has its reference."""

    def __str__(self) -> str:
        return f"{self.status} {self.title}: {self.detail}".rstrip(": ")

    def explained(self) -> str:
        """With what each pointer's detail says: for requests whose values come from the configuration."""
        details = dict.fromkeys(error["detail"] for error in self.errors if error.get("detail"))
        return f"{self.status} {self.title}: {' '.join(details)}" if details else str(self)

    def is_kind(self, name: str) -> bool:
        """Whether the problem's type ends with this name, such as `complaint-conflict`."""
        return self.type.rstrip("/").endswith(name)

    def pointers(self) -> list[str]:
        """The members that the hub complains about, without their values."""
        return [str(error.get("pointer", "")) for error in self.errors]
