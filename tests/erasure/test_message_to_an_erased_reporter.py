"""What was meant for one case's reporter alone goes with that case, though another case keeps the thread."""

from __future__ import annotations

from typing import Any

import pytest

from hub.app_erasures import purge
from hub.domain.threads.commands import EditMessage, PostMessage, WithdrawMessage
from hub.domain.threads.sight import ThreadSight
from hub.domain.threads.views import message_view
from hub.errors import StateConflict
from hub.service.rendered import Rendering
from tests.erasure.erasurework import ErasureWorld
from tests.service.hubworld import KOTIM, PUPR, statuses

FOR_ONE = "Ibu boleh mengambil ganti rugi pagar di loket tiga."
FOR_BOTH = "Perbaikan dimulai pekan depan."


def posted(world: ErasureWorld, name: str, text: str, *cases: str) -> str:
    message_id = world.legs.new()
    world.do(world.request(PostMessage(name, message_id, text, "reporter", cases=cases)))
    return message_id


def words_of(world: ErasureWorld, message_id: str) -> Any:
    message = world.read(lambda session: session.message(message_id))
    assert message is not None
    return message.texts


def mailbox(world: ErasureWorld, agency: str, message_id: str) -> list[dict[str, Any]]:
    """The agency's events about the message, as every road renders them."""
    rendering = Rendering(world.core.sealer, "https://simpul.test")

    def look(session: Any) -> list[dict[str, Any]]:
        renderer = rendering.mailbox(session, agency)
        rows = [row for row in session.mailbox(agency, 0, 99) if row.event.fact().data.get("message")]
        return [
            renderer.event(row) for row in rows if row.event.fact().data["message"]["id"] == message_id
        ]  # fmt: skip

    return world.read(look)


def test_its_words_go_with_the_case(world: ErasureWorld) -> None:
    one, two = world.told("A"), world.told("B")
    name = world.room(one, two)
    alone, both = posted(world, name, FOR_ONE, one), posted(world, name, FOR_BOTH, one, two)
    world.erase(one)
    assert words_of(world, alone) is None
    assert words_of(world, both).versions == [FOR_BOTH]
    thread = world.read(lambda session: session.thread(name))
    message = world.read(lambda session: session.message(alone))
    assert not thread.state.erased
    view = message_view(message, thread.state, KOTIM)
    assert (view["text"], view["erased"]) == (None, True)
    purge(world.core)
    assert world.found((FOR_ONE,)) == set()
    assert world.difference() is None
    world.erase(two)
    assert words_of(world, both) is None
    assert world.difference() is None


@pytest.mark.parametrize("agency", [KOTIM, PUPR])
def test_no_mailbox_shows_it(world: ErasureWorld, agency: str) -> None:
    one, two = world.told("A"), world.told("B")
    name = world.room(one, two)
    alone, both = posted(world, name, FOR_ONE, one), posted(world, name, FOR_BOTH)
    assert [event["data"]["message"]["text"] for event in mailbox(world, agency, alone)] == [FOR_ONE]
    world.erase(one)
    (event,) = mailbox(world, agency, alone)
    assert event["data"]["erased"] is True
    assert event["data"]["message"]["text"] is None
    assert [event["data"]["message"]["text"] for event in mailbox(world, agency, both)] == [FOR_BOTH]


def test_no_evidence_opens_it(world: ErasureWorld) -> None:
    one, two = world.told("A"), world.told("B")
    name = world.room(one, two)
    alone, both = posted(world, name, FOR_ONE, one), posted(world, name, FOR_BOTH)
    world.erase(one)

    def shown(session: Any) -> set[str]:
        sight = ThreadSight(PUPR, session.thread(name).state, session.all_messages(name))
        facts = [event.fact() for event in session.stream(f"thread/{name}", 0, 99)]
        return {fact.data["message"]["id"] for fact in facts if "message" in fact.data and sight.shows(fact)}

    seen = world.read(shown)
    assert both in seen
    assert alone not in seen


def test_nothing_more_is_written_to_it(world: ErasureWorld) -> None:
    one, two = world.told("A"), world.told("B")
    name = world.room(one, two)
    alone = posted(world, name, FOR_ONE, one)
    world.erase(one)
    edit = EditMessage(name, alone, "Kata lain.")
    post = PostMessage(name, world.legs.new(), "Halo Ibu.", "reporter", cases=(one,))
    for command in (edit, post):
        (refused,) = world.run(world.request(command))
        assert isinstance(refused, StateConflict), command
    world.do(world.request(WithdrawMessage(name, alone)))
    assert words_of(world, alone) is None
    assert world.difference() is None


def test_within_one_batch(world: ErasureWorld) -> None:
    from hub.domain.commands import Erase

    one, two = world.told("A"), world.told("B")
    name, message_id = world.room(one, two), world.legs.new()
    results = world.run(
        world.request(PostMessage(name, message_id, FOR_ONE, "reporter", cases=(one,))),
        world.request(Erase(one, "Permintaan pelapor.")),
        world.request(EditMessage(name, message_id, "Kata lain.")),
    )
    assert statuses(results)[:2] == [201, 200]
    assert words_of(world, message_id) is None
    assert all(event["data"]["message"]["text"] is None for event in mailbox(world, PUPR, message_id))
    assert world.difference() is None
