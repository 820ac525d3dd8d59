"""One way to read a region code, wherever it comes in: complaint, registry by API and by command, filter."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pytest
from click.testing import CliRunner
from hypothesis import given

from hub.cli.main import main as simpul
from schemas.regions import Regions
from tests.api.conftest import PUBLIC, Caller, House, complaint

REGIONS = Regions.load()
TAKEN = ["62", "62.02", "6202", "62.02.01", "620201", "62.02.01.1001", "6202011001", "91.02", "9102"]
"""Province, regency, district and village, with dots and without; 91.02 moved to another province in 2022."""
REFUSED = ["6", "62.2", "620", "62.0", "99", "99.01", "62.99", "62.0201", "6202.01", "62.02.1", "62-02",
           " 62.02", "62.02.", "62.02\n", "٦٢٠٢", "Kotawaringin Timur", "0"]  # fmt: skip


async def registered(admin: Caller, number: int, code: str) -> int:
    body = {"id": f"pemkab-{number}", "name": "Pemerintah Kabupaten", "kind": "regency", "region": code}
    return (await admin.post("/v1/agencies", body)).status


@pytest.mark.parametrize("code", [*TAKEN, *REFUSED])
async def test_every_door_reads_a_code_alike(house: House, app: Caller, code: str) -> None:
    taken = code in TAKEN
    reply = await app.post("/v1/complaints", complaint(location={"region": code}))
    assert reply.status == (201 if taken else 422)
    assert taken or reply.pointers == ["/location/region"]
    admin = await house.caller("hub", frozenset({"agencies:write"}))
    assert await registered(admin, 1, code) == (201 if taken else 422)
    reply = await admin.send("PATCH", "/v1/agencies/dinas-pupr-kotim", {"region": code})
    assert reply.status == (200 if taken else 422)
    reply = await app.get("/v1/cases", params={"region": code})
    assert reply.status == (200 if taken else 422)
    assert len(reply.json.get("items", [])) == int(taken)


def test_the_command_reads_it_like_the_routes(folder: Path) -> None:
    taken, settings = [], {"SIMPUL_DATA_DIR": str(folder), "SIMPUL_PUBLIC_URL": PUBLIC}
    for number, code in enumerate([*TAKEN, *REFUSED]):
        command = ["agency", "add", f"pemkab-{number}", "--name", "Pemkab", "--kind", "regency"]
        done = CliRunner().invoke(simpul, [*command, "--region", code], env=settings)
        assert done.exit_code in (0, 1), done.output
        taken += [code] if done.exit_code == 0 else []
    assert taken == TAKEN


async def test_dots_do_not_matter_to_the_filter(app: Caller) -> None:
    made = {code: (await app.submit(location={"region": code}))["id"] for code in TAKEN}
    kotim = {made[code] for code in TAKEN if code.replace(".", "").startswith("6202")}
    for dotted, bare in (("62.02", "6202"), ("62.02.01", "620201"), ("62.02.01.1001", "6202011001")):
        found = [
            {case["id"] for case in (await app.get("/v1/cases", params={"region": code})).json["items"]}
            for code in (dotted, bare)
        ]
        assert found[0] == found[1]
        assert found[0] <= kotim
    assert (await app.get("/v1/cases?region=6202")).json["items"] != []


@given(st.one_of(st.from_regex(r"[0-9.]{0,14}", fullmatch=True), st.sampled_from(TAKEN + REFUSED), st.text()))
def test_knowing_a_code_is_finding_it(code: str) -> None:
    """Intake asks `knows`, everybody else `get`."""
    assert REGIONS.knows(code) == (REGIONS.get(code) is not None)
