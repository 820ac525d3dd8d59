"""The routes of consultations and forwardings: a part of the one page (`routes.py`)."""

from __future__ import annotations

from typing import Final

from hub.api.acting import acting, consult, forward
from hub.api.route import ACT, KEY_AND_VERSION, Route

C, F = "/v1/cases/{id}", "/v1/forwardings/{id}"
LEG: Final = {200: "forwarding"}

# fmt: off
COORDINATION_ROUTES: Final[tuple[Route, ...]] = (
    Route("POST", f"{C}/consultations", consult, "consultAgency", "Consultations", "Consult an agency",
          "cases:consult", {201: "consultation"}, ACT, takes="consultation-request", headers=KEY_AND_VERSION,
          answer_headers=("Simpul-Masked",),
          about="After the verification and before forwarding, by the owner, as often as needed: is this "
                "yours? The agency that is asked sees the case from then on, and finds the question with the "
                "complaint in its mailbox. 409 while it has not answered the question before, and 409 "
                "`case-full` after 200 questions."),
    Route("POST", "/v1/consultations/{id}/answer", acting("verdict"), "answerConsultation", "Consultations",
          "Answer a consultation", "cases:consult", {200: "consultation"}, ACT, takes="verdict",
          headers=KEY_AND_VERSION, answer_headers=("Simpul-Masked",),
          about="Once, by the agency that was asked. The verdict binds nobody; but whoever said `not_ours` "
                "is sent the case afterwards only with a `note`."),

    Route("POST", f"{C}/forwardings", forward, "forwardCase", "Forwardings", "Forward a case",
          "cases:forward", {201: "forwarding-items"}, ACT, takes="forwarding-request",
          headers=KEY_AND_VERSION, answer_headers=("Simpul-Masked",),
          about="After the verification, by the owner, as often as needed: to one or several agencies; one "
                "leads, the others support. An agency that has accepted a forwarding may forward the case "
                "onward, to its own units or to others, as `support`. Whoever returned the case before, or "
                "was consulted last with the verdict `not_ours`, is sent it only with a `note` (else 409). "
                "409 `case-full` after 300 forwardings, ended ones too (a fifth is left to the owner)."),
    Route("POST", f"{F}/acceptance", acting("acceptance"), "acceptForwarding", "Forwardings",
          "Accept a forwarding", "cases:handle", LEG, ACT, takes="acceptance", headers=KEY_AND_VERSION,
          body_optional=True,
          about="While the forwarding is `sent`, by the agency that it was sent to: it takes the work on; "
                "progress and an answer come after this."),
    Route("POST", f"{F}/return", acting("return"), "returnForwarding", "Forwardings",
          "Return a forwarding", "cases:handle", LEG, ACT, takes="return", headers=KEY_AND_VERSION,
          answer_headers=("Simpul-Masked",),
          about="In place of accepting, or later while it is not answered, by the agency that it was sent "
                "to: with the reason and, if known, the right agency; the owner then forwards again. When "
                "the leading forwarding comes back for the third time (a setting of the hub), the case "
                "passes to the agency above (`complaint.escalated`); what that one sends cannot be "
                "returned (409)."),
    Route("POST", f"{F}/reconsideration", acting("reconsideration"), "requestReconsideration", "Forwardings",
          "Ask to reconsider a forwarding", "cases:handle", LEG, ACT, takes="reconsideration",
          headers=KEY_AND_VERSION, answer_headers=("Simpul-Masked",),
          about="In place of returning, once, where returning is not possible because the case was returned "
                "too often already: the sender is asked to think again, and the forwarding stays as it is."),
    Route("POST", f"{F}/progress", acting("progress"), "reportProgress", "Forwardings", "Report progress",
          "cases:handle", LEG, ACT, takes="progress", headers=KEY_AND_VERSION,
          answer_headers=("Simpul-Masked",),
          about="After accepting and before the answer, as often as there is news, by the agency that "
                "handles it."),
    Route("POST", f"{F}/answer", acting("answer"), "answerForwarding", "Forwardings",
          "Answer a forwarding", "cases:handle", LEG, ACT, takes="answer", headers=KEY_AND_VERSION,
          answer_headers=("Simpul-Masked",),
          about="Once, after accepting, by the agency that handles it; the case is answered when the leading "
                "agency has answered and no other forwarding is open."),
    Route("POST", f"{F}/withdrawal", acting("withdrawal"), "withdrawForwarding", "Forwardings",
          "Withdraw a forwarding", "cases:forward", LEG, ACT, takes="withdrawal", headers=KEY_AND_VERSION,
          answer_headers=("Simpul-Masked",),
          about="While it is not answered, by the agency that sent it, or by the owner."),
)
