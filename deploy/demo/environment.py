"""What the demo's programs are started with: where they are installed, and the settings that they see."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from deploy.demo.layout import Layout
from deploy.demo.ports import CannotStart


def command(name: str) -> list[str]:
    """A program of the environment that this one runs in; raises CannotStart where it is not installed."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise CannotStart(f"{path} is not there. Run `make install` first.")
    return [str(path)]


def hub_environment(layout: Layout) -> dict[str, str]:
    """The settings of the demo's hub, and nothing of a hub that this machine may have besides."""
    return clean_environment() | {
        "SIMPUL_DATA_DIR": str(layout.hub_data),
        "SIMPUL_LISTEN": layout.listen,
        "SIMPUL_PUBLIC_URL": layout.hub_url,
        "SIMPUL_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        **layout.hub_settings,
    }


def clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIMPUL_")}
    return kept | {"PYTHONUNBUFFERED": "1"}
