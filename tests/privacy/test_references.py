"""References are stored in the clear, so one that tells who reported is refused."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.privacy import reference_flaws, references

REPORTER = {
    "name": "Zulkarnaen Wirabuana",
    "phone": "+62 812-9999-0001",
    "email": "zul@contoh.id",
    "national_id": "6202011505800001",
    "anonymous": False,
}


def document(reference: str, reporter: dict[str, Any] = REPORTER) -> dict[str, Any]:
    return {"source": {"agency": "pemkab-kotim", "reference": reference}, "reporter": reporter}


@pytest.mark.parametrize(
    "reference",
    [
        "ref-6202011505800001",
        "6202-0115-0580-0001",
        "3273015203800004",
        "327301-120380-0004",
        "32.73.01.120380.0004/2",
        "３２７３０１１２０３８００００４",
        "081299990001",
        "tiket_0812 9999 0001",
        "ZUL@contoh.id",
        "lapor-zulkarnaen-wirabuana-2",
        "wirabuana_zulkarnaen",
        "Zulkarnaén Wirabuana",
    ],
)
def test_a_reference_that_names_the_reporter_is_refused(reference: str) -> None:
    ((pointer, detail),) = reference_flaws(document(reference))
    assert pointer == "/source/reference"
    assert detail == (
        "The reference holds a national ID number (NIK) or another value of the reporter; "
        "use the app's own number, such as the row's id."
    )


@pytest.mark.parametrize(
    "reference",
    [
        *("1", "P-77", "LAPOR-2025-000123", "8812345", "zulkarnaen-1"),
        *("1234567890123456", "2025031200000012", "1763779200000000", "6202003299000001", "9999999999999999"),
        *("62020115058000011", "bench-0123456789-00000000000000000042", "6202-2025-0312-0007"),
        "01890a5d-ac96-774b-bcce-b302099a8057",
    ],
)
def test_an_apps_own_number_passes(reference: str) -> None:
    assert reference_flaws(document(reference)) == []


def test_a_reporter_without_values_passes() -> None:
    assert reference_flaws(document("P-77", {"anonymous": True})) == []


@pytest.mark.parametrize("reference", ["P-77", "LAPOR-2025-000123", "0123456789abcde-00000000000000000042"])
def test_an_apps_own_number_costs_the_cheap_look_alone(
    monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    """The search for the reporter's own values takes a hundred times as long; every complaint comes by."""
    searched: list[str] = []
    monkeypatch.setattr(references, "own_spans", lambda text, values: searched.append(text))
    assert reference_flaws(document(reference)) == []
    assert searched == []
    reference_flaws(document("zulkarnaen-1"))
    assert searched == ["zulkarnaen-1"]
