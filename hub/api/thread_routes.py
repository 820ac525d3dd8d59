"""The routes of coordination threads: a part of the one page (`routes.py`)."""

from __future__ import annotations

from typing import Final

from hub.api import threads
from hub.api.route import KEY, KEY_AND_VERSION, PAGE, Route

T, M, D = "/v1/threads/{id}", "/v1/messages/{id}", "/v1/commitments/{id}"
TAG, WRITE, READ = "Threads", "threads:write", "cases:read"
MASKED: Final = ("Simpul-Masked",)
CHANGED: Final = ("ETag", "Simpul-Masked")
IN: Final = (403, 404, 409)

# fmt: off
THREAD_ROUTES: Final[tuple[Route, ...]] = (
    Route("POST", "/v1/threads", threads.open_thread, "openThread", TAG, "Open a thread", WRITE,
          {201: "thread"}, (403, 409), takes="thread-request", headers=KEY,
          answer_headers=("Location", "Simpul-Masked"),
          about="A room over one or several cases. Your agency must see each of them as it stands, and "
                "takes part; those that it invites take part in one of the cases, and see all of them from "
                "then on. 409 `case-full` where 100 threads are about a case."),
    Route("GET", "/v1/threads", threads.list_threads, "listThreads", TAG, "List threads", READ,
          {200: "thread-page"}, query=("thread_case", *PAGE),
          about="Those in which your agency takes or took part, newest first."),
    Route("GET", T, threads.get_thread, "getThread", TAG, "Read a thread", READ, {200: "thread"}, (404,),
          answer_headers=("ETag",),
          about="With who takes part, who promised what, and how many messages are unread. Whoever left "
                "reads what stood then."),
    Route("GET", f"{T}/messages", threads.list_messages, "listMessages", TAG, "Read the messages", READ,
          {200: "message-page"}, (404,), query=("message_order", *PAGE),
          about="Those that your agency may read, in one order for all: oldest first, or with `order=newest` "
                "from the end."),
    Route("POST", f"{T}/messages", threads.post_message, "postMessage", TAG, "Post a message", WRITE,
          {201: "message"}, IN, takes="message-request", headers=KEY, answer_headers=MASKED,
          about="`internal`: for your own agency alone. `agencies`: for all participants. `reporter`: for "
                "them and, through the source apps, for the reporters of the thread's cases (or of `cases` "
                "among them); 409 where a source cannot carry it."),
    Route("PATCH", M, threads.change_message, "changeMessage", TAG, "Change a message", WRITE,
          {200: "message"}, IN, takes="message-change", headers=KEY, answer_headers=MASKED,
          about="Of your own agency. What it said before is kept in `earlier`."),
    Route("DELETE", M, threads.withdraw_message, "withdrawMessage", TAG, "Withdraw a message", WRITE,
          {200: "message"}, (400, *IN, 408, 413), headers=KEY,
          about="Of your own agency. That it was there stays to be seen; its words only you still read."),
    Route("POST", f"{T}/participants", threads.add_participant, "addParticipant", TAG, "Invite an agency",
          WRITE, {200: "thread"}, (*IN, 412), takes="participant-request", headers=KEY_AND_VERSION,
          answer_headers=CHANGED,
          about="One that takes part in one of the cases. `history`: whether it sees what was written "
                "before. 409 `thread-full` when it comes back for the 50th time."),
    Route("DELETE", f"{T}/participants/{{agency}}", threads.remove_participant, "removeParticipant", TAG,
          "Leave a thread", WRITE, {200: "thread"}, (400, *IN, 408, 412, 413), headers=KEY_AND_VERSION,
          answer_headers=("ETag",),
          about="Your own agency; or another, if yours opened the thread. It keeps what it saw, and sees "
                "nothing new."),
    Route("POST", f"{T}/commitments", threads.make_commitment, "makeCommitment", TAG, "Make a commitment",
          WRITE, {201: "commitment"}, IN, takes="commitment-request", headers=KEY, answer_headers=MASKED,
          about="Who does what by when: any participant, for any. It is due when that agency's office closes "
                "on the day, or on the first working day after it. 409 `thread-full` after 1,000 of them."),
    Route("PATCH", D, threads.change_commitment, "changeCommitment", TAG, "Change a commitment's date",
          WRITE, {200: "commitment"}, IN, takes="commitment-change", headers=KEY, answer_headers=MASKED,
          about="With its reason; by the agency that owes it, or the one that recorded it; at most 100 "
                "times (409 `thread-full`)."),
    Route("POST", f"{D}/fulfilment", threads.fulfil_commitment, "fulfilCommitment", TAG,
          "Fulfil a commitment", WRITE, {200: "commitment"}, IN, takes="fulfilment", headers=KEY,
          answer_headers=MASKED,
          about="By the agency that owes it, or the one that recorded it; also when it was missed."),
    Route("GET", "/v1/commitments", threads.list_commitments, "listCommitments", TAG, "Who owes what", READ,
          {200: "commitment-page"}, query=("owing_agency", "commitment_status", *PAGE),
          about="In the threads in which your agency takes part, what is due first standing first."),
    Route("POST", f"{T}/conclusion", threads.conclude, "concludeThread", TAG, "Conclude a thread", WRITE,
          {200: "thread"}, (*IN, 412), takes="conclusion", headers=KEY_AND_VERSION, answer_headers=CHANGED,
          about="What came of it. 409 while commitments are open, unless `despite_open_commitments`."),
    Route("POST", f"{T}/reopening", threads.reopen, "reopenThread", TAG, "Reopen a thread", WRITE,
          {200: "thread"}, (*IN, 412), takes="thread-reopening", headers=KEY_AND_VERSION,
          answer_headers=("ETag",), body_optional=True),
    Route("POST", f"{T}/reads", threads.mark_read, "markRead", TAG, "Mark as read", READ, {200: "thread"},
          (403, 404), takes="read-mark",
          about="Up to this message: by the officer who signed in, or by the agency's system."),
)
# fmt: on
