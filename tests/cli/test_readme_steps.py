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


def blocks(title: str) -> list[str]:
    """The code under a heading, in order."""
    text = (ROOT / "README.md").read_text("utf-8")
    section = text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    return BLOCK.findall(section)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README speaks with curl")
def test_a_complaint_goes_its_whole_way(tmp_path: Path) -> None:
    start, register, speak, pemda, ministry = blocks("Start a hub")
    add_officer, officer_speaks = blocks("Let officers sign in")
    assert "simpul serve" in start
    hub = HubProcess(tmp_path)
    try:
        hub.start()
        env = hub.settings() | {"PATH": f"{SIMPUL.parent}:{os.environ['PATH']}"}

        def run(text: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", text],
                cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip

        def typed(text: str) -> str:
            ended = run(text)
            assert ended.returncode == 0, ended.stderr
            return ended.stdout

        def refused(text: str) -> str:
            return run(text).stderr

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
        case = json.loads(said.splitlines()[-1])["id"]
        (added,) = typed(add_officer).splitlines()
        one_time = json.loads(added)["one_time_password"]
        said = typed(f"CASE={case}\n" + officer_speaks.replace("ONE-TIME-PASSWORD", one_time))
        listed, opened = said.replace("}{", "}\n{", 1).splitlines()
        assert [each["id"] for each in json.loads(listed)["items"]] == [case]
        assert json.loads(opened)["subject"] == "Jembatan Desa Basirih", "a write, with its token"
        hub.stop()
        for line in ("sign_in client_x simpul_x", "get /v1/cases", f"post /v1/cases/{case}/closure '{{}}'"):
            away = refused(f". ./speak.sh; {line}")
            assert f"answers at {hub.url}" in away or f"answer at {hub.url}" in away
            assert "Traceback" not in away
    finally:
        hub.kill()
