"""What a command names beside its case, judged in the transaction: files that its agency must have uploaded,
agencies that must be there."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hub.domain.case import Case
from hub.domain.commands import Advise, CaseCommand, Consult, Forward, Return
from hub.domain.consultation import check_consulted
from hub.domain.recipients import check_recipients, unfit
from hub.errors import Invalid
from hub.ports.files import UPLOAD_KEPT
from hub.service.overlay import Overlay
from hub.service.requests import Request

NOT_UPLOADED: Final = (
    f"Your agency has uploaded no such file in the last {UPLOAD_KEPT // timedelta(hours=1)} hours; "
    "POST it to /v1/attachments first."
)


def require_files(request: Request, overlay: Overlay) -> None:
    """422 for each file that is not there, or not as it is described."""
    flaws: list[tuple[str, str]] = []
    for file in request.files:
        pointer = f"/attachments/{file.place}"
        uploaded = overlay.files.get((file.sha256, request.principal.agency))
        if uploaded is None:
            flaws.append((f"{pointer}/sha256", NOT_UPLOADED))
            continue
        if file.media_type.lower() != uploaded.media_type:
            flaws.append((f"{pointer}/media_type", f"The file was uploaded as {uploaded.media_type}."))
        if file.size != uploaded.size:
            flaws.append((f"{pointer}/size", f"The file that was uploaded is {uploaded.size} bytes long."))
    if flaws:
        raise Invalid("An attachment is not there, or not as it is described.", flaws=flaws)


def check_agencies(command: CaseCommand, case: Case, actor: str, overlay: Overlay) -> None:
    """422 for an agency that the command names and that is not there, or impossible there."""
    if isinstance(command, Return | Advise) and command.suggested_agency:
        _require_fit(command.suggested_agency, actor, overlay)
    elif isinstance(command, Forward):
        check_recipients(command.to, case.state, actor, overlay.agencies.get)
    elif isinstance(command, Consult):
        check_consulted(command.agency, case.state.owner, overlay.agencies.get)


def _require_fit(agency: str, actor: str, overlay: Overlay) -> None:
    flaw = "That is your own agency." if agency == actor else unfit(agency, overlay.agencies.get)
    if flaw:
        raise Invalid("This agency cannot be suggested.", flaws=[("/suggested_agency", flaw)])


def named_in(command: CaseCommand, part: str | None) -> tuple[int, str, tuple[str, ...]]:
    """Of the outcome of a command on a case: status, kind, and the ids that it names beside the case's."""
    if isinstance(command, Forward):
        return 201, "forwardings", tuple(recipient.leg_id for recipient in command.to)
    if isinstance(command, Consult | Advise):
        return 201 if isinstance(command, Consult) else 200, "consultation", (command.consultation_id,)
    return (200, "case", ()) if part is None else (200, "forwarding", (part,))
