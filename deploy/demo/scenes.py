"""What is worth a sentence of its own the first time that it happens in a run: told to an official, in Bahasa
Indonesia, beside the steps of the complaints. Pure; no I/O here."""

from __future__ import annotations

from typing import Any

from deploy.demo.api import Event, short_type
from deploy.demo.drill import DRILL
from deploy.demo.journeys import Journey, name_of

VERDICTS = {
    "ours": "ya, kewenangan kami",
    "partly": "sebagian kewenangan kami",
    "not_ours": "bukan kewenangan kami",
}
Scene = tuple[str, str]
"""(which one, its sentence)."""


def scene_of(event: Event, journey: Journey) -> Scene | None:
    """None for an ordinary step. `journey` has taken the event already."""
    data = event["data"]
    told = {
        "consultation.answered": _consulted,
        "forwarding.sent": _redirected,
        "complaint.answered": _answered,
        "deadline.missed": _missed,
        "complaint.escalated": _escalated,
        "complaint.reopened": _reopened,
        "complaint.closed": _closed,
    }.get(short_type(event))
    return told(data, journey) if told else None


def message_scene(app: str, number: int, agency: str) -> Scene:
    """A message to the reporter stands in the app's own table; it began in a room between agencies."""
    return (
        "pesan",
        f"Ruang koordinasi: Kotim dan {agency} membicarakan {app} #{number} di sana; pesan untuk pelapornya "
        "sudah ada di tabel pesan aplikasi.",
    )


def _consulted(data: dict[str, Any], journey: Journey) -> Scene:
    asked = data["consultation"]
    verdict, suggested = asked["verdict"], asked.get("suggested_agency")
    advice = f"; sarannya {name_of(suggested)}" if suggested else ""
    return (
        f"konsultasi {verdict}",
        f"Konsultasi: sebelum meneruskan {journey.label}, {name_of(data['owner'])} bertanya kepada "
        f"{name_of(asked['agency'])}. Jawabannya: {VERDICTS[verdict]}{advice}.",
    )


def _redirected(data: dict[str, Any], journey: Journey) -> Scene | None:
    returned = [agency for agency, words, _ in journey.legs.values() if words[-1:] == ["dikembalikan"]]
    if not returned:
        return None
    return (
        "kembali",
        f"Salah alamat: {returned[-1]} mengembalikan {journey.label} dengan alasan dan saran; "
        f"{name_of(data['owner'])} meneruskannya ke {name_of(data['forwarding']['to'])}.",
    )


def _answered(data: dict[str, Any], journey: Journey) -> Scene | None:
    lead, *others = journey.handlers or [name_of(data["answer"]["agency"])]
    if journey.reopened:
        return "jawaban kedua", f"Jawaban kedua: {lead} menjawab {journey.label} sekali lagi."
    if len(others) < 2:
        return None
    return (
        "bersama",
        f"Jawaban bersama: {journey.label} ditangani {lead} (memimpin), {', '.join(others)}. Semua sudah "
        "menjawab; pelapor menerima satu jawaban.",
    )


def _missed(data: dict[str, Any], journey: Journey) -> Scene:
    drill = " (latihan: batasnya 1 menit)" if data["deadline"]["policy"] == DRILL["id"] else ""
    return (
        "tenggat",
        f"Tenggat terlewat: {name_of(data['responsible_agency'])} belum menindaklanjuti {journey.label} "
        f"pada waktunya{drill}.",
    )


def _escalated(data: dict[str, Any], journey: Journey) -> Scene:
    return (
        f"naik {data['cause']}",
        f"Naik satu tingkat: {journey.label} berpindah dari {name_of(data['from'])} ke "
        f"{name_of(data['to'])}, yang kini mengawalnya sampai dijawab.",
    )


def _reopened(data: dict[str, Any], journey: Journey) -> Scene:
    handler = journey.handlers[0] if journey.handlers else name_of(data["owner"])
    return (
        "belum tuntas",
        f"Belum tuntas: pelapor {journey.label} menyatakan masalahnya belum selesai; {handler} "
        "mengerjakannya lagi.",
    )


def _closed(data: dict[str, Any], journey: Journey) -> Scene | None:
    if not journey.reopened:
        return None
    return (
        "tuntas",
        f"Tuntas: pelapor {journey.label} berterima kasih, {name_of(data['owner'])} menutup kasusnya.",
    )
