"""The fast validator and the reference give the same verdict on whatever becomes of the examples."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.registry import MOST_FLAWS, Registry
from tests.schemas.reference import reference_pointers

REGISTRY = Registry.load()
FILES = sorted((Path(__file__).parents[2] / "schemas").glob("*/examples/*.json"))
EXAMPLES = [
    (file.parts[-3], document["document"] if file.name.startswith("invalid") else document)
    for file in FILES
    for document in [orjson.loads(file.read_bytes())]
]

# What real systems send in a field, and what tempts two implementations to differ.
ODD_TEXTS = [
    *[
        "",
        " ",
        "\n",
        "\r",
        "\r\n",
        "a\n",
        "a\x00",
        "\x7f",
        "\x85",
        "\u2028",
        "é",
        "\U0001f6a7",
        "0",
        "1",
        "null",
    ],
    *["62", "62.02", "6202", "62.02.01", "620201", "62.02.01.1001", "6202011001", "62.2", "62.02\n", "٦٢"],
    *[
        "2025-03-14",
        "2025-02-29",
        "2024-02-29",
        "0000-00-00",
        "1899-12-31",
        "2025-3-4",
        "2025-03-14\n",
        "20250314",
    ],
    *[
        "2025-03-14T09:26:53+07:00",
        "2025-03-14T09:26:53Z",
        "2025-03-14T09:26:53",
        "2025-03-14 09:26:53+07:00",
    ],
    *[
        "2025-03-14T24:00:00Z",
        "2025-03-14T23:59:60Z",
        "2025-03-14T09:26:53.1234567891Z",
        "2025-03-14t09:26:53z",
    ],
    *[
        "2025-03-14T09:26:53+24:00",
        "2025-03-14T09:26:53-00:00",
        "2025-03-14T09:26:53+0700",
        "2025-W11-5T00:00:00Z",
    ],
    *[
        "0197d2a4-6f3e-7c21-9b0a-3f5f0c6f8a11",
        "0197d2a46f3e7c219b0a3f5f0c6f8a11",
        "0197D2A4-6F3E-7C21-9B0A-3F5F0C6F8A11",
    ],
    *[
        "https://contoh.id",
        "https://",
        "http://a b",
        "HTTPS://CONTOH.ID",
        "//contoh.id",
        "https://contoh.id:99999/%zz",
    ],
    *[
        "https://[::1]/",
        "https://contoh.id/ä",
        "ftp://contoh.id",
        "mailto:a@contoh.id",
        "javascript:alert(1)",
    ],
    *[
        "a@contoh.id",
        "a@b",
        "a b@contoh.id",
        '"a"@contoh.id',
        "a@contoh.id\n",
        "A <a@contoh.id>",
        "a@[127.0.0.1]",
    ],
    *[
        "complaint.submitted",
        "id.simpul.complaint.submitted.v1",
        "*",
        "a" * 65,
        "a" * 129,
        "a" * 201,
        "a" * 64,
        "-a",
    ],
]
DATES = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.dates().map(str),
    st.from_regex(
        r"(19|20)[0-9]{2}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9][+-][0-2][0-9]:[0-6][0-9]"
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -1, 1.0, 1.5, -0.0, 2**53, 2**63, 2**64, 1e300, 180.0000001, -90, 10**30]),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(ODD_TEXTS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    DATES,
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
NAMES = st.sampled_from(
    ["surprise", "erased", "withheld", "reporter", "a/b", "~", "", "\n", "dinas-pupr", "dinas-pupr\n"]
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path] + [place for key, member in members for place in places(member, (*path, key))]


PIECES = [*"\n\r\x00 \x85.:-+/[]@%#?aZ0٣é", "\r\n", "%4", "%zz"]


@st.composite
def tweaked(draw: st.DrawFn, text: str) -> str:
    """`text` with one piece put in or taken out: nearly right is where two implementations differ."""
    at = draw(st.sampled_from([0, len(text), draw(st.integers(0, len(text)))]))
    if draw(st.booleans()):
        return text[:at] + draw(st.sampled_from(PIECES)) + text[at:]
    return text[:at] + text[at + 1 :]


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, Any]:
    name, example = draw(st.sampled_from(EXAMPLES))
    holder = [copy.deepcopy(example)]
    for _ in range(draw(st.integers(1, 3))):
        *up, last = draw(st.sampled_from(places(holder)[1:] or [(0,)]))
        node: Any = holder
        for part in up:
            node = node[part]
        act = draw(st.sampled_from(["replace", "tweak", "tweak", "drop", "add", "repeat"]))
        if act == "drop" and up:
            del node[last]
        elif act == "add" and isinstance(node[last], dict):
            node[last][draw(NAMES)] = draw(JUNK)
        elif act == "repeat" and isinstance(node[last], list):
            node[last] *= draw(st.integers(0, 60))
        elif act == "tweak" and isinstance(node[last], str):
            node[last] = draw(tweaked(node[last]))
        else:
            node[last] = draw(JUNK)
    return name, holder[0]


def searched(pointer: str) -> bool:
    """Entries far beyond a list's limit are not searched (see bounds.trimmed); the list itself is refused."""
    return not any(part.isdecimal() and int(part) > 50 for part in pointer.split("/"))


@settings(max_examples=800, deadline=None)
@given(spoilt())
def test_both_validators_report_the_same_places(case: tuple[str, Any]) -> None:
    name, document = case
    found = {flaw.pointer for flaw in REGISTRY.validate(name, document) if searched(flaw.pointer)}
    expected = set(reference_pointers(name, document))
    if len(expected) < MOST_FLAWS:
        assert found == {pointer for pointer in expected if searched(pointer)}
    else:
        assert found <= expected and found


@settings(max_examples=150, deadline=None)
@given(spoilt())
def test_the_original_is_left_as_it_was(case: tuple[str, Any]) -> None:
    name, document = case
    before = copy.deepcopy(document)
    REGISTRY.validate(name, document)
    assert document == before


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([name for name, _ in REGISTRY.names()]), JUNK)
def test_anything_at_all_gets_a_verdict(name: str, document: Any) -> None:
    assert bool(REGISTRY.validate(name, document)) == bool(reference_pointers(name, document))
