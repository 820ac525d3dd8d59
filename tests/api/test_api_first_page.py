"""What a stranger sees first: `/`, and the order of steps at the top of /docs."""

from __future__ import annotations

import re

from hub.api.docs_page import STEPS
from hub.api.routes import ROUTES
from tests.api.conftest import House

STEPS_OF = ("Complaints", "Cases", "Consultations", "Forwardings")
BESIDE = {"submitComplaints", "findMissing"}
"""Other ways of submitting, and a comparison: no step of a case."""


async def test_the_root_leads_to_the_documentation(house: House) -> None:
    reply = await house.nobody.get("/")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    named = re.findall(r'href="([^"]+)"', reply.text)
    assert "docs" in named
    for address in named:
        assert (await house.nobody.get(f"/{address}")).status == 200, address
    assert (await house.nobody.post("/")).status in (404, 405)


async def test_the_page_says_once_what_this_is(house: House) -> None:
    told = re.findall(r"<p[^>]*>(.*?)</p>", (await house.nobody.get("/docs")).text, re.DOTALL)
    about = [each for each in told if "complaints between" in each]
    assert about == told[:1], "the first paragraph"


def test_the_order_of_steps_names_every_act_and_none_that_is_not_there() -> None:
    acts = {f"{route.method} {route.path}" for route in ROUTES}
    named = set(re.findall(r"`([A-Z]+ /v1/[^`]+)`", STEPS))
    assert named <= acts
    steps = {
        f"POST {route.path}"
        for route in ROUTES
        if route.method == "POST" and route.tag in STEPS_OF and route.name not in BESIDE
    }
    assert steps <= named
