"""Kementerian Sosial's own system: its connector writes letters into surat_masuk and reads surat_balasan."""

from __future__ import annotations

from deploy.demo.layout import SOSIAL
from deploy.demo.office import officers, open_office
from deploy.demo.program import layout, run


def main() -> None:
    run_layout = layout()
    run(officers(open_office(run_layout, SOSIAL.id), SOSIAL.id, run_layout.fast))


if __name__ == "__main__":
    main()
