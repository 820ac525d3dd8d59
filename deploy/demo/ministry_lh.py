"""Kementerian Lingkungan Hidup's own system, which lives on Kafka alone: its connector reads the ministry's
topic into surat_masuk and writes surat_balasan as records. No webhook, no polling."""

from __future__ import annotations

from deploy.demo.layout import LH
from deploy.demo.office import officers, open_office
from deploy.demo.program import layout, run


def main() -> None:
    run_layout = layout()
    run(officers(open_office(run_layout, LH.id), LH.id, run_layout.fast))


if __name__ == "__main__":
    main()
