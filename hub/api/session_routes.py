"""The routes of officers' sessions: a part of the one page (`routes.py`)."""

from __future__ import annotations

from typing import Final

from hub.api import session
from hub.api.route import ANY, OPEN, Route

TAG: Final = "Access"

# fmt: off
SESSION_ROUTES: Final[tuple[Route, ...]] = (
    Route("POST", "/v1/session", session.sign_in, "signIn", TAG, "Sign in as an officer", OPEN,
          {200: "session"}, (400, 401, 403, 408, 413, 415, 422, 429, 503), takes="session-request",
          answer_headers=("Set-Cookie",),
          about="Sets the session's cookie (HttpOnly, SameSite=Lax, Secure by https), which stands for the "
                "officer on all routes in place of a token. With it, every write needs the header "
                "`X-CSRF-Token` with the `csrf_token` of this answer, and must come from the hub's own pages "
                "(`Sec-Fetch-Site`, `Origin`), else 403. A one-time password is taken only together with "
                "`new_password` (else 403 `new-password-needed`), an account with a second factor with "
                "`totp` (else 401 `totp-needed`). Every other refusal is the same 401, whether the address "
                "is known or not. Wrong attempts at an account make their address wait for 30 s to an hour, "
                "and many from many addresses make every strange browser wait for up to 5 minutes; one in "
                "which somebody signed in before (the cookie `simpul_device`) and a one-time password do "
                "not wait."),
    Route("GET", "/v1/session", session.who, "getSession", TAG, "Who is signed in", ANY,
          {200: "session"}, (404,)),
    Route("DELETE", "/v1/session", session.sign_out, "signOut", TAG, "Sign out", ANY,
          {200: "session"}, (400, 403, 404, 408, 413), headers=(), answer_headers=("Set-Cookie",)),
    Route("POST", "/v1/session/password", session.change_password, "changePassword", TAG,
          "Change the password", ANY, {200: "session"}, (403, 404), takes="password-change",
          answer_headers=("Set-Cookie",),
          about="Ends every session of the officer and begins a new one. A wrong `password` is 401, as in "
                "signing in."),
    Route("POST", "/v1/session/totp", session.propose_totp, "proposeSecondFactor", TAG,
          "Begin a second factor, or another one", ANY, {200: "totp-secret"}, (403, 404, 409),
          takes="totp-proposal",
          about="The secret for an authenticator app (RFC 6238), this once. It counts once it is confirmed; "
                "one that is there already counts until then, and `totp` must be a code of it (else 401 "
                "`totp-needed`). A wrong `password` is 401, as in signing in."),
    Route("POST", "/v1/session/totp/confirmation", session.confirm_totp, "confirmSecondFactor", TAG,
          "Confirm the second factor", ANY, {200: "session"}, (403, 404, 409), takes="totp-confirmation",
          about="With the code that the app shows. From then on signing in needs one."),
    Route("POST", "/v1/session/totp/removal", session.remove_totp, "removeSecondFactor", TAG,
          "Remove the second factor", ANY, {200: "session"}, (403, 404, 409), takes="totp-removal",
          about="With the password and a code of it. Whoever has no code any more asks for a reset of the "
                "account, which removes it too."),
)
# fmt: on
