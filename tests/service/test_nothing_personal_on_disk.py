"""No byte of a reporter's identity, nor of a NIK that was written in a text, lies readable in the data folder
(issue's show 8); and what others read is masked."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hub.domain.commands import Answer, Progress, Verify
from hub.errors import Invalid
from hub.ports.files import FileRow
from hub.vault.attachments import AttachmentStore
from tests.service.hubworld import KOTIM, PUPR, STRANGER, HubWorld, principal, statuses

PEOPLE = [
    {"name": "Marlina Tundan", "phone": "081250000431", "email": "marlina.tundan@surel.example",
     "national_id": "6202014107890001", "anonymous": False},
    {"name": "Yohanes Buntaran Kiwok", "phone": "+62 813-5555-0199", "email": "y.kiwok@pos.example",
     "national_id": "6202020203850007", "anonymous": True},
]  # fmt: skip
OTHERS_NIK = "6271034509920003"
PHOTO = b"\x89PNG\r\n\x1a\n" + b"rahasia sekali: Marlina Tundan 6202014107890001 " * 50


def secrets_of(person: dict[str, Any]) -> list[str]:
    digits = "".join(c for c in person["phone"] if c.isdigit())
    return [person["name"], person["email"], person["national_id"], person["phone"], digits, digits[-9:]]


WORDS = [word for person in PEOPLE for word in secrets_of(person)] + [OTHERS_NIK, "rahasia sekali"]


def encodings(word: str) -> list[bytes]:
    found = [word.encode(), word.upper().encode(), word.encode("utf-16-le"), word.encode("utf-16-be")]
    return [*found, word.encode().hex().encode(), json.dumps(word).strip('"').encode()]


def readable(folder: Path) -> list[tuple[str, str]]:
    """(file, word) wherever a word lies open in any file under the folder."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert any(file.name.endswith("-wal") for file in files), "the write-ahead log is there to be searched"
    return [
        (file.name, word)
        for file in files
        for data in [file.read_bytes()]
        for word in WORDS
        if any(form in data for form in encodings(word))
    ]


def live(world: HubWorld) -> list[str]:
    """Complaints whose texts repeat all that must not be repeated, and officers who repeat it again."""
    cases = []
    for number, person in enumerate(PEOPLE):
        text = (
            f"Saya {person['name']}, NIK {person['national_id']}, hp {person['phone']}, {person['email']}. "
        )
        text += f"Tetangga saya ber-NIK {OTHERS_NIK}."
        case_id = world.submitted(
            f"P-{number}", reporter=person, title=f"Laporan {person['name']} {person['national_id']}",
            description=text,
            location={"region": "62.02", "address": f"Rumah {person['name']}, {person['phone']}"},
            tags=[OTHERS_NIK], extensions={KOTIM: {"catatan": text}},
            external_ids=[{"system": "lama", "id": person["national_id"]}],
        )  # fmt: skip
        cases.append(case_id)
        world.do(
            world.request(Verify(case_id, "incomplete", world_mask(world, case_id, text)), key=f"k{number}")
        )
        world.do(world.request(Verify(case_id, "accept")))
        sent = world.forwarding(case_id, (PUPR, "lead"), note=world_mask(world, case_id, text))
        world.do(world.request(sent))
        from hub.domain.commands import Accept

        leg = sent.to[0].leg_id
        world.do(world.request(Accept(case_id, leg), PUPR))
        world.do(world.request(Progress(case_id, leg, world_mask(world, case_id, text)), PUPR))
        world.do(world.request(Answer(case_id, leg, world_mask(world, case_id, text)), PUPR))
        assert world_reading(world, case_id, text) == person
    return cases


def world_reading(world: HubWorld, case_id: str, purpose: str) -> dict[str, Any]:
    """The identity as its source reads it, and says for what in words that must not be kept."""

    async def read() -> dict[str, Any]:
        async with world.serving() as hub:
            found = await hub.reporters.read(principal(KOTIM), case_id, purpose)
            assert set(found.masked) == {"nik", "reporter"}
            return found.reporter

    return asyncio.run(read())


def world_mask(world: HubWorld, case_id: str, text: str) -> str:
    """What the API does with an officer's words before they become a command."""

    async def masked() -> str:
        async with world.serving() as hub:
            masked = await hub.mask_text(principal(KOTIM), "forward", [text], case_id=case_id)
            assert set(masked.kinds) == {"nik", "reporter"}
            return masked.texts[0]

    return asyncio.run(masked())


def test_nothing_personal_is_readable_in_any_file(world: HubWorld) -> None:
    folder = world.core.settings.data_dir
    store = AttachmentStore(folder / "attachments", world.core.sealer)
    with store.begin(1 << 20) as upload:
        upload.write(PHOTO)
        stored = upload.finish()
    wrapped = world.core.sealer.wrap_file_key(f"uploader:{KOTIM}", stored.sha256, stored.file_key)
    from hub.store.files import FileTables

    FileTables(world.core.store).put(
        FileRow(
            stored.sha256,
            KOTIM,
            "image/png",
            stored.size,
            wrapped,
            stored.location,
            "2025-03-14T02:00:00.000Z",
        )
    )
    live(world)
    attached = [
        {
            "sha256": stored.sha256,
            "media_type": "image/png",
            "name": "Marlina Tundan.png",
            "size": stored.size,
        }
    ]
    world.submitted("FILE", attachments=attached)
    assert readable(folder) == []
    with world.core.store.connection() as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    assert readable(folder) == []
    assert world.difference() is None
    assert readable(folder) == [], "a rebuild writes nothing open either"


async def test_no_reader_sees_what_must_not_be_seen(world: HubWorld) -> None:
    cases = await asyncio.to_thread(live, world)
    async with world.serving() as hub:
        for number, case_id in enumerate(cases):
            for agency in (KOTIM, PUPR):
                reader = principal(agency)
                seen = json.dumps(await hub.reading.case(reader, case_id), ensure_ascii=False)
                history, _, _ = await hub.reading.history(reader, case_id, 0, 99)
                page = await hub.mailboxes.page(agency, 0, 200)
                shown = json.dumps([history, page], ensure_ascii=False)
                assert [word for word in WORDS if word in shown] == []
                named = number == 0
                assert [w for w in WORDS if w in seen] == (["Marlina Tundan"] if named else [])
                assert seen.count("Marlina Tundan") == named, "the name stands in `reporter` alone"


def test_what_is_stored_for_searching_is_the_masked_text(world: HubWorld) -> None:
    (case_id, _) = live(world)
    texts = world.read(lambda s: s.case(case_id)).texts
    assert OTHERS_NIK not in str(texts)
    from hub.ports.store import CaseFilter

    found = world.read(lambda s: s.cases(KOTIM, CaseFilter(q=OTHERS_NIK), None, 9))
    assert found == []


@pytest.mark.parametrize("flag", ["anonymous", "confidential"])
async def test_a_flag_hides_the_name(world: HubWorld, flag: str) -> None:
    changes: dict[str, Any] = {"confidential": True} if flag == "confidential" else {}
    person = PEOPLE[0] | ({"anonymous": True} if flag == "anonymous" else {})
    case_id = world.submitted("P", reporter=person, **changes)
    async with world.serving() as hub:
        view = await hub.reading.case(principal(KOTIM), case_id)
        assert view["complaint"]["reporter"] == {"anonymous": flag == "anonymous"}


@pytest.mark.parametrize("reference", ["ref-{national_id}", "hp {phone}", "{email}", "{name} 2", OTHERS_NIK])
def test_a_reference_that_tells_who_reported_is_refused(world: HubWorld, reference: str) -> None:
    """It is an identifier: it lies open in tables, events and mailboxes, and cannot be masked."""
    with pytest.raises(Invalid) as refused:
        world.submission(reference.format(**PEOPLE[0]), reporter=PEOPLE[0])
    assert [pointer for pointer, _ in refused.value.flaws] == ["/source/reference"]


def test_an_encoded_name_in_the_source_url_and_in_members_names_is_masked(world: HubWorld) -> None:
    person = PEOPLE[0]
    source = {"agency": KOTIM, "reference": "U-1", "url": "https://lapor.example/p?nama=Marlina%20Tundan"}
    case_id = world.submitted("U-1", reporter=person, source=source, extensions={KOTIM: {person["name"]: 1}})
    complaint = world.read(lambda s: s.case(case_id)).texts
    assert "Marlina" not in str(complaint)
    assert "[pelapor disamarkan]" in str(complaint)


def test_keys_of_another_hub_open_nothing(world: HubWorld, world_factory: Any) -> None:
    """The master key is all that lies between the data folder and its content."""
    case_id = world.submitted()
    assert statuses(world.run(world.request(Verify(case_id, "accept"), STRANGER))) == [404]
    key = world.core.settings.key_path
    assert key.stat().st_mode & 0o077 == 0
