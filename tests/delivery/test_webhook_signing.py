"""Our signatures are those of the library that receivers verify with, byte by byte."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from hub.delivery.answers import retry_after_s
from hub.delivery.signing import Secrets, Signer, new_secret

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
secrets = st.binary(min_size=1, max_size=100).map(lambda key: "whsec_" + base64.b64encode(key).decode())
bodies = st.text(max_size=300).map(lambda text: (text * 30).encode())


@given(
    secret=secrets,
    event_id=st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=40),
    body=bodies,
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
)
@example(secret=new_secret(), event_id="e", body=b"x" * 2047, moment=NOW)
@example(secret=new_secret(), event_id="e", body=b"x" * 4096, moment=NOW)
@example(secret="whsec_" + base64.b64encode(b"k" * 64).decode(), event_id="e", body=b"", moment=NOW)
def test_signatures_equal_the_librarys(secret: str, event_id: str, body: bytes, moment: datetime) -> None:
    headers = Signer(Secrets(secret)).headers(event_id, body, moment)
    assert headers == {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, moment, body.decode()),
    }


def test_both_secrets_sign_while_they_overlap() -> None:
    old = Secrets(new_secret())
    both = old.rotated(NOW, 60.0)
    library = [Webhook(secret).sign("e", NOW, "{}") for secret in (both.current, old.current)]
    signer = Signer(both)
    assert signer.headers("e", b"{}", NOW)["webhook-signature"] == " ".join(library)
    later = NOW + timedelta(seconds=60)
    assert " " not in signer.headers("e", b"{}", later)["webhook-signature"]


@given(
    st.text(max_size=80)
    | st.from_regex(r"\A[A-Z][a-z]{2}, \d{1,9} [A-Z][a-z]{2} \d{1,9} [\d:]{1,20}.{0,9}\Z")
)
@example("Wed, 21 Oct 2026 07:28:00 +99999999999999999999")
def test_any_retry_after_is_a_time_or_nothing(header: str) -> None:
    waited = retry_after_s(header, NOW, 3600.0)
    assert waited is None or 0.0 <= waited <= 3600.0
