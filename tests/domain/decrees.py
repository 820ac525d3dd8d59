"""The days off of 2024 to 2027 as the ministers' joint decrees (SKB 3 Menteri) list them. The arithmetic is
held against deadlines counted by hand on these pages, and so is the library.

2024: 855/2023, 3/2023, 4/2023, and the two election days (Keppres 10/2024 and 33/2024). 2025: 1017/2024,
2/2024, 2/2024, changed by 933/2025, 1/2025, 3/2025, which added 18 August. 2026: 1497/2025, 2/2025, 5/2025.
2027: 1205/2026, 3/2026, 2/2026; Idul Fitri and Idul Adha await the minister of religion (sidang isbat)."""

from __future__ import annotations

from hub.domain.working_time import Calendar, DayOff

PUBLIC = {
    2024: "01-01 02-08 02-10 02-14 03-11 03-29 03-31 04-10 04-11 05-01 05-09 05-23 06-01 06-17 07-07 08-17 "
    "09-16 11-27 12-25",
    2025: "01-01 01-27 01-29 03-29 03-31 04-01 04-18 04-20 05-01 05-12 05-29 06-01 06-06 06-27 08-17 09-05 "
    "12-25",
    2026: "01-01 01-16 02-17 03-19 03-21 03-22 04-03 04-05 05-01 05-14 05-27 05-31 06-01 06-16 08-17 08-25 "
    "12-25",
    2027: "01-01 01-05 02-06 03-08 03-10 03-11 03-26 03-28 05-01 05-06 05-17 05-20 06-01 06-06 08-15 08-17 "
    "12-25 12-26",
}
JOINT_LEAVE = {
    2024: "02-09 03-12 04-08 04-09 04-12 04-15 05-10 05-24 06-18 12-26",
    2025: "01-28 03-28 04-02 04-03 04-04 04-07 05-13 05-30 06-09 08-18 12-26",
    2026: "02-16 03-18 03-20 03-23 03-24 05-15 05-28 12-24",
    2027: "02-05 03-09 03-12 03-15 03-25 05-18 05-19 12-24",
}
ADDED_LATE = "2025-08-18"


def dates(table: dict[int, str]) -> list[str]:
    return [f"{year}-{day}" for year, days in table.items() for day in days.split()]


def calendar(zone: str = "Asia/Jakarta") -> Calendar:
    days = {day: DayOff("Hari besar", "public") for day in dates(PUBLIC)}
    days |= {day: DayOff("Hari besar", "government") for day in dates(JOINT_LEAVE)}
    return Calendar(days, "2027-12-31", zone)
