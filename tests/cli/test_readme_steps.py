"""The README's first steps, typed as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.parts.hub import ROOT, SIMPUL, HubProcess

BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[str]:
    """The code of "Start a hub", in order."""
    text = (ROOT / "README.md").read_text("utf-8")
    section = text.split("\n## Start a hub\n", 1)[1].split("\n## ", 1)[0]
    return BLOCK.findall(section)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README speaks with curl")
def test_a_complaint_goes_its_whole_way(tmp_path: Path) -> None:
    start, register, speak, pemda, ministry = blocks()
    assert "simpul serve" in start
    hub = HubProcess(tmp_path)
    try:
        hub.start()
        env = hub.settings() | {"PATH": f"{SIMPUL.parent}:{os.environ['PATH']}"}

        def typed(text: str) -> str:
            ended = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", text],
                cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            assert ended.returncode == 0, ended.stderr
            return ended.stdout

        made = [json.loads(line) for line in typed(register).splitlines()]
        of_pemda, of_ministry, of_hub = [
            f"sign_in {client['client_id']} {client['client_secret']}"
            for client in made
            if "client_secret" in client
        ]
        assert of_hub
        assert "HUB=http://127.0.0.1:8080\n" in speak
        (tmp_path / "speak.sh").write_text(speak.replace("http://127.0.0.1:8080", hub.url))
        ours, again = ministry.replace("sign_in client_… simpul_…", of_ministry, 1), of_pemda
        ours = ours.replace("sign_in client_… simpul_…", again, 1)
        said = typed(pemda.replace("sign_in client_… simpul_…", of_pemda, 1) + ours)
        assert "urn:simpul:problem" not in said, said
        assert json.loads(said.splitlines()[-1])["status"] == "closed"
    finally:
        hub.kill()
