"""Complaints as citizens write them; each differs by its reference only."""

from __future__ import annotations

from typing import Any

TEXTS = (
    (
        "road",
        "Jalan {street} berlubang di dekat {place}",
        "Sejak musim hujan jalan di dekat {place} berlubang sedalam betis. Setiap malam ada pengendara motor "
        "yang jatuh karena lampu jalan juga padam. Sudah kami timbun sendiri dengan pecahan bata, tetapi "
        "hanyut lagi. Mohon segera ditambal sebelum ada korban jiwa, dan lampunya dinyalakan kembali.",
    ),
    (
        "road",
        "Jembatan kayu menuju {place} lapuk",
        "Papan jembatan menuju {place} sudah lapuk dan dua bilah patah minggu lalu. Anak-anak sekolah di "
        "Jalan {street} terpaksa memutar hampir dua kilometer. Kami minta diganti atau setidaknya dipasang "
        "tanda bahaya supaya truk tidak lewat dulu.",
    ),
    (
        "road",
        "Trotoar Jalan {street} dipakai parkir",
        "Trotoar di sepanjang Jalan {street} dipakai parkir setiap sore, pejalan kaki turun ke badan jalan. "
        "Di depan {place} bahkan kursi roda ibu saya tidak bisa lewat. Mohon ditertibkan.",
    ),
)
STREETS = ("Baamang Tengah", "Pelita Barat", "Iskandar", "Tjilik Riwut", "Kapten Mulyono")
PLACES = ("Pasar Baamang", "SDN 3 Mentaya", "Puskesmas Ketapang", "Langgar Al-Hidayah", "Dermaga Habaring")


def complaint(agency: str, reference: str, number: int) -> dict[str, Any]:
    """A valid complaint; the same arguments give the same content."""
    category, title, text = TEXTS[number % len(TEXTS)]
    words = {"street": STREETS[number % len(STREETS)], "place": PLACES[number // 5 % len(PLACES)]}
    return {
        "source": {"agency": agency, "reference": reference},
        "classification": "complaint",
        "title": title.format(**words),
        "description": text.format(**words),
        "category": category,
        "submitted_at": f"2025-11-{number % 20 + 1:02d}T09:26:53+07:00",
        "channel": "web",
        "location": {"region": "62.02.02", "address": f"Jalan {words['street']}, Sampit"},
        "reporter": {"name": "Rahmad Hidayat", "phone": "+62 812-0000-0431", "anonymous": False},
        "confidential": False,
    }
