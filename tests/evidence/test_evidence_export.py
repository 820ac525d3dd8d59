"""What an export shows to whom, on both engines: the history's events and no more, under a checkpoint."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from auth.evidence_signing import key_set
from hub.cli.verify import trust
from hub.domain.commands import Accept, Answer, Close, Consult, Link, Progress, Return, Verify, Withdraw
from hub.domain.evidence_check import verified
from hub.domain.threads.commands import AddParticipant, OpenThread
from hub.errors import Forbidden, NotFound
from hub.service.evidence_checkpoints import KEPT, _all_heads
from tests.evidence.evidencework import (
    Desks,
    EvidenceWorld,
    broken,
    headers,
    submitted_and_verified,
    texts_in,
    words,
)
from tests.service.hubworld import KOTIM, MEDAN, PLN, PUPR, STRANGER, principal

NAMES = (KOTIM, MEDAN, PLN, PUPR, STRANGER)


def several_relations(world: EvidenceWorld) -> str:
    """Owner, two handlers, one that returned its leg early, one whose leg was withdrawn, one consulted; words
    in which something was masked."""
    text = "Sudah tiga malam gelap. Hubungi 081250000431 atau marlina.tundan@surel.example."
    case_id = world.submitted("PGD-9", description=text)
    world.do(world.request(Verify(case_id, "accept")))
    consultation = Consult(case_id, world.legs.new(), STRANGER, "Apakah ini aset BPJS?")
    world.do(world.request(consultation))
    first = world.forwarding(case_id, (PLN, "lead"), note="Mohon ditindaklanjuti.")
    second = world.forwarding(case_id, (PUPR, "lead"), (MEDAN, "support"), note="Lampunya milik PUPR.")
    world.do(world.request(first))
    world.do(world.request(Return(case_id, first.to[0].leg_id, "not_ours", "Bukan aset kami."), PLN))
    world.do(world.request(second))
    world.do(world.request(Accept(case_id, second.to[0].leg_id), PUPR))
    world.do(world.request(Progress(case_id, second.to[0].leg_id, "Tim PUPR di lokasi."), PUPR))
    world.do(world.request(Withdraw(case_id, second.to[1].leg_id, "Tidak jadi dibantu.")))
    world.do(world.request(Answer(case_id, second.to[0].leg_id, "Sudah menyala."), PUPR))
    world.do(world.request(Close(case_id, "resolved", "Pelapor puas.")))
    return case_id


async def test_the_owner_gets_every_event_with_its_words(world: EvidenceWorld, hub: Desks) -> None:
    case_id = world.whole_life()
    file = await world.export(hub, KOTIM, case_id)
    found = verified(file, world.trust)
    events = world.read(lambda session: session.stream(case_id, 0, 1000))
    assert (found.events, found.shown, found.told, found.withheld) == (len(events), len(events), 0, 0)
    assert found.opened == sum(event.sealed is not None for event in events)
    assert [header["id"] for header in headers(file)] == [event.id for event in events]
    assert found.kid == world.gate.signer().kid
    assert (found.case, found.exported_for) == (case_id, KOTIM)


async def test_nobody_gets_more_than_the_history_shows(world: EvidenceWorld, hub: Desks) -> None:
    case_id = several_relations(world)
    files: dict[str, bytes] = {}
    for agency in NAMES:
        file = files[agency] = await world.export(hub, agency, case_id)
        history = await world.history(hub, agency, case_id)
        found, shown = verified(file, world.trust), set(texts_in(history))
        given = orjson.loads(file)["streams"][0]["events"]
        told = [event["told"] for event in given if "told" in event]
        proven = [header["id"] for header in headers(file)]
        assert sorted([*proven, *(each["id"] for each in told)]) == sorted(each["id"] for each in history)
        assert all(each in history for each in told)
        opened = words(file, world.trust)
        assert opened or agency in (PLN, MEDAN)
        assert set(opened) <= shown, f"{agency} opens what its history does not show"
        named = {name for name in NAMES if f'"{name}"' in _clear(file)}
        assert named - {agency} <= shown, f"{agency} reads of {named - shown}"
        assert found.withheld == len(given) - len(history)
        assert not any("081250000431" in each for each in opened)
    assert verified(files[PLN], world.trust).withheld > 0
    assert verified(files[MEDAN], world.trust).told > 0
    assert len(words(files[PLN], world.trust)) < len(words(files[KOTIM], world.trust))


def _clear(file: bytes) -> str:
    """Everything that the file says without a key."""
    return orjson.dumps([headers(file), orjson.loads(file)["streams"][0]["events"]]).decode()


async def test_what_is_withheld_says_nothing_but_its_hash(world: EvidenceWorld, hub: Desks) -> None:
    case_id = several_relations(world)
    file = await world.export(hub, PLN, case_id)
    stream = orjson.loads(file)["streams"][0]
    withheld = [event for event in stream["events"] if "withheld" in event]
    events = {event.sequence: event for event in world.read(lambda session: session.stream(case_id, 0, 99))}
    for event in withheld:
        assert set(event) == {"sequence", "chain", "withheld"}
        hidden = events[event["sequence"]]
        assert event["chain"] == hidden.chain.hex()
        assert hidden.id.encode() not in file
    assert stream["length"] == len(events)


async def test_who_left_reads_no_clock_but_its_own(world: EvidenceWorld, hub: Desks) -> None:
    case_id = several_relations(world)
    for agency in (PLN, MEDAN):
        shown = headers(await world.export(hub, agency, case_id))
        clocks = [clock for header in shown for clock in header["data"].get("clocks", [])]
        assert {clock["agency"] for clock in clocks} <= {agency}


async def test_the_owner_of_a_duplicate_is_not_told_to_others(world: EvidenceWorld, hub: Desks) -> None:
    """The answer's header names who is offered it; the history of the handler does not."""
    primary, leg = world.forwarded((PUPR, "lead"), reference="A")
    repeated = world.submitted("B", MEDAN)
    onward = world.forwarding(repeated, (KOTIM, "lead"))
    world.do(world.request(Verify(repeated, "accept"), MEDAN), world.request(onward, MEDAN))
    world.do(world.request(Accept(repeated, onward.to[0].leg_id)))
    world.do(world.request(Link(repeated, primary, "duplicate")))
    world.do(world.request(Accept(primary, leg), PUPR), world.request(Answer(primary, leg, "Beres."), PUPR))
    answered = world.read(lambda session: session.stream(primary, 0, 99))[-1].fact()
    assert answered.recipients.get(MEDAN) == "linked"
    file = await world.export(hub, PUPR, primary)
    assert verified(file, world.trust).events == answered.sequence
    shown = set(texts_in(await world.history(hub, PUPR, primary)))
    assert {name for name in NAMES if f'"{name}"' in _clear(file)} <= shown | {PUPR}


async def test_the_citizens_own_words_stay_closed(world: EvidenceWorld, hub: Desks) -> None:
    """What was masked is sealed beside the masked words, and no history shows it, not even to the source."""
    case_id = several_relations(world)
    file = await world.export(hub, KOTIM, case_id)
    assert verified(file, world.trust).closed == 1
    first = orjson.loads(file)["streams"][0]["events"][0]
    assert set(first["keys"]) == {"masked"}


async def test_who_takes_no_part_or_lacks_the_scope_gets_nothing(world: EvidenceWorld, hub: Desks) -> None:
    case_id, signer = world.submitted(), world.gate.signer()
    with pytest.raises(NotFound):
        await hub.evidence.export(principal(STRANGER), case_id, signer)
    with pytest.raises(NotFound):
        await hub.evidence.export(principal(KOTIM), world.legs.new(), signer)
    with pytest.raises(Forbidden):
        await hub.evidence.export(principal(KOTIM, frozenset({"cases:read"})), case_id, signer)


async def test_after_an_erasure_it_verifies_and_opens_nothing(world: EvidenceWorld, hub: Desks) -> None:
    case_id, other = several_relations(world), world.submitted("PGD-10")
    before = {agency: await world.export(hub, agency, case_id) for agency in (KOTIM, PLN)}
    world.erase_key(case_id)
    for agency, file in before.items():
        after = await world.export(hub, agency, case_id)
        found, was = verified(after, world.trust), verified(file, world.trust)
        assert (found.opened, found.closed, found.erased) == (0, 0, was.opened + was.closed)
        assert (found.shown, found.withheld) == (was.shown, was.withheld)
        stream = orjson.loads(after)["streams"][0]
        assert stream["erased"] is True
        assert not any("keys" in event for event in stream["events"])
        assert words(after, world.trust) == []
        assert all(each["data"].get("erased") for each in _told(stream))
    assert verified(await world.export(hub, KOTIM, other), world.trust).erased == 0


def _told(stream: dict[str, Any]) -> list[dict[str, Any]]:
    return [event["told"] for event in stream["events"] if "told" in event]


async def test_evidence_is_as_new_as_its_case_and_a_checkpoint_serves_for_a_minute(
    world: EvidenceWorld, hub: Desks
) -> None:
    case_id, other = submitted_and_verified(world, "A"), submitted_and_verified(world, "B")
    checkpoints: list[dict[str, Any]] = []

    async def exported(of: str, events: int) -> None:
        file = await world.export(hub, KOTIM, of)
        assert verified(file, world.trust).events == events
        checkpoints.append(orjson.loads(file)["checkpoint"])

    await exported(case_id, 2)
    world.do(world.request(Close(other, "archived", "Arsip.")))
    await exported(case_id, 2)
    assert checkpoints[0] == checkpoints[1]
    await exported(other, 3)
    assert checkpoints[2]["position"] == world.last_position() > checkpoints[1]["position"]
    new = world.submitted("C")
    await exported(new, 1)
    assert checkpoints[3]["streams"] == checkpoints[0]["streams"] + 1
    world.clock.turn(seconds=KEPT.total_seconds())
    await exported(case_id, 2)
    assert checkpoints[4]["made_at"] > checkpoints[3]["made_at"]
    assert checkpoints[4]["root"] == checkpoints[3]["root"]


async def test_the_tree_that_follows_the_log_is_the_one_made_anew(world: EvidenceWorld, hub: Desks) -> None:
    first = world.submitted("A")
    await world.export(hub, KOTIM, first)
    for number in range(3):
        last = world.whole_life(f"L-{number}")
    file = await world.export(hub, KOTIM, last)
    anew = world.read(_all_heads)
    said = orjson.loads(file)["checkpoint"]
    assert (said["root"], said["streams"]) == (anew.root.hex(), anew.streams)


async def test_heads_come_in_pages_each_stream_once(world: EvidenceWorld) -> None:
    for number in range(7):
        world.long_case(4 + number % 3, f"L-{number}")
    log = world.read(lambda session: session.events_after(0, 1000))
    last = {event.stream: (event.sequence, event.chain) for event in log}
    pages, after = [], ""
    while page := world.read(lambda session, after=after: session.heads(after, 5)):
        assert len(page) <= 5
        pages += page
        after = page[-1][0]
    assert [(name, (head.sequence, head.chain)) for name, head in pages] == sorted(last.items())


async def test_a_long_case(world: EvidenceWorld, hub: Desks) -> None:
    case_id = world.long_case(520)
    file = await world.export(hub, PUPR, case_id)
    assert verified(file, world.trust).shown == 520
    assert len(file) < 2_000_000


@pytest.mark.parametrize("column", ["header", "sealed", "chain"])
async def test_a_log_that_was_touched_gives_evidence_that_says_so(
    world: EvidenceWorld, hub: Desks, column: str
) -> None:
    case_id = world.long_case(6)
    (stored,) = world.read(lambda session: session.stream(case_id, 4, 1))
    changed = bytearray(getattr(stored, column))
    changed[changed.index(b"2025") if column == "header" else -3] ^= 1
    world.sql(f"UPDATE log SET {column} = ? WHERE position = ?", bytes(changed), stored.position)
    said = broken(await world.export(hub, KOTIM, case_id), world.trust)
    assert "Event 5 of stream" in said


async def test_a_log_whose_past_was_rewritten_gives_another_root(world: EvidenceWorld, hub: Desks) -> None:
    """The tree no longer finds the head that it knew: it is made anew, and the exports go on."""
    case_id, other = submitted_and_verified(world, "A"), world.submitted("B")
    before = orjson.loads(await world.export(hub, KOTIM, other))["checkpoint"]
    world.sql("UPDATE log SET chain = ? WHERE stream = ? AND sequence = 2", bytes(32), case_id)
    world.do(world.request(Close(case_id, "archived", "Arsip.")))
    file = await world.export(hub, KOTIM, case_id)
    assert orjson.loads(file)["checkpoint"]["root"] != before["root"]
    assert "does not follow" in broken(file, world.trust)


async def test_a_log_whose_end_was_cut_is_in_another_checkpoint(world: EvidenceWorld, hub: Desks) -> None:
    """Who keeps the evidence from before can show that an event is missing."""
    case_id = submitted_and_verified(world, "A")
    before = await world.export(hub, KOTIM, case_id)
    world.sql("DELETE FROM log WHERE stream = ? AND sequence = 2", case_id)
    after = await world.export(hub, KOTIM, case_id)
    assert (verified(before, world.trust).events, verified(after, world.trust).events) == (2, 1)
    then, now = (orjson.loads(file)["checkpoint"] for file in (before, after))
    assert then["position"] > now["position"]
    assert then["root"] != now["root"]


async def test_a_key_that_was_altered_keeps_its_words_closed(world: EvidenceWorld, hub: Desks) -> None:
    case_id = world.long_case(6)
    world.sql("UPDATE stream_keys SET wrapped = ? WHERE stream = ?", bytes(60), case_id)
    found = verified(await world.export(hub, KOTIM, case_id), world.trust)
    assert (found.opened, found.erased) == (0, 0)
    assert found.closed > 0


async def test_old_evidence_verifies_when_its_key_has_long_retired(world: EvidenceWorld, hub: Desks) -> None:
    case_id = world.submitted()
    file = await world.export(hub, KOTIM, case_id)
    kid = verified(file, world.trust).kid
    for _ in range(3):
        world.clock.turn(days=1)
        world.gate.rotate()
    world.gate.sync_jwks()
    assert kid not in {key["kid"] for key in world.gate.jwks()["keys"]}
    published = (world.folder / "jwks.json").read_text()
    assert orjson.loads(published) == world.gate.jwks()
    assert verified(file, world.trust).kid == kid
    assert kid in broken(file, trust(key_set(published)))
    rows = {row.kid: row for row in world.core.rows.changes_since(0).signing_keys}
    assert rows[kid].sealed_private == b"", "a retired key can sign no more"
    world.clock.turn(hours=2)
    newer = verified(await world.export(hub, KOTIM, case_id), world.trust)
    assert newer.kid != kid


async def test_a_threads_event_that_is_told_without_its_bytes_verifies(
    world: EvidenceWorld, hub: Desks
) -> None:
    """Who came later is told who came, and not who else was there: their names stand in the header."""
    case_id, first, second = world.forwarded((PUPR, "lead"), (PLN, "support"))
    for leg, agency in ((first, PUPR), (second, PLN)):
        world.do(world.request(Accept(case_id, leg), agency))
    world.do(world.request(Consult(case_id, world.legs.new(), MEDAN, "Apakah ini milik Anda?")))
    thread = world.legs.new()
    world.do(world.request(OpenThread(thread, "Tiang listrik", (case_id,), (PUPR, PLN))))
    world.do(world.request(AddParticipant(thread, (case_id,), MEDAN, "from_now")))
    file = await world.export(hub, MEDAN, case_id)
    assert verified(file, world.trust).events == sum(
        stream["length"] for stream in orjson.loads(file)["streams"]
    )
    document = orjson.loads(file)
    assert [set(event) & {"told"} for event in document["streams"][1]["events"]] == [set(), {"told"}]
