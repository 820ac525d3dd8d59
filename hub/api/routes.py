"""Every route of the hub, on one page. The router and /openapi.json are both made from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hub.api import (
    agencies,
    attachments,
    batch,
    cases,
    complaints,
    documents,
    evidence,
    health,
    mailbox,
    oauth,
    reference,
    reporter,
    stream,
    webhook,
)
from hub.api.acting import acting, erase, unlink
from hub.api.answers import NDJSON
from hub.api.coordination_routes import COORDINATION_ROUTES, C
from hub.api.route import ACT, ANY, KEY, KEY_AND_VERSION, OPEN, PAGE, Route
from hub.api.session_routes import SESSION_ROUTES
from hub.api.thread_routes import THREAD_ROUTES
from hub.ports.files import UPLOAD_KEPT

MOST: Final = "{max_attachment_bytes}"
"""Stands for that setting, which `hub/api/documentation.py` puts in its place."""
KEPT_H: Final = UPLOAD_KEPT // timedelta(hours=1)

# fmt: off
ROUTES: Final[tuple[Route, ...]] = (
    Route("POST", "/v1/complaints", complaints.submit, "submitComplaint", "Complaints", "Submit a complaint",
          "complaints:write", {201: "case", 200: "case"}, (409, 410), takes="complaint", headers=KEY,
          answer_headers=("Location", "ETag"),
          about="201 when it is new. The same `source.agency` and `source.reference` with the same content "
                "gives 200 and the same case; with other content 409 `complaint-conflict`; after an erasure "
                "410 `complaint-erased`, which is final."),
    Route("POST", "/v1/complaints/batch", batch.submit_many, "submitComplaints", "Complaints",
          "Submit many complaints", "complaints:write", {200: "batch-line"}, takes="complaint",
          media=NDJSON, gives_media=NDJSON,
          about="A complaint a line, 1 MiB a line at most, as many lines as you like. A line of answer for "
                "each in order, sent after the body's end, each durable before. Lines are counted from 1; "
                "blank ones are counted and not answered. One bad line harms no other: its `problem` says "
                "why (400, 403, 409, 410, 413, 422, 503)."),

    Route("GET", "/v1/cases", cases.list_cases, "listCases", "Cases", "List cases", "cases:read",
          {200: "case-page"}, query=(*cases.FILTERS, *PAGE),
          about="The cases that your agency takes or took part in, newest first; with `updated_since` by "
                "change, oldest first. `overdue=true`: something that the case waits for is late."),
    Route("GET", C, cases.get_case, "getCase", "Cases", "Read a case", "cases:read", {200: "case"}, (404,),
          answer_headers=("ETag",),
          about="`id` is the UUID that submitting answered or an event's `subject` names, not the tracking "
                "number and not the app's own reference; find a case by those with `GET /v1/cases?q=`. Of "
                "the reporter one sees `anonymous`, and the name only when the complaint is neither "
                "anonymous nor confidential; phone, e-mail and NIK are kept sealed and never shown here. "
                "`actions` says what you may do now."),
    Route("GET", f"{C}/history", cases.history, "getHistory", "Cases", "Read a case's events", "cases:read",
          {200: "history-page"}, (404,), query=PAGE,
          about="Oldest first, as CloudEvents, its handovers too; `officers`: who acted, if you may know."),
    Route("GET", f"{C}/evidence", evidence.evidence, "getEvidence", "Cases", "Export a case's evidence",
          "evidence:read", {200: "evidence"}, (404,), answer_headers=("Content-Disposition",),
          about="Every event of the case in its order: with the bytes that were recorded and the keys of "
                "the words that your history shows, else by its hash alone; the proof that the hub's signed "
                "checkpoint over all its cases knows them; and a signature over the whole. Keep it byte by "
                "byte, with `/.well-known/jwks.json` of the same day: `simpul verify FILE --keys JWKS_FILE` "
                "checks it without the hub. After an erasure it still verifies, without the words."),
    Route("GET", f"{C}/reporter", reporter.reporter, "getReporter", "Cases", "Read the reporter's identity",
          "reporter:read", {200: "reporter-identity"}, (404, 410), query=("purpose",), recorded=True,
          answer_headers=("Simpul-Masked",),
          about="By the case's source or its owner; of an anonymous reporter by the source alone (403 "
                "`reporter-anonymous`). Every call is an event, `reporter.read`, recorded before the "
                "identity is answered, with who read it and the purpose: the owner, the source and the "
                "reader are told, and nobody else. It changes nothing about the case but its version, and "
                "there is no HEAD and no replay. Write no personal data into `purpose`: an address is "
                "logged by much that lies between (not by the hub). 410 after an erasure. With a session "
                "it needs the header X-CSRF-Token, as a write does."),
    Route("POST", f"{C}/verification", acting("verification"), "verifyCase", "Cases", "Verify a complaint",
          "cases:verify", {200: "case"}, ACT, takes="verification", headers=KEY_AND_VERSION,
          answer_headers=("ETag", "Simpul-Masked"),
          about="The first step after submitting, and again after `incomplete`: the owner (at first the "
                "source agency) accepts, asks back or rejects; nothing can be forwarded before. 409 "
                "`case-full` when the reporter was asked back 100 times."),
    Route("POST", f"{C}/closure", acting("closure"), "closeCase", "Cases", "Close a case", "cases:close",
          {200: "case"}, ACT, takes="closure", headers=KEY_AND_VERSION,
          answer_headers=("ETag", "Simpul-Masked"),
          about="The last step, by the owner, from any status but closed: with its reason; 409 while a "
                "forwarding is open."),
    Route("POST", f"{C}/reopening", acting("reopening"), "reopenCase", "Cases", "Reopen a case",
          "cases:reopen", {200: "case"}, ACT, takes="reopening", headers=KEY_AND_VERSION,
          answer_headers=("ETag", "Simpul-Masked"),
          about="By the source (answered, not fixed yet) or the owner, when the case is answered or closed: "
                "the leading forwarding is in progress again. Limited in number and, after the closing, in "
                "time (settings of the hub)."),

    Route("POST", f"{C}/replies", acting("reply"), "replyToCase", "Cases", "Pass on the reporter's reply",
          "complaints:write", {200: "case"}, ACT, takes="reply", headers=KEY_AND_VERSION,
          answer_headers=("ETag", "Simpul-Masked"),
          about="The reporter's own words, by the case's source, until the case is closed or rejected. After "
                "`incomplete` the complaint is to be verified again; after an answer the case does not close "
                "by itself, and its owner closes or reopens it."),
    Route("POST", f"{C}/links", acting("link"), "linkCases", "Cases", "Link a case", "cases:forward",
          {200: "case"}, ACT, takes="link", headers=KEY_AND_VERSION, answer_headers=("ETag",),
          about="By the owner or an agency that handles it, with another case that the agency sees. A "
                "`duplicate` repeats the other case, which is the primary: the primary's answer is offered "
                "to the owners of its duplicates, as `complaint.answered`. The link stands in both cases. "
                "409 `case-full` where either has 1,000 links (a fifth of them is left to its owner)."),
    Route("DELETE", f"{C}/links/{{case}}", unlink, "unlinkCases", "Cases", "Undo a link", "cases:forward",
          {200: "case"}, (*ACT, 400, 408, 413), headers=KEY_AND_VERSION, answer_headers=("ETag",),
          about="From either side."),
    Route("POST", f"{C}/escalation", acting("escalation"), "escalateCase", "Cases",
          "Escalate a case to the Ombudsman", "cases:reopen", {200: "case"}, ACT, takes="escalation",
          headers=KEY_AND_VERSION, answer_headers=("ETag", "Simpul-Masked"),
          about="By the source or the owner, once the law allows it, and only with the reporter's agreement. "
                "The Ombudsman sees the case from then on; the owner goes on owning it."),

    Route("POST", f"{C}/erasure", erase, "eraseCase", "Cases", "Erase a case for good",
          "reporter:erase", {200: "case"}, ACT, takes="erasure", headers=KEY_AND_VERSION,
          answer_headers=("ETag", "Simpul-Masked"),
          about="By the source or the owner, when the reporter or the law asks for it. The case's key is "
                "destroyed: the identity, every text and the case's own attachments are gone, in the hub's "
                "tables and on its disk, and an open case is closed. Ids, codes, dates and states stay, and "
                "the history still verifies. `reason` is kept readable, with the reporter's own values "
                "masked: write no more in it than its ground. Every agency that received the case finds "
                "`reporter.erased` in its mailbox; `erasure.receipts` of the case shows who has not "
                "confirmed yet. Done twice, the answer is the same."),
    Route("POST", f"{C}/erasure/receipts", acting("erasure_receipt"), "confirmErasure", "Cases",
          "Confirm an erasure", "cases:handle", {200: "case"}, ACT, takes="erasure-receipt",
          headers=KEY_AND_VERSION, answer_headers=("ETag",), body_optional=True,
          about="By each agency that received the case, also one that has left it, once it has deleted its "
                "own copies. Done twice, the answer is the same."),

    *COORDINATION_ROUTES,
    *THREAD_ROUTES,

    Route("GET", "/v1/mailbox", mailbox.page, "readMailbox", "Mailbox", "Read the mailbox", "mailbox:read",
          {200: "mailbox-page"}, (410,), query=("after", "limit", "wait"),
          about="Waits up to `wait` seconds when nothing is there yet. Another `incarnation` than before "
                "means that the hub was restored from a backup: compare digests."),
    Route("PUT", "/v1/mailbox/cursor", mailbox.acknowledge, "acknowledgeMailbox", "Mailbox",
          "Acknowledge entries", "mailbox:read", {200: "mailbox-cursor"}, takes="mailbox-cursor",
          headers=KEY),
    Route("GET", "/v1/mailbox/digest", mailbox.digest, "digestMailbox", "Mailbox", "Compare a range",
          "mailbox:read", {200: "mailbox-digest"}, (410,), query=("from_position", "to_position"),
          about="SHA-256 over the lines `position event_id\\n` of an inclusive range."),
    Route("GET", "/v1/stream", stream.follow, "followMailbox", "Mailbox", "Follow the mailbox live",
          stream.SCOPE, {200: "event-stream"}, (406, 410), gives_media=stream.EVENT_STREAM,
          query=("stream_after",), headers=("Last-Event-ID",), answer_headers=("Simpul-Incarnation",),
          about="Server-sent events: each has the mailbox position as `id`, the event's type as `event` and "
                "the CloudEvent as `data`, as the mailbox holds it. `Last-Event-ID` resumes after a position "
                "(`after=0` begins at the mailbox's first one); without either it begins now. No position is "
                "left out or comes twice. Lines that begin with a colon keep the connection open. The stream "
                "ends when the token expires or is no longer good, when the client does not read, and when "
                "the hub stops: resume with the last `id`. Another `Simpul-Incarnation` than before means "
                "that the hub was restored from a backup: compare digests."),
    Route("GET", "/v1/submissions/digest", mailbox.submitted_digest, "digestSubmissions", "Complaints",
          "Compare what was submitted", "complaints:write", {200: "submissions-digest"},
          query=("from_time", "to_time"),
          about="SHA-256 over the lines `reference case_id\\n`, sorted by reference, of your own complaints "
                "accepted from `from` on and before `to`."),
    Route("POST", "/v1/submissions/missing", mailbox.missing, "findMissing", "Complaints",
          "Find what never arrived", "complaints:write", {200: "missing-references"},
          takes="missing-references", about="Answers those references that the hub lacks."),

    Route("GET", "/v1/webhook", webhook.get, "getWebhook", "Webhook", "Read the webhook", "webhook:write",
          {200: "webhook-view"}, (404,), about="Never with its secret."),
    Route("PUT", "/v1/webhook", webhook.put, "putWebhook", "Webhook", "Set the webhook", "webhook:write",
          {200: "webhook-view"}, takes="webhook", headers=KEY,
          about="With `secret` when it is new, this once. No test call is sent. Events come by Standard "
                "Webhooks: the body is the CloudEvent, signed in `webhook-signature`."),
    Route("DELETE", "/v1/webhook", webhook.delete, "deleteWebhook", "Webhook", "Remove the webhook",
          "webhook:write", {200: "webhook-view"}, (400, 404, 408, 413), headers=KEY),
    Route("POST", "/v1/webhook/secret", webhook.rotate_secret, "rotateWebhookSecret", "Webhook",
          "Rotate the webhook's secret", "webhook:write", {200: "webhook-view"}, (400, 404, 408, 409, 413),
          headers=KEY,
          about="With the new `secret`, this once. Both secrets sign for a while."),
    Route("GET", "/v1/deliveries", webhook.deliveries, "listDeliveries", "Webhook", "List deliveries",
          "deliveries:write", {200: "delivery-page"}, query=("state", *PAGE)),
    Route("POST", "/v1/deliveries/{id}/redelivery", webhook.redeliver, "redeliver", "Webhook",
          "Deliver again", "deliveries:write", {200: "delivery"}, (400, 404, 408, 409, 413), headers=KEY),

    Route("GET", "/v1/agencies", agencies.list_agencies, "listAgencies", "Registry", "List agencies", ANY,
          {200: "agency-page"}, query=PAGE),
    Route("POST", "/v1/agencies", agencies.register, "registerAgency", "Registry", "Register an agency",
          "agencies:write", {201: "agency"}, (409,), takes="agency-registration", headers=KEY,
          answer_headers=("Location",)),
    Route("GET", "/v1/agencies/{id}", agencies.get, "getAgency", "Registry", "Read an agency", ANY,
          {200: "agency"}, (404,)),
    Route("PATCH", "/v1/agencies/{id}", agencies.change, "changeAgency", "Registry", "Change an agency",
          "agencies:write", {200: "agency"}, (404, 409), takes="agency-change", headers=KEY,
          about="What is left out stays as it is."),
    Route("POST", "/v1/agencies/{id}/handover", agencies.hand_over, "handOver", "Registry",
          "Hand work over", "agencies:write", {200: "handover"}, (403, 404), takes="handover-request",
          headers=KEY, answer_headers=("Simpul-Masked",),
          about="All that an office has open passes to another agency at once: cases that it owns, "
                "forwardings, consultations, promises and places in threads. Deadlines and names stay. Or, "
                "with `from_officer` and `to_officer`, what names an officer of one agency; `departed` ends "
                "account and sessions. By that agency's or the hub's administrator. Not `complete`: repeat."),
    Route("GET", "/v1/categories", reference.categories, "listCategories", "Registry", "List categories", ANY,
          {200: "category-page"}, query=PAGE),
    Route("GET", "/v1/regions", reference.regions, "listRegions", "Registry", "List regions", ANY,
          {200: "region-page"}, query=("parent", *PAGE),
          about="The provinces, or with `parent` the regencies and cities of one."),

    Route("POST", "/v1/attachments", attachments.upload, "uploadAttachment", "Attachments", "Upload a file",
          "attachments:write", {201: "file"}, takes="binary", media="*/*",
          headers=("Idempotency-Key", "Repr-Digest"), answer_headers=("Location",),
          about=f"The file as the raw body with its own media type, {MOST} at most. Name it within {KEPT_H} "
                "hours in a complaint or an answer of your agency."),
    Route("GET", "/v1/attachments/{sha256}", attachments.download, "downloadAttachment", "Attachments",
          "Download a file", ANY, {200: "binary"}, (403, 404, 410), gives_media="*/*",
          about="For its uploader, and with cases:read for whoever may see a case that names it."),

    *SESSION_ROUTES,
    Route("POST", "/oauth/token", oauth.token, "getToken", "Access", "Get an access token", OPEN,
          {200: "token", 400: "oauth-error", 401: "oauth-error", 503: "oauth-error"}, takes="token-request",
          media="application/x-www-form-urlencoded",
          about="RFC 6749 client credentials: client_secret_basic, client_secret_post or private_key_jwt. "
                "Without `scope`, all of the client's."),
    Route("GET", "/.well-known/jwks.json", oauth.jwks, "getKeys", "Access", "The token keys", OPEN,
          {200: "jwks"}, (503,)),
    Route("GET", "/.well-known/oauth-authorization-server", oauth.metadata, "getMetadata", "Access",
          "The token server's metadata", OPEN, {200: "server-metadata"}),

    Route("GET", "/schemas/{name}/{version}.json", documents.schema, "getSchema", "Documents",
          "A JSON Schema", OPEN, {200: "json-schema"}, (404,), gives_media="application/schema+json"),
    Route("GET", "/openapi.json", documents.openapi, "getOpenapi", "Documents", "This document", OPEN,
          {200: "object"}),
    Route("GET", "/asyncapi.json", documents.asyncapi, "getAsyncapi", "Documents", "The events (AsyncAPI 3)",
          OPEN, {200: "object"}),
    Route("GET", "/", documents.first_page, "getFirstPage", "Documents", "Where everything is", OPEN,
          {200: "text"}, gives_media="text/html"),
    Route("GET", "/docs", documents.docs, "getDocs", "Documents", "This document, to read", OPEN,
          {200: "text"}, gives_media="text/html"),
    Route("GET", "/healthz", health.healthz, "getHealth", "Operation", "Is it alive", OPEN, {200: "health"}),
    Route("GET", "/readyz", health.readyz, "getReadiness", "Operation", "Can it commit", OPEN,
          {200: "readiness", 503: "readiness"}),
    Route("GET", "/metrics", health.metrics, "getMetrics", "Operation", "Prometheus metrics", OPEN,
          {200: "text"}, gives_media="text/plain"),
)
# fmt: on
