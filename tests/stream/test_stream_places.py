"""Whose streams they are: officers leave their agency's systems a share, one of either leaves the others
theirs."""

from __future__ import annotations

import pytest

from hub.delivery.stream_places import OF_ONE_OFFICER, StreamPlaces
from hub.errors import TooMany, Unavailable
from hub.ports.streams import Subscriber


def of(principal: str, *, is_session: bool = False, agency: str = "kab-kotim") -> Subscriber:
    return Subscriber(agency, principal, lambda: None, lambda: None, lambda: False, 0.0, is_session)


def filled(places: StreamPlaces, principal: str, **more: bool) -> int:
    """How many one can take."""
    for count in range(1000):
        try:
            places.take(of(principal, **more))
        except TooMany as refused:
            assert refused.retry_after_s == 10
            return count
    raise AssertionError("no bound")


def test_a_monitor_takes_no_more_than_a_browser_needs() -> None:
    places = StreamPlaces(2000, 200)
    assert filled(places, "pemantau", is_session=True) == OF_ONE_OFFICER
    places.take(of("aplikasi"))
    places.take(of("petugas", is_session=True))


def test_all_officers_together_leave_a_quarter_to_the_systems() -> None:
    places = StreamPlaces(2000, 200)
    taken = sum(filled(places, f"petugas-{number}", is_session=True) for number in range(40))
    assert taken == 150
    assert filled(places, "aplikasi") == 50


def test_one_system_leaves_a_tenth_to_the_others() -> None:
    places = StreamPlaces(2000, 200)
    assert filled(places, "aplikasi") == 180
    assert filled(places, "aplikasi-lain") == 20
    assert filled(places, "petugas", is_session=True) == 0


def test_what_is_given_back_can_be_taken_again() -> None:
    places = StreamPlaces(3, 2)
    places.take(of("aplikasi"))
    places.take(of("petugas", is_session=True))
    with pytest.raises(TooMany):
        places.take(of("lain"))
    places.give_back(of("petugas", is_session=True))
    places.take(of("lain"))
    places.take(of("luar", agency="bbws"))
    with pytest.raises(Unavailable):
        places.take(of("jauh", agency="orang-luar"))
    for name, agency in (("aplikasi", "kab-kotim"), ("lain", "kab-kotim"), ("luar", "bbws")):
        places.give_back(of(name, agency=agency))
    assert (places.taken, dict(places._principals), dict(places._sessions)) == (0, {}, {})
